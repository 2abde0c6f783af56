"""JSON as APIs of news write it: a body in, headlines out, post by post; pure.

A post that is not as it should be is left out and spoils no other; a body that is none raises
`Corrupt`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Headline

POSTS_MAX: Final = 500

T = TypeVar("T")


def opened(data: bytes, envelope: type[T], whose: str) -> T:
    """Return a body as the struct it is; raise `Corrupt` (`message.unreadable`)."""
    try:
        return msgspec.json.decode(data, type=envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Corrupt(f"no answer of {whose}: {problem}", code="message.unreadable") from problem


def headlines(
    raws: Iterable[msgspec.Raw], kind: type[T], say: Callable[[T], Headline | None]
) -> Sequence[Headline]:
    """Return what posts of a kind say; `say` says None of one that is no news."""
    said: list[Headline] = []
    for raw in list(raws)[:POSTS_MAX]:
        try:
            post = msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        headline = say(post)
        if headline is not None:
            said.append(headline)
    return said
