"""How many cases a property is tried on, in terms of the profile (`tests/conftest.py`)."""

from hypothesis import settings


def many(times: int) -> int:
    """Return so many times what the profile tries of a property."""
    profile = settings.default
    assert profile is not None, "tests/conftest.py loads one"
    return times * profile.max_examples
