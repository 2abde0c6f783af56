"""What every way to sign in is joined to."""

from dataclasses import dataclass
from uuid import UUID

from quantdesk.access.acts import Tell
from quantdesk.access.factors import store as factors
from quantdesk.access.limits.throttle import Throttle
from quantdesk.access.model import Origin, Principal
from quantdesk.access.sessions.sessions import Ending
from quantdesk.access.ways import store as ways
from quantdesk.api.needs import fresh
from quantdesk.app.access import Access
from quantdesk.core.clock import Clock
from quantdesk.core.ids import NewId
from quantdesk.settings import Settings
from quantdesk.store.pool import Connection, Pools


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The parts that all ways share; `sites` are the origins the desk is reached by."""

    settings: Settings
    access: Access
    pools: Pools
    tell: Tell
    throttle: Throttle
    sites: tuple[str, ...]
    clock: Clock
    new_id: NewId

    def fresh(self, principal: Principal) -> None:
        """Raise `Refused` (`proof.needed`) unless the caller was there a moment ago."""
        fresh(principal, self.clock.now_ms())


class Holders:
    """Ends what speaks for an account, in the caller's transaction."""

    def __init__(self, access: Access, *, clock: Clock) -> None:
        self._access = access
        self._clock = clock

    async def end_sessions(
        self, c: Connection, account_id: UUID, *, origin: Origin, but: UUID | None = None
    ) -> None:
        """End an account's sessions and its tickets for a second factor, but for one session."""
        ending = Ending(account_id, "password changed", spare=but)
        await self._access.sessions.end_in(c, ending, by=None, origin=origin)
        await ways.drop_tickets(c, account_id)

    async def evict(self, c: Connection, account_id: UUID, *, origin: Origin) -> None:
        """Take away its sessions, API keys, second factors, wallets and outside identities."""
        await self.end_sessions(c, account_id, origin=origin)
        await factors.remove_all(c, account_id)
        await ways.drop_all(c, account_id, at_ms=self._clock.now_ms())

    async def felt(self) -> None:
        """Return once what was just committed is in force."""
        await self._access.known.felt()
