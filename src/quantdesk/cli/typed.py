"""What a trader types: pairs and numbers, checked before anything is sent. Pure.

Numbers stay text: they become JSON as they were typed and no float is ever made of them.
"""

import difflib
import re
from collections.abc import Sequence

from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS

_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_ZERO = re.compile(r"[0.]*")
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_UNITS = re.compile(r"^\$|\s*[A-Za-z]+$")
_SPARE_ZEROS = re.compile(r"^0+(?=[0-9])")


def number(text: str, name: str) -> str:
    """Return a number above zero as it was typed.

    Raises `Refused` (`number.unreadable`) that says how to write it.
    """
    tidy = text.strip()
    if _NUMBER.fullmatch(tidy) is None:
        guess = _guess(tidy)
        hint = f"did you mean {guess}?" if guess else "write it like 10.5"
        raise Refused(f"{name} {text!r} is no plain number: {hint}", code="number.unreadable")
    if _ZERO.fullmatch(tidy):
        raise Refused(f"{name} must be above zero", code="number.unreadable")
    return tidy


def pair(text: str) -> str:
    """Return the pair a trader means; raises `Refused` (`pair.unknown`) with the nearest ones."""
    wanted = re.sub(r"[/_:\s]", "-", text.strip().upper())
    names = {name.replace("-", ""): name for name in MARKETS}
    found = names.get(wanted.replace("-", ""))
    if found is not None:
        return found
    near = nearest(wanted, list(MARKETS))
    hint = f"did you mean {near}? " if near else ""
    raise Refused(
        f"{text} is not traded here: {hint}pairs are {', '.join(MARKETS)}", code="pair.unknown"
    )


def nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the known word most like this one, if any is."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return found[0] if found else None


def _guess(text: str) -> str | None:
    """Return the plain number behind separators, a unit or a missing zero, if there is one."""
    bare = text.replace(",", "") if _GROUPED.fullmatch(text) else _UNITS.sub("", text)
    plain = _SPARE_ZEROS.sub("", f"0{bare}")
    return plain if _NUMBER.fullmatch(plain) and not _ZERO.fullmatch(plain) else None
