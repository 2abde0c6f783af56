"""Answers good for a moment, shared by all who ask in it: blockhashes, prices, lookup tables."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog
from solders.hash import Hash, ParseHashError

from quantdesk.chains.port import Priority
from quantdesk.chains.solana.answers import AccountsAnswer, BlockhashAnswer, PrioritizationFee
from quantdesk.chains.solana.fees import Bid, unit_price
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.chains.solana.tables import Table, table
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable

T = TypeVar("T")

Prices = Mapping[Priority, int]
"""Micro-lamports per compute unit that each priority offers."""

_BLOCKHASH_S: Final = 2.0  # of the 60 s it is valid
_PRICE_S: Final = 10.0
_PRICES_MAX: Final = 256
_RAISED_MIN: Final = 10_000  # micro-lamports: what is offered after the first that no block took
_RAISED_TIMES: Final = 4  # as much after the next
_RAISED_S: Final = 300.0
_RAISE_EVERY_S: Final = 30.0  # those that die together were offered the same
_ACCOUNTS_MAX: Final = 128  # what a node takes in one question
_TABLES_MAX: Final = 100  # what a node takes in one question
_TABLES_S: Final = 20.0
_TABLES_OLD_S: Final = 40.0

_log = structlog.get_logger(__name__)


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

    def begin(self) -> asyncio.Task[T]:
        """Return the answer to come; ask for it first if the last one is too old."""
        task, now = self._task, self._clock.monotonic()
        failed = task is not None and task.done() and (task.cancelled() or task.exception())
        if task is None or failed or now - self._asked >= self._fresh_s:
            self._asked = now
            task = self._task = asyncio.ensure_future(self._fetch())
        return task

    async def get(self) -> T:
        # Whoever gives up must not take the answer away from the others.
        return await asyncio.shield(self.begin())

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
    """What others paid lately for a compute unit, to write to the same accounts.

    After transactions that no block took more is offered for some minutes, whatever the node says
    that others paid: most tell of nothing where a block had no such transaction at all.
    """

    def __init__(self, *, rpc: Rpc, clock: Clock, bids: Mapping[Priority, Bid]) -> None:
        self._rpc = rpc
        self._clock = clock
        self._bids = bids
        self._shared: dict[tuple[str, ...], _Shared[Prices]] = {}
        self._last = self._prices(())
        self._least = 0
        self._raised_s: float | None = None

    @property
    def last(self) -> Prices:
        """Return the prices seen last, whoever's accounts they were for; before any, the least."""
        return self._raised(self._last)

    def missed(self) -> None:
        """Take note that no block took what was offered: offer more for a while."""
        now_s = self._clock.monotonic()
        if self._raised_s is None or now_s - self._raised_s >= _RAISE_EVERY_S:
            raised = self._least * _RAISED_TIMES if self._raises else _RAISED_MIN
            self._least = min(raised, max(bid.price_max for bid in self._bids.values()))
            self._raised_s = now_s

    async def get(self, accounts: tuple[str, ...]) -> Prices:
        """Return micro-lamports per compute unit, within the bids' bounds, at most 10 s old.

        Never fails: while the node does not say, the last prices seen anywhere stand in.
        """
        return self._raised(await self._of(accounts).get())

    def begin(self, accounts: tuple[str, ...]) -> None:
        """Ask the node unless the answer is known, and wait for nothing."""
        self._of(accounts).begin()

    @property
    def _raises(self) -> bool:
        if self._raised_s is None:
            return False
        return self._clock.monotonic() - self._raised_s < _RAISED_S

    def _raised(self, prices: Prices) -> Prices:
        if not self._raises:
            return prices
        return {
            priority: min(max(price, self._least), self._bids[priority].price_max)
            for priority, price in prices.items()
        }

    def _of(self, accounts: tuple[str, ...]) -> _Shared[Prices]:
        shared = self._shared.get(accounts)
        if shared is None:
            while len(self._shared) >= _PRICES_MAX:
                del self._shared[next(iter(self._shared))]
            shared = self._shared[accounts] = _Shared(
                lambda: self._fetch(accounts), clock=self._clock, fresh_s=_PRICE_S
            )
        return shared

    async def _fetch(self, accounts: tuple[str, ...]) -> Prices:
        try:
            recent = await self._rpc.ask(
                "getRecentPrioritizationFees",
                accounts[:_ACCOUNTS_MAX],
                answer=list[PrioritizationFee],
            )
        except DeskError:
            return self._last
        self._last = self._prices(recent)
        return self._last

    def _prices(self, recent: Sequence[PrioritizationFee]) -> Prices:
        return {priority: unit_price(recent, bid) for priority, bid in self._bids.items()}


class LookupTables:
    """The usable entries of the lookup tables the desk was told of.

    Tables are read at finalized, so that no fork gives an entry another meaning, and are used for a
    minute at most. A table dropped by its owner still works for 512 slots, some 200 s: longer than
    that minute, finality and the life of a blockhash together.
    """

    def __init__(self, *, rpc: Rpc, clock: Clock, addresses: Sequence[str]) -> None:
        assert len(addresses) <= _TABLES_MAX
        self._rpc = rpc
        self._clock = clock
        self._addresses = tuple(addresses)
        self._shared = _Shared(self._fetch, clock=clock, fresh_s=_TABLES_S)
        self._known: tuple[Table, ...] = ()
        self._read_s: float | None = None
        self._unusable: set[str] = set()

    async def get(self) -> tuple[Table, ...]:
        """Return the active ones; raise `Unavailable` when they cannot be read for too long."""
        return await self._shared.get() if self._addresses else ()

    async def _fetch(self) -> tuple[Table, ...]:
        asked_s = self._clock.monotonic()
        try:
            self._known, self._read_s = await self._read(), asked_s
        except DeskError as problem:
            if self._read_s is None or asked_s - self._read_s > _TABLES_OLD_S:
                raise Unavailable(problem.detail, code=problem.code) from None
        return self._known

    async def _read(self) -> tuple[Table, ...]:
        config = {"encoding": "base64", "commitment": "finalized"}
        answer = await self._rpc.ask(
            "getMultipleAccounts", self._addresses, config, answer=AccountsAnswer
        )
        if len(answer.value) != len(self._addresses):
            raise Unavailable("accounts are missing in the answer", code="rpc.unreadable")
        found = {
            address: table(
                address, owner=account.owner, data=account.bytes(), slot=answer.context.slot
            )
            for address, account in zip(self._addresses, answer.value, strict=True)
            if account is not None
        }
        usable = tuple(one for one in found.values() if one is not None)
        unusable = set(self._addresses) - {one.address for one in usable}
        if unusable - self._unusable:
            _log.warning("tables.unusable", tables=sorted(unusable))
        self._unusable = unusable
        return usable
