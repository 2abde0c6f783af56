"""Promise: the worked example in the documentation is a venue, as it stands on the page."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.tree import ROOT

import quantdesk.venues
from quantdesk.testing.venue_suite import CHECKS, Check, Ground

PAGE = ROOT / "docs/how-to/add-a-kind-of-pool.md"
BLOCK = re.compile(r"^```python\n# quantdesk/venues/(\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PACKAGE = "quantdesk.venues.corner"


class Example:
    """The page's code as files that can be imported, until the test ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ground(self, *, was: str = "", now: str = "") -> Ground:
        """Return the page's ground, with a change to its code."""
        page = PAGE.read_text()
        assert was in page
        for name, code in BLOCK.findall(page):
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code.replace(was, now) if was else code)
        found = importlib.import_module(f"{PACKAGE}.shop.ground").corner()
        assert isinstance(found, Ground)
        return found


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    monkeypatch.setattr(quantdesk.venues, "__path__", [*quantdesk.venues.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield Example(tmp_path)
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]
    vars(quantdesk.venues).pop("corner", None)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_that_the_example_is_a_venue(example: Example, check: Check) -> None:
    check(example.ground())


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("kept * (amount - fee) //", "kept * amount //"),
        ("ceil_div(given * amount, kept - amount)", "given * amount // kept"),
        ("given * BPS / (BPS - self.shop.fee_bps)", "float(given)"),
        ("self._seen = (state.slot, seen_ms)", "self._seen = (state.slot, 1 << 60)"),
        ('code="amount.too_small"', 'code="too.small"'),
    ],
)
def test_that_a_mistake_on_the_page_is_found(example: Example, was: str, now: str) -> None:
    ground = example.ground(was=was, now=now)

    assert any(_fails(check, ground) for check in CHECKS)


def _fails(check: Check, ground: Ground) -> bool:
    try:
        check(ground)
    except AssertionError:
        return True
    return False
