"""What holds for every test: generated cases are the same each time, on a slow machine too.

A full collection of garbage looks at every object alive, and the suite keeps many alive: modules,
tests, parsed files. What importing the tests made is set aside; the rest is looked at seldom.
"""

import gc
from typing import Final

from hypothesis import HealthCheck, settings

_THRESHOLDS: Final = (5_000, 10, 10)
"""Of the collector. Higher ones save little more, and keep hundreds of dead clusters in memory."""

settings.register_profile(
    "desk", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("desk"), max_examples=20)
"""For `make check`; `make test` tries all of them."""
settings.load_profile("desk")


def pytest_configure() -> None:
    gc.set_threshold(*_THRESHOLDS)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    # What a test leaked is still found at the end: pytest collects once more and fails on warnings.
    gc.unfreeze()
