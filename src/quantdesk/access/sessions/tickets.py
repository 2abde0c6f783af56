"""Tickets: secrets that are good for one thing, once, and not for long.

One waits for a second factor after the first was right; one opens a WebSocket, where a browser
cannot send a header and a token has no place in an address.
"""

from typing import Final
from uuid import UUID

from quantdesk.access.keys import digest, new_secret
from quantdesk.access.model import Account, Principal
from quantdesk.access.sessions import store
from quantdesk.access.sessions.store import Ticket
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection, Pools

FACTOR_MS: Final = 5 * 60_000
SOCKET_MS: Final = 30_000
_FACTOR: Final = "factor"
_SOCKET: Final = "socket"
_CHARACTERS_MAX: Final = 128


class Tickets:
    """Gives tickets out and takes them back."""

    def __init__(self, *, pools: Pools, clock: Clock) -> None:
        self._pools = pools
        self._clock = clock

    async def give_factor(self, account: Account, *, method: str) -> tuple[str, int]:
        """Return a ticket for an account whose first factor was right, and its last moment."""
        ticket = Ticket(account.id, method, None, None)
        return await self._give(ticket, prefix="qdf_", purpose=_FACTOR, lasts_ms=FACTOR_MS)

    async def factor(self, secret: str) -> UUID:
        """Return the account a ticket waits for; raise `Refused` (`ticket.invalid`)."""
        async with self._pools.read.connection() as c:
            found = await store.ticket(
                c, _named(secret), purpose=_FACTOR, now_ms=self._clock.now_ms()
            )
        if found is None:
            raise invalid()
        return found.account_id

    async def take_factor(self, c: Connection, secret: str) -> Ticket:
        """Take a ticket in this transaction; raise `Refused` (`ticket.invalid`)."""
        found = await store.take_ticket(
            c, _named(secret), purpose=_FACTOR, now_ms=self._clock.now_ms()
        )
        if found is None:
            raise invalid()
        return found

    async def give_socket(self, caller: Principal) -> tuple[str, int]:
        """Return a ticket that opens one socket for a caller, and its last moment."""
        ticket = Ticket(caller.account_id, "", caller.session_id, caller.key_id)
        return await self._give(ticket, prefix="qdw_", purpose=_SOCKET, lasts_ms=SOCKET_MS)

    async def take_socket(self, secret: str) -> Ticket | None:
        """Take the ticket of a socket; None when it is unknown, used or too old."""
        async with self._pools.write.transaction() as c:
            return await store.take_ticket(
                c, _named(secret), purpose=_SOCKET, now_ms=self._clock.now_ms()
            )

    async def _give(
        self, ticket: Ticket, *, prefix: str, purpose: str, lasts_ms: int
    ) -> tuple[str, int]:
        secret, expires_ms = new_secret(prefix), self._clock.now_ms() + lasts_ms
        async with self._pools.write.transaction() as c:
            await store.add_ticket(
                c, digest(secret), ticket, purpose=purpose, expires_ms=expires_ms
            )
        return secret, expires_ms


def invalid() -> Refused:
    """Return the refusal of a ticket that is unknown, used or too old."""
    return Refused("this took too long or was used before: sign in again", code="ticket.invalid")


def _named(secret: str) -> bytes:
    return digest(secret[:_CHARACTERS_MAX])
