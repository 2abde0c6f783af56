"""Who a request speaks for, by all it may be spoken for with: API keys, session tokens, tickets.

    header or cookie ─▶ Tokens (verified once, then by digest) ─▶ Directory ─▶ Principal

On the way of an order this is a hash and two look-ups; nothing waits.
"""

from collections.abc import Callable
from typing import Final

from quantdesk.access.keys import PREFIX, Given, bearer, digest
from quantdesk.access.known.known import Known
from quantdesk.access.model import Principal, Role
from quantdesk.access.sessions.tickets import Tickets
from quantdesk.access.tokens.csrf import csrf
from quantdesk.access.tokens.jwt import Tokens
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable

_YOUNG_MS: Final = 10_000
"""A session this young may have been opened by another process that we have not heard from yet."""
_KEY_BYTES_MAX: Final = 128


class Credentials:
    """The callers of a desk; see the port `callers.py`."""

    def __init__(self, *, known: Known, tokens: Tokens, tickets: Tickets, clock: Clock) -> None:
        self._known = known
        self._tokens = tokens
        self._tickets = tickets
        self._clock = clock
        self._used: Callable[[Principal], None] = _nobody

    def on_use(self, used: Callable[[Principal], None]) -> None:
        """Tell somebody of each use of an API key."""
        self._used = used

    def caller(self, given: Given) -> Principal | None:
        """Return who is asking, if anybody; raise `Unavailable` (`access.stale`)."""
        if given.authorization is None:
            return None if given.cookie is None else self._by_token(given.cookie)
        credential = bearer(given.authorization)
        if not credential.startswith(PREFIX):
            return self._by_token(credential)
        return self._by_key(credential, given.ip)

    async def late_caller(self, given: Given) -> Principal | None:
        """Return who is asking where the database must be asked; raise `Unavailable`."""
        if given.authorization is None and given.cookie is None:
            return await self._by_ticket(given.ticket)
        token = given.cookie if given.authorization is None else bearer(given.authorization)
        now_ms = self._clock.now_ms()
        # Only whoever holds a token that we signed a moment ago makes us ask the database.
        read = None if token is None else self._tokens.read(token, now_ms=now_ms)
        if read is None or now_ms - read.issued_ms > _YOUNG_MS:
            return None
        await self._known.catch_up()
        return self._known.directory.by_session(read.session_id, now_ms=now_ms)

    def still(self, principal: Principal) -> bool:
        """Return whether a caller of earlier may do now what they could then."""
        now = self._known.directory.now(principal, now_ms=self._clock.now_ms())
        return now is not None and (now.role, now.may) == (principal.role, principal.may)

    def csrf(self, cookie: str) -> str:
        """Return what X-CSRF-Token must hold beside a cookie: nobody else can work it out."""
        return csrf(cookie)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener after every change of what is known."""
        self._known.on_change(listener)

    def _by_token(self, token: str) -> Principal | None:
        now_ms = self._clock.now_ms()
        read = self._tokens.read(token, now_ms=now_ms)
        if read is None:
            return None
        caller = self._known.directory.by_session(read.session_id, now_ms=now_ms)
        return None if caller is None else self._fresh(caller)

    def _by_key(self, key: str, ip: str) -> Principal | None:
        if len(key) > _KEY_BYTES_MAX:
            return None
        caller = self._known.directory.by_key(digest(key), ip=ip, now_ms=self._clock.now_ms())
        if caller is None:
            return None
        self._used(caller)
        return caller if caller.local else self._fresh(caller)

    async def _by_ticket(self, ticket: str | None) -> Principal | None:
        taken = None if ticket is None else await self._tickets.take_socket(ticket)
        if taken is None:
            return None
        holder = Principal(
            account_id=taken.account_id,
            role=Role.VIEWER,
            may=frozenset(),
            session_id=taken.session_id,
            key_id=taken.key_id,
        )
        caller = self._known.directory.now(holder, now_ms=self._clock.now_ms())
        return None if caller is None else self._fresh(caller)

    def _fresh(self, caller: Principal) -> Principal:
        if self._known.stale:
            raise Unavailable(
                "whether you may still do this is not known: the database is away",
                code="access.stale",
            )
        return caller


def _nobody(_: Principal) -> None:
    """Tell nobody."""
