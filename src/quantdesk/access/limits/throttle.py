"""Throttling of sign-in: against guessing one account, and against trying many from one place.

Both bounds are of a network (IPv4 /24, IPv6 /64) and never of an account alone: whoever fails on
purpose under the owner's name locks out that network, not the owner at home, and never the owner's
key on this machine, which signs in nowhere. What is counted is the name as it was typed, whether
there is such an account or not, so the answer tells nobody which names exist.

Kept in Postgres: several processes count together, and a restart forgives nothing.
"""

import hashlib
from typing import Final

import structlog

from quantdesk.access.limits import store
from quantdesk.access.limits.refusing import TooMany
from quantdesk.access.limits.tries import (
    FORGIVEN_MS,
    OF_ACCOUNT,
    OF_NETWORK,
    Tries,
    counted,
    given_back,
    judged,
)
from quantdesk.access.networks import network
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.store.pool import Pools

log = structlog.get_logger()

_SWEEP_S: Final = 600.0
_ROWS_MAX: Final = 100_000


class Throttle:
    """Counts tries: `check` before a secret is looked at, then `failed` or `succeeded`."""

    def __init__(self, *, pools: Pools, clock: Clock, rows_max: int = _ROWS_MAX) -> None:
        self._pools = pools
        self._clock = clock
        self._rows_max = rows_max

    async def check(self, who: str, ip: str) -> None:
        """Count a try of an account's name (as it is compared: email in lower case, address).

        Raises `TooMany` (`sign_in.throttled`), having counted nothing; `Unavailable`.
        """
        place, subject, now_ms = network(ip), _digest(who), self._clock.now_ms()
        async with self._pools.write.transaction() as c:
            # The network's row first, always: its lock keeps tries of one network apart.
            wide = await store.tries(c, None, place, at_ms=now_ms)
            own = await store.tries(c, subject, place, at_ms=now_ms)
            wide, wait_ms = judged(wide, OF_NETWORK, now_ms=now_ms)
            own, own_wait_ms = judged(own, OF_ACCOUNT, now_ms=now_ms)
            wait_ms = max(wait_ms, own_wait_ms)
            if not wait_ms:
                wide, own = counted(wide, now_ms=now_ms), counted(own, now_ms=now_ms)
            await store.keep_tries(c, None, place, wide, at_ms=now_ms)
            await store.keep_tries(c, subject, place, own, at_ms=now_ms)
        if wait_ms:
            raise TooMany(
                "too many tries to sign in", wait_s=wait_ms / 1000, code="sign_in.throttled"
            )

    async def failed(self, who: str, ip: str) -> bool:
        """Let a checked try stay counted; return whether the name is locked from here now."""
        place, subject, now_ms = network(ip), _digest(who), self._clock.now_ms()
        async with self._pools.write.transaction() as c:
            own = await store.tries(c, subject, place, at_ms=now_ms)
            own, wait_ms = judged(own, OF_ACCOUNT, now_ms=now_ms)
            await store.keep_tries(c, subject, place, own, at_ms=now_ms)
        return wait_ms > 0

    async def succeeded(self, who: str, ip: str) -> None:
        """Forget the tries of this name from this network.

        Of the network as a whole only this one try: an attacker's own account forgives no guess.
        """
        place, subject, now_ms = network(ip), _digest(who), self._clock.now_ms()
        async with self._pools.write.transaction() as c:
            wide = await store.tries(c, None, place, at_ms=now_ms)
            await store.tries(c, subject, place, at_ms=now_ms)
            await store.keep_tries(c, None, place, given_back(wide), at_ms=now_ms)
            await store.keep_tries(c, subject, place, Tries(), at_ms=now_ms)

    async def run(self) -> None:
        """Forget what counts no more, until cancelled."""
        while True:
            try:
                await self.sweep()
            except DeskError as problem:
                log.warning("throttle.unswept", code=problem.code, detail=problem.detail)
            await self._clock.sleep(_SWEEP_S)

    async def sweep(self) -> None:
        """Forget what counts no more, and the oldest past the bound on rows."""
        now_ms = self._clock.now_ms()
        async with self._pools.write.connection() as c:
            await store.forget_tries(
                c, before_ms=now_ms - FORGIVEN_MS, now_ms=now_ms, rows_max=self._rows_max
            )


def _digest(who: str) -> bytes:
    return hashlib.sha256(who.encode()).digest()
