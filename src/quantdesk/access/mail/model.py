"""The nouns of mail: an errand is what waits, a letter is what leaves. Pure."""

from enum import StrEnum
from uuid import UUID

import msgspec


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that is to be written and sent: of a kind, to an address, before `expires_ms`."""

    id: UUID
    kind: str
    recipient: str
    made_ms: int
    expires_ms: int
    tries: int = 0
    """How often it was taken up, this time included."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it leaves; `id` is the same each time it is sent again."""

    id: UUID
    recipient: str
    subject: str
    text: str
    at_ms: int


class Outcome(StrEnum):
    """How an errand ended."""

    SENT = "sent"
    REJECTED = "rejected"
    """The server said that it will never take it."""
    EXPIRED = "expired"
    NEEDLESS = "needless"
    """There was nobody, or nothing any more, to write to."""
