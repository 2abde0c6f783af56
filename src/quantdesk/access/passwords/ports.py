"""What passwords need of the rest of access: to end what an account's former holders opened."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from quantdesk.access.acts import Tell
from quantdesk.access.model import Origin
from quantdesk.core.clock import Clock
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools


class Holders(Protocol):
    """Ends what speaks for an account, in the caller's transaction."""

    async def end_sessions(
        self, c: Connection, account_id: UUID, *, origin: Origin, but: UUID | None = None
    ) -> None:
        """End an account's sessions, and its tickets for a second factor, but for one session."""

    async def evict(self, c: Connection, account_id: UUID, *, origin: Origin) -> None:
        """Take away its sessions, API keys, second factors, wallets and outside identities.

        For an account whose address was proven by somebody else than who set all that up.
        """

    async def felt(self) -> None:
        """Return once what was just committed is in force; it would be within a second anyway."""


@dataclass(frozen=True, slots=True)
class Around:
    """What each part of signing in is given: the database, time, ids, and the ear of the audit."""

    pools: Pools
    clock: Clock
    new_id: NewId
    tell: Tell
