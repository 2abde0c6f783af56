"""How much a browser loads, packed, before it shows anything, and where more than that is too much.

What the first document names is the first load; a chart is loaded where one is shown. The bounds
are the budget of the page; who needs more raises them here, with the reason.
"""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FIRST_LOAD_MAX: Final = 130_000
CHART_MAX: Final = 60_000
CHUNK_MAX: Final = 40_000

_NAMED: Final = re.compile(r'(?:src|href)="/(assets/[^"]+\.js)"')
_CHART: Final = "candleChart"


def first_load(dist: Path) -> int:
    """Return the bytes of all scripts that the first document names."""
    named = set(_NAMED.findall((dist / "index.html").read_text()))
    return sum(packed(dist / name) for name in named)


def too_large(dist: Path) -> Iterator[str]:
    """Yield what is past its bound."""
    if (first := first_load(dist)) > FIRST_LOAD_MAX:
        yield f"the first load is {first} bytes, at most {FIRST_LOAD_MAX}"
    named = _NAMED.findall((dist / "index.html").read_text())
    for path in sorted((dist / "assets").glob("*.js")):
        bound = CHART_MAX if path.name.startswith(_CHART) else CHUNK_MAX
        if f"assets/{path.name}" not in named and (size := packed(path)) > bound:
            yield f"{path.name} is {size} bytes, at most {bound}"


def packed(path: Path) -> int:
    """Return the size of a file as the desk sends it."""
    return len(gzip.compress(path.read_bytes(), 6, mtime=0))
