"""Settings of all tests."""

import gc
import os

from hypothesis import settings

# The same examples in every run. No deadline: a busy machine is no failure.
settings.register_profile("effviz", derandomize=True, deadline=None)
settings.load_profile("effviz")

# Pages of tests show what the test has measured; `tests/ui/test_recorded.py` has the recorded latencies.
os.environ["EFFVIZ_RECORDED"] = ""

# A test process keeps torch, Streamlit and the examples of all tests. To search them for circles at each 700 new
# objects takes a seventh of the time.
gc.set_threshold(200_000, 20, 100)
