"""Proving to know a password: the throttle counts the try, then one hash decides.

An account that does not exist, or has no password, is counted alike and costs the same hash. A try
that finds the hashing busy stays counted: else whoever keeps it busy would guess uncounted.
"""

from quantdesk.access.acts import Act
from quantdesk.access.model import Origin
from quantdesk.access.passwords import store
from quantdesk.access.passwords.hashing import Hasher
from quantdesk.access.passwords.model import Known
from quantdesk.access.passwords.ports import Around
from quantdesk.access.passwords.throttle import Throttle
from quantdesk.core.errors import Refused, Unavailable


class Prover:
    """Holds passwords against what is known."""

    def __init__(self, around: Around, *, hasher: Hasher, throttle: Throttle) -> None:
        self._around = around
        self._throttle = throttle
        self.hasher = hasher

    async def prove(
        self, known: Known | None, password: str, *, email: str, origin: Origin
    ) -> Known:
        """Return who knows this password.

        Raises `Refused` (`sign_in.failed`, or what the throttle says), `Unavailable`
        (`sign_in.busy`).
        """
        key = f"email:{email}"
        await self._throttle.check(key, origin.ip)
        right = await self.hasher.matches(None if known is None else known.hash, password)
        if known is None or not right:
            await self._throttle.failed(key, origin.ip)
            self._around.tell(self._failure(known, email, origin))
            raise failed()
        await self._throttle.succeeded(key, origin.ip)
        return known

    async def upgrade(self, known: Known, password: str) -> None:
        """Replace a hash of another kind or cost by one of today's, if there is room to now."""
        assert known.hash is not None, "it was just proven"
        if not self.hasher.is_stale(known.hash, password):
            return
        try:
            fresh = await self.hasher.hash(password)
        except Unavailable:
            return  # at their next sign-in, then
        async with self._around.pools.write.connection() as c:
            await store.swap_hash(c, known.account.id, old=known.hash, new=fresh)

    def _failure(self, known: Known | None, email: str, origin: Origin) -> Act:
        return Act(
            id=self._around.new_id(),
            at_ms=self._around.clock.now_ms(),
            action="sign_in.failed",
            origin=origin,
            account_id=None if known is None else known.account.id,
            about=f"email:{email}",
            code="sign_in.failed",
        )


def failed() -> Refused:
    """Return the one refusal of whoever could not prove an account theirs."""
    return Refused("the email address or the password is wrong", code="sign_in.failed")
