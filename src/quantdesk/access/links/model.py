"""The nouns of links. Pure."""

from enum import StrEnum
from uuid import UUID

import msgspec


class Purpose(StrEnum):
    """What a link is good for, and nothing else."""

    VERIFY = "verify"
    RESET = "reset"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link of an account: whoever opens it reads mail to `email`."""

    id: UUID
    purpose: Purpose
    account_id: UUID
    email: str
    made_ms: int
    expires_ms: int
