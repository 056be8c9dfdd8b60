"""The number of random examples: small by default, ten times as many with ``EFFVIZ_TEST_PROFILE=full``.

Tests that run whole modules take `REPRESENTATIVES` of `tests/support/examples.py`: all networks in the full profile.
"""

from __future__ import annotations

import os

PROFILES = {"default": 1, "full": 10}
PROFILE = os.environ.get("EFFVIZ_TEST_PROFILE", "default")
if PROFILE not in PROFILES:
    raise ValueError(f"EFFVIZ_TEST_PROFILE is {PROFILE!r}; it must be one of {', '.join(PROFILES)}")


def examples(default: int) -> int:
    """The number of examples in the current profile, for `hypothesis.settings(max_examples=...)` and plain loops."""
    return default * PROFILES[PROFILE]
