"""Which second factors an account has: read by whoever opens sessions, before any is shown."""

from typing import Final
from uuid import UUID

from quantdesk.access.factors import store
from quantdesk.access.factors.model import Factors
from quantdesk.store.pool import Pools

_FIRST: Final = ("password", "wallet")


class KnownFactors:
    """The port `access.welcome.SecondFactors`."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def of(self, account_id: UUID) -> Factors:
        """Return the second factors of an account."""
        async with self._pools.read.connection() as c:
            return await store.factors(c, account_id)

    async def methods(self, account_id: UUID) -> tuple[str, ...]:
        """Return their names (`totp`, `passkey`, `recovery`), none when it has none."""
        return (await self.of(account_id)).methods

    async def proofs(self, account_id: UUID) -> tuple[str, ...]:
        """Return what proves that an account's person is there: who has a second factor uses it."""
        return await self.methods(account_id) or _FIRST
