"""The nouns of the watch over threats. Pure."""

from enum import StrEnum
from uuid import UUID

import msgspec


class Severity(StrEnum):
    """How much a security event asks of whoever reads it."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What acts added up to: `count` of them since `since_ms`, the last at `at_ms`.

    `subject` is what was counted by: an account, a network, a session. `block_s` is how long the
    network is kept out for it, 0 for not at all.
    """

    id: UUID
    at_ms: int
    kind: str
    severity: Severity
    subject: str
    count: int
    since_ms: int
    detail: str
    network: str = ""
    account_id: UUID | None = None
    block_s: int = 0


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A network that is kept out until a time, and the event it is for."""

    network: str
    until_ms: int
    event_id: UUID
    reason: str
