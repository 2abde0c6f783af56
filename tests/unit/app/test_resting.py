"""Promise: who runs the desk sees which pools routes go without, and why, in a line of one size."""

import pytest

from quantdesk.app.pools import resting_words

_WHY = "; left out for a while, since trades with them fail when tried: "


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ([], ""),
        (["a"], f"{_WHY}a"),
        (["a", "b", "c"], f"{_WHY}a, b, c"),
        (["a", "b", "c", "d", "e"], f"{_WHY}a, b, c and 2 more"),
    ],
)
def test_that_resting_pools_are_named(addresses: list[str], words: str) -> None:
    assert resting_words(addresses) == words
