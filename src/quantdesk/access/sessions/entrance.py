"""The entrance: every way to sign in ends here, with a session or with the second factor's turn.

    first factor right ─▶ begin ─┬─▶ no second factor: a session
                                 └─▶ a ticket ─ second factor right ─▶ finish ─▶ a session

A session's id is always new: what a browser held before it signed in is never what it holds after.
"""

from uuid import UUID

from quantdesk.access.known.known import Known
from quantdesk.access.model import Account, FactorNeeded, Origin, SignedIn
from quantdesk.access.sessions.sessions import Sessions, disabled
from quantdesk.access.sessions.tickets import Tickets
from quantdesk.access.welcome import SecondFactors
from quantdesk.store.pool import Pools


class Entrance:
    """Opens sessions; this is the `Welcome` of the ways to sign in."""

    def __init__(
        self,
        *,
        pools: Pools,
        sessions: Sessions,
        tickets: Tickets,
        factors: SecondFactors,
        known: Known,
    ) -> None:
        self._pools = pools
        self._sessions = sessions
        self._tickets = tickets
        self._factors = factors
        self._known = known

    async def begin(
        self, account: Account, *, method: str, origin: Origin
    ) -> SignedIn | FactorNeeded:
        """Open a session, or ask for the second factor; raise `Refused` (`account.disabled`)."""
        if account.disabled:
            raise disabled()
        methods = await self._factors.methods(account.id)
        if methods:
            ticket, expires_ms = await self._tickets.give_factor(account, method=method)
            return FactorNeeded(ticket=ticket, methods=methods, expires_ms=expires_ms)
        async with self._pools.write.transaction() as c:
            opened = await self._sessions.open(c, account.id, method=method, origin=origin)
        await self._known.felt()
        return opened

    async def finish(self, ticket: str, *, method: str, origin: Origin) -> SignedIn:
        """Open the session of a ticket whose second factor was right.

        Raises `Refused` (`ticket.invalid`, `account.disabled`).
        """
        async with self._pools.write.transaction() as c:
            taken = await self._tickets.take_factor(c, ticket)
            both = f"{taken.method}+{method}"
            opened = await self._sessions.open(c, taken.account_id, method=both, origin=origin)
        await self._known.felt()
        return opened

    async def holder(self, ticket: str) -> UUID:
        """Return the account a ticket waits for; raise `Refused` (`ticket.invalid`)."""
        return await self._tickets.factor(ticket)


class NoFactors:
    """Accounts without a second factor."""

    async def methods(self, _: UUID) -> tuple[str, ...]:
        """Return that there is none."""
        return ()
