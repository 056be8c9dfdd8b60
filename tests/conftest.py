"""Settings of all tests."""

from hypothesis import settings

# The same examples in every run. No deadline: a busy machine is no failure.
settings.register_profile("effviz", derandomize=True, deadline=None)
settings.load_profile("effviz")
