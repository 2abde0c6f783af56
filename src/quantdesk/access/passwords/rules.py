"""What a password must be, after NIST SP 800-63B §5.1.1.2: long, and not one that is tried first.

No rule asks for digits or symbols: https://pages.nist.gov/800-63-3/sp800-63b.html#memsecretver.
What can be foretold counts as one character however long it is: a notorious word (also l1k3 th1s),
a word of one's own address or of the desk, a run such as `abcd`, `7654`, `aaaa` or `qwert`, a
number. What is left must be `EFFORT_MIN` or more. Works offline, pure.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterator
from typing import Final

from quantdesk.access.passwords.notorious import NOTORIOUS
from quantdesk.core.errors import Refused

CHARS_MIN: Final = 12
CHARS_MAX: Final = 128
EFFORT_MIN: Final = 7
"""Characters that cannot be foretold, where each word or run counts as one."""

_OURS: Final = frozenset(
    {"quantdesk", "quant", "desk", "trader", "trading", "trade", "solana", "bitcoin", "ethereum"}
)
_WORD_MIN: Final = 3
_LEET: Final = tuple(
    str.maketrans("0134578@$!+|", letters) for letters in ("oleastbasitl", "oieastbasiti")
)
_KEYS: Final = ("`1234567890-=", " qwertyuiop[]\\", " asdfghjkl;'", " zxcvbnm,./")
_KEY_AT: Final = {
    key: (row, column)
    for row, keys in enumerate(_KEYS)
    for column, key in enumerate(keys)
    if key != " "
}
_RUN_MIN: Final = 3
_WALK_MIN: Final = 4  # neighbors on a keyboard are common in words too
_NUMBER_MIN: Final = 4

Span = tuple[int, int]


def normalized(password: str) -> str:
    """Return a password as it is hashed: NFKC, so that every keyboard spells it alike."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, *, own: Collection[str] = ()) -> None:
    """Return if an account may have this password; `own` are words that its owner is known by.

    Raises `Refused` (`password.short`, `password.long`, `password.malformed`, `password.common`).
    """
    text = normalized(password)
    if len(text) < CHARS_MIN:
        raise Refused(
            f"a password has {CHARS_MIN} characters or more: a few words nobody would guess do",
            code="password.short",
        )
    if len(text) > CHARS_MAX:
        raise Refused(f"a password has {CHARS_MAX} characters at most", code="password.long")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
        raise Refused("a password holds no control characters", code="password.malformed")
    if effort(text, own=own) < EFFORT_MIN:
        raise Refused(
            "this password is among the first that are tried: words, names, numbers and runs of"
            " keys count little; take a few words nobody would guess",
            code="password.common",
        )


def effort(text: str, *, own: Collection[str] = ()) -> int:
    """Return how many characters of a password cannot be foretold; a word or run counts as one."""
    text = _once(text.casefold())
    known = _OURS | {word.casefold() for word in own if len(word) >= _WORD_MIN}
    at, chunks, single = 0, set[str](), 0
    longest = _longest(text, known)
    while at < len(text):
        if end := longest.get(at):
            chunks.add(text[at:end])
            at = end
        else:
            single += at == 0 or text[at] != text[at - 1]
            at += 1
    return single + len(chunks)


def _once(text: str) -> str:
    """Return what a text repeats, where it is nothing but that."""
    period = (text + text).find(text, 1)
    if period < len(text):
        return text[:period]
    for length in range(1, len(text) // 2 + 1):  # also where its last turn is cut short
        if text.startswith(text[length:]):
            return text[:length]
    return text


def _longest(text: str, known: Collection[str]) -> dict[int, int]:
    """Return the end of the longest span that can be foretold, by where it begins."""
    ends: dict[int, int] = {}
    for start, end in (*_words(text, known), *_runs(text)):
        ends[start] = max(end, ends.get(start, 0))
    return ends


def _words(text: str, known: Collection[str]) -> Iterator[Span]:
    sizes = sorted({len(word) for word in (*known, *NOTORIOUS)})
    for spelled in {text, *(text.translate(leet) for leet in _LEET)}:
        for start in range(len(spelled)):
            for size in sizes:
                word = spelled[start : start + size]
                if len(word) == size and (word in NOTORIOUS or word in known):
                    yield start, start + size


def _runs(text: str) -> Iterator[Span]:
    for goes_on, least in (
        (_rises, _RUN_MIN),
        (_falls, _RUN_MIN),
        (_stays, _RUN_MIN),
        (_walks, _WALK_MIN),
        (_counts, _NUMBER_MIN),
    ):
        yield from _stretches(text, goes_on, least)


def _stretches(text: str, goes_on: Callable[[str, str], bool], least: int) -> Iterator[Span]:
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not goes_on(text[at - 1], text[at]):
            # From each place in it: what comes before may be taken by something longer.
            yield from ((begin, at) for begin in range(start, at - least + 1))
            start = at


def _rises(one: str, other: str) -> bool:
    return one.isalnum() and ord(other) - ord(one) == 1


def _falls(one: str, other: str) -> bool:
    return one.isalnum() and ord(one) - ord(other) == 1


def _stays(one: str, other: str) -> bool:
    return one == other


def _walks(one: str, other: str) -> bool:
    if one not in _KEY_AT or other not in _KEY_AT:
        return False
    (row, column), (other_row, other_column) = _KEY_AT[one], _KEY_AT[other]
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1


def _counts(one: str, other: str) -> bool:
    return one.isdigit() and other.isdigit()
