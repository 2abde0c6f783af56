"""The owner's key shown in a browser: for a session, or to prove again that its holder is there.

    key of `owner.key` ─▶ the desk's own, working, shown on this machine ─▶ the entrance

Only the desk's own key opens sessions: keys that programs hold are narrowed to what those need, and
a session may more. Whatever else is shown, a narrowed key, a revoked one, one that nobody made, or
the right one on another machine, is refused in the same words after the same work. Wrong keys are
throttled by network; the right one on this machine is never locked out, and 256 random bits are
not guessed meanwhile.
"""

import hmac
from typing import Final
from uuid import UUID

from quantdesk.access import store
from quantdesk.access.acts import Act, Tell
from quantdesk.access.keys import digest
from quantdesk.access.limits.throttle import Throttle
from quantdesk.access.model import FactorNeeded, Origin, SignedIn
from quantdesk.access.networks import is_loopback
from quantdesk.access.welcome import Welcome
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Pools

METHOD: Final = store.BY_KEY
_TRIES: Final = "key:owner"
"""What wrong keys are counted under: of one made up nobody knows whose it was meant to be."""


class OwnerKey:
    """Takes the owner's key for what else a wallet or a password is taken for."""

    def __init__(
        self,
        *,
        pools: Pools,
        clock: Clock,
        new_id: NewId,
        tell: Tell,
        throttle: Throttle,
        welcome: Welcome,
    ) -> None:
        self._pools = pools
        self._clock = clock
        self._new_id = new_id
        self._tell = tell
        self._throttle = throttle
        self._welcome = welcome

    async def sign_in(self, key: str, *, origin: Origin) -> SignedIn | FactorNeeded:
        """Open the owner's session, or ask for their second factor.

        Raises `Refused` (`sign_in.failed`, `account.disabled`), `TooMany` (`sign_in.throttled`).
        """
        account_id = await self._holder(key, origin)
        if account_id is None:
            await self._throttle.check(_TRIES, origin.ip)
            await self._throttle.failed(_TRIES, origin.ip)
            self._tell(self._failure(origin))
            raise failed()
        async with self._pools.read.connection() as c:
            account = await store.account(c, account_id)
        assert account is not None, "a key refers to its account"
        return await self._welcome.begin(account, method=METHOD, origin=origin)

    async def right(self, account_id: UUID, key: str, origin: Origin) -> bool:
        """Return whether it is the key of this account, shown on this machine."""
        return await self._holder(key, origin) == account_id

    async def _holder(self, key: str, origin: Origin) -> UUID | None:
        given = digest(key)
        async with self._pools.read.connection() as c:
            known = await store.local_keys(c)
        # Every one is compared, and each whole: no answer comes sooner than another.
        right = [account_id for hashed, account_id in known if hmac.compare_digest(hashed, given)]
        return right[0] if right and is_loopback(origin.ip) else None

    def _failure(self, origin: Origin) -> Act:
        return Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action="sign_in.failed",
            origin=origin,
            about=_TRIES,
            code="sign_in.failed",
        )


def failed() -> Refused:
    """Return the one refusal of every key that opens no session."""
    return Refused(
        "this key opens no session: only the one in owner.key does, on the desk's own machine",
        code="sign_in.failed",
    )
