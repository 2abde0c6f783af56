"""Answers good for a moment, shared by everyone who asks in it: blockhashes and unit prices."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from solders.hash import Hash, ParseHashError

from quantdesk.chains.solana.answers import BlockhashAnswer, PrioritizationFee
from quantdesk.chains.solana.fees import unit_price
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable

T = TypeVar("T")

_BLOCKHASH_S: Final = 2.0  # of the 60 s it is valid
_PRICE_S: Final = 10.0
_PRICES_MAX: Final = 256
_ACCOUNTS_MAX: Final = 128  # what a node takes in one question
_PERCENTILE: Final = 75


@dataclass(frozen=True, slots=True)
class Recent:
    """A recent blockhash and the last block height it is valid at."""

    blockhash: Hash
    last_valid_height: int


class _Shared(Generic[T]):
    """The latest answer to one question, at most `fresh_s` old, asked once for all who wait."""

    def __init__(self, fetch: Callable[[], Awaitable[T]], *, clock: Clock, fresh_s: float) -> None:
        self._fetch = fetch
        self._clock = clock
        self._fresh_s = fresh_s
        self._asked = 0.0
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        task, now = self._task, self._clock.monotonic()
        failed = task is not None and task.done() and (task.cancelled() or task.exception())
        if task is None or failed or now - self._asked >= self._fresh_s:
            self._asked = now
            task = self._task = asyncio.ensure_future(self._fetch())
        # Whoever gives up must not take the answer away from the others.
        return await asyncio.shield(task)

    def forget(self) -> None:
        self._task = None


class Blockhashes:
    """The recent blockhash at confirmed commitment."""

    def __init__(self, *, rpc: Rpc, clock: Clock) -> None:
        self._rpc = rpc
        self._shared = _Shared(self._fetch, clock=clock, fresh_s=_BLOCKHASH_S)

    async def get(self) -> Recent:
        """Return one at most 2 s old; raise `Unavailable` as `Rpc.ask` does."""
        return await self._shared.get()

    def forget(self) -> None:
        """Ask anew next time: the chain does not know this one any more."""
        self._shared.forget()

    async def _fetch(self) -> Recent:
        config = {"commitment": "confirmed"}
        answer = await self._rpc.ask("getLatestBlockhash", config, answer=BlockhashAnswer)
        try:
            blockhash = Hash.from_string(answer.value.blockhash)
        except ParseHashError:
            raise Unavailable("the node sent no blockhash", code="rpc.unreadable") from None
        return Recent(blockhash, answer.value.last_valid_block_height)


class UnitPrices:
    """What others paid lately for a compute unit, to write to the same accounts."""

    def __init__(self, *, rpc: Rpc, clock: Clock, price_max: int) -> None:
        self._rpc = rpc
        self._clock = clock
        self._price_max = price_max
        self._shared: dict[tuple[str, ...], _Shared[int]] = {}
        self._last = 0

    async def get(self, accounts: tuple[str, ...]) -> int:
        """Return micro-lamports per compute unit, at most `price_max` and 10 s old.

        Never fails: while the node does not say, the last price seen anywhere stands in.
        """
        shared = self._shared.get(accounts)
        if shared is None:
            while len(self._shared) >= _PRICES_MAX:
                del self._shared[next(iter(self._shared))]
            shared = self._shared[accounts] = _Shared(
                lambda: self._fetch(accounts), clock=self._clock, fresh_s=_PRICE_S
            )
        return await shared.get()

    async def _fetch(self, accounts: tuple[str, ...]) -> int:
        try:
            recent = await self._rpc.ask(
                "getRecentPrioritizationFees",
                accounts[:_ACCOUNTS_MAX],
                answer=list[PrioritizationFee],
            )
        except DeskError:
            return self._last
        self._last = unit_price(recent, percentile=_PERCENTILE, price_max=self._price_max)
        return self._last
