"""What a source may ask and spend in a day (UTC): reserved before asking, given back after.

Nothing is asked that is not reserved, and what is reserved is written down first: a desk that is
killed, or two desks of one database, spend no more than one. Who does not learn what an asking cost
counts the most it can have cost. Money is a `Decimal` of US dollars.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from quantdesk.core.clock import Clock, iso, utc
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined

log = structlog.get_logger()

_DAY_MS: Final = 86_400_000
_NOTHING: Final = Decimal(0)

T = TypeVar("T")


class Cost(msgspec.Struct, frozen=True):
    """Requests and US dollars; of an asking, or of a day."""

    requests: int
    usd: Decimal = _NOTHING


class Ledger(Protocol):
    """Where spending is written down, by name of the source and day ("2026-11-21")."""

    async def reserve(self, name: str, day: str, cost: Cost, limit: Cost) -> Cost | None:
        """Add a cost to the day's unless that would pass the limit; one step, for all desks.

        Returns what is spent with it, None where nothing was added. Raises `Unavailable` when it
        cannot say; then nothing may be asked.
        """

    async def refund(self, name: str, day: str, usd: Decimal) -> None:
        """Take what was reserved and not charged off the day's dollars. Raises `Unavailable`."""


class OverBudget(Unavailable):
    """The day's budget does not reach for another asking; `wait_s` is until the next day."""

    def __init__(self, detail: str, *, wait_s: float) -> None:
        super().__init__(detail, code="source.budget")
        self.wait_s = wait_s


class Budget:
    """One source's day. `limit` is the most of a day; a reservation may reach it, never pass it."""

    def __init__(self, name: str, *, limit: Cost, ledger: Ledger, clock: Clock) -> None:
        assert limit.requests >= 0, "a budget is no debt"
        assert limit.usd >= 0, "a budget is no debt"
        self._name = name
        self._limit = limit
        self._ledger = ledger
        self._clock = clock
        self.spent = Cost(0)
        """What was spent on the day of the last reservation, as far as this desk knows."""

    async def asked(
        self, most: Decimal, ask: Callable[[], Awaitable[T]], cost: Callable[[T], Decimal]
    ) -> T:
        """Reserve a request that costs `most` dollars, ask, and give back what it did not cost.

        `cost` says what an answer cost; a refusal (`Declined`) costs the request alone. Where no
        answer came nobody knows whether it was charged: all that was reserved stays spent. Raises
        `OverBudget`, and what asking raises.
        """
        day = await self._reserve(Cost(1, most))
        try:
            answer = await ask()
        except Declined:
            await self._refund(day, most)
            raise
        await self._refund(day, most - cost(answer))
        return answer

    async def _refund(self, day: str, usd: Decimal) -> None:
        if usd <= 0:
            return
        try:
            await self._ledger.refund(self._name, day, usd)
        except Unavailable as problem:
            # The answer is there and paid for; the day ends a little early.
            log.warning("source.refund_lost", source=self._name, usd=str(usd), code=problem.code)
            return
        self.spent = Cost(self.spent.requests, self.spent.usd - usd)

    async def _reserve(self, cost: Cost) -> str:
        now_ms = self._clock.now_ms()
        day = f"{utc(now_ms):%Y-%m-%d}"
        spent = await self._ledger.reserve(self._name, day, cost, self._limit)
        if spent is None:
            until_ms = (now_ms // _DAY_MS + 1) * _DAY_MS
            raise OverBudget(
                f"{self._name} has no budget left for today ({_told(self._limit)}): it goes on at"
                f" {iso(until_ms)}; raise sources.{self._name}_requests_per_day or _usd_per_day",
                wait_s=(until_ms - now_ms) / 1000,
            )
        self.spent = spent
        return day


def _told(limit: Cost) -> str:
    requests = f"{limit.requests} requests"
    return f"{requests}, {limit.usd} USD" if limit.usd else requests
