"""`Binance`: the chains port on an exchange account; an order lands when it has ended with a fill.

    prepare   check the order against the trade → let the exchange test it → look at the balance
              → date and sign
    send      post the bytes, **once**: by the process that signed them, and never again
    look      find the order by its id; only `fate` says what its absence means
    receipt   the trades of the order

An exchange promises less than a chain: bytes posted twice may fill twice (see `requests`). So what
a process did not sign itself is never posted by it, and whatever came of a post, it is the only
one. Killed anywhere, nothing is doubled: before the post there is no order, and the bytes cannot be
taken once their time is over; after it, the order is found. What is lost is the time until absence
is believed (`fate.SETTLE_MS`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from quantdesk.chains.binance import fate, fills, requests
from quantdesk.chains.binance.answers import Account, OrderState, Recorded, TradeRow, unreadable
from quantdesk.chains.binance.client import (
    ACCOUNT,
    ALL_ORDERS,
    ALL_TRADES,
    FIND_ORDER,
    ORDER,
    TEST_ORDER,
    TRADES,
    Client,
    decoded,
)
from quantdesk.chains.binance.failures import ARCHIVED, BAD_TIME, NO_SUCH_ORDER, Executed, Failure
from quantdesk.chains.binance.requests import Asked, Force, Sent
from quantdesk.chains.port import (
    Fate,
    Instruction,
    Receipt,
    Sighting,
    Simulation,
    Trade,
    Transaction,
)
from quantdesk.core.assets import Asset
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable

_NOTHING: Final = Simulation(slot=0, compute_units=0, logs=())
_UNSEEN: Final = Sighting(Fate.UNSEEN)
_FIRST_S: Final = 0.5
_LONGEST_S: Final = 8.0
_LOOKS_MAX: Final = 16  # orders looked for at once
_MEMORY_MAX: Final = 50_000
_ORDERS_MAX: Final = 1_000  # that one question for all orders tells of
_BEFORE_MS: Final = 10_000  # clocks of two servers are nearer than this
_TRADES_MAX: Final = 1_000
_PAGES_MAX: Final = 100
_REFUSED: Final = "exchange.refused"


@dataclass(frozen=True, slots=True)
class Terms:
    """How an account is used.

    `poll_s` is the pause between looks, `window_ms` how long the exchange may take to begin with an
    order (5000 or less is what it recommends), `force` whether parts of an order may fill.
    """

    poll_s: float = 0.25
    window_ms: int = 3_000
    force: Force = Force.FOK

    def __post_init__(self) -> None:
        assert 0 < self.window_ms <= 60_000, "what the exchange takes"  # noqa: PLR2004


@dataclass(slots=True)
class _Memory:
    """What this process knows of bytes; losing it loses time and reasons, never money."""

    mine: bool = False  # signed here and not posted yet
    posting: bool = False
    refused: Failure | None = None  # what their one post was answered with
    heard: bool = False  # the exchange told of the order by itself
    settled: Sighting | None = None
    state: OrderState | None = None
    strangers: set[int] = field(default_factory=set)  # orders that proved to be others
    asks: int = 0
    due_s: float = 0.0


_DEFAULTS: Final = Terms()


class Binance:
    """One account. `client` has its key; nobody else may use its order ids."""

    def __init__(self, *, client: Client, clock: Clock, terms: Terms = _DEFAULTS) -> None:
        self._client = client
        self._clock = clock
        self._terms = terms
        self._known: dict[bytes, _Memory] = {}
        self._by_id: dict[str, _Memory] = {}

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks at orders in flight."""
        return self._terms.poll_s

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        """Check, let the exchange test, and sign; nothing is ordered.

        Raises `Refused` (`simulation.failed`, `funds.insufficient`, `amount.precision`,
        `amount.too_small`, `amount.too_large`, `price.band`, `exchange.refused`) or `Unavailable`
        (`slippage.exceeded`, `pool.gone`, `exchange.*`).
        """
        order = requests.asked(trade, instructions)
        params = requests.form(
            order,
            force=self._terms.force,
            client_id=requests.client_order_id(trade.memo),
        )
        account = await self._tested(params)
        _check_funds(account, order, trade)
        at_ms = await self._client.server_ms()
        body = requests.dated(
            params, at_ms=at_ms, window_ms=self._terms.window_ms, key=self._client.key
        )
        made = Transaction(
            raw=requests.pack(account.uid, body),
            signature=params["newClientOrderId"],
            last_valid_height=at_ms + self._terms.window_ms,
            simulation=_NOTHING,
        )
        self._memory(made).mine = True
        return made

    async def send(self, transaction: Transaction) -> None:
        """Post the bytes if this process signed them and never posted them; raise `Unavailable`.

        Doing it again is harmless because nothing is done.
        """
        memory = self._memory(transaction)
        sent = requests.unpack(transaction.raw)
        if not memory.mine or self._client.guess_ms() > sent.until_ms:
            return
        memory.mine = False  # before anything can go wrong, and for good
        memory.posting = True
        memory.due_s = self._clock.monotonic() + _FIRST_S
        try:
            said = await self._client.send(ORDER, sent.form.decode("ascii"))
        except Unavailable as problem:
            # Where there was no connection, and where the budget forbade it, nothing was sent.
            memory.mine = problem.code in {"exchange.busy", "exchange.unreachable"}
            raise
        finally:
            memory.posting = False
        self._take(memory, sent, said)

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each, in order.

        Raises `Unavailable` when the exchange answered none of the questions that were due: that
        says nothing about any fate.
        """
        memories = [self._memory(transaction) for transaction in transactions]
        now_s = self._clock.monotonic()
        due = [
            (transaction, memory)
            for transaction, memory in zip(transactions, memories, strict=True)
            if memory.settled is None and not memory.posting and memory.due_s <= now_s
        ][:_LOOKS_MAX]
        problems = [
            problem
            for problem in await asyncio.gather(*(self._find(*each) for each in due))
            if problem is not None
        ]
        if problems and len(problems) == len(due) and not any(m.settled for m in memories):
            raise Unavailable(problems[0].detail, code=problems[0].code)
        return [memory.settled or _UNSEEN for memory in memories]

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return what an order's trades moved.

        Raises `Unavailable` (`receipt.pending`, `exchange.*`), or `Corrupt` (`receipt.unreadable`,
        `receipt.absurd`).
        """
        return fills.receipt(trade, await self.fills(transaction))

    async def fills(self, transaction: Transaction) -> fills.Fills:
        """Return gross amounts and the fees paid by asset; raises as `receipt`."""
        sent = requests.unpack(transaction.raw)
        memory = self._memory(transaction)
        state = memory.state
        try:
            if state is None:
                state = await self._client.ask(FIND_ORDER, _named(sent), answer=OrderState)
                memory.state = state
            rows = await self._trades(state)
        except Refused as problem:
            raise Unavailable(problem.detail, code=problem.code) from None
        return fills.fills(state, rows)

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return what the account may trade with, by symbol, in base units; raise `Unavailable`.

        What open orders have locked is not in it.
        """
        held = {each.asset: each.free for each in (await self._account()).balances}
        try:
            return {asset.symbol: fills.raw(held.get(asset.symbol, "0"), asset) for asset in assets}
        except Corrupt as problem:
            raise unreadable(problem.detail) from None

    def wake(self, client_order_id: str) -> None:
        """Let the next look ask for an order that the exchange told of.

        It proves nothing but that the order is not missing.
        """
        if memory := self._by_id.get(client_order_id):
            memory.heard, memory.due_s, memory.asks = True, 0.0, 0

    def _take(self, memory: _Memory, sent: Sent, said: bytes | Failure) -> None:
        """Take in the answer to the one post."""
        if isinstance(said, Failure):
            memory.refused = said if said.executed is Executed.NO else None
            if memory.refused is not None and said.code == _REFUSED:
                self._client.hold_orders(said.detail)
            if said.number == BAD_TIME:
                self._client.forget_time()
            if said.executed is not Executed.EARLIER:
                raise Unavailable(said.detail, code=said.code)
        else:
            self._believe(memory, sent, decoded(said, ORDER.path, OrderState))

    def _believe(self, memory: _Memory, sent: Sent, state: OrderState) -> None:
        if (state.client_order_id, state.symbol) != (sent.client_order_id, sent.symbol):
            raise unreadable("the answer is about another order")
        told = fate.sighting(state)
        if told.fate is not Fate.UNSEEN:
            memory.settled, memory.state = told, state

    async def _tested(self, params: Mapping[str, str]) -> Account:
        """Return the account once the exchange found nothing wrong with an order."""
        asked = asyncio.gather(
            self._client.ask(TEST_ORDER, params, answer=dict),
            self._account(),
            return_exceptions=True,  # neither question is left under way
        )
        tested, account = await asked
        for said in (tested, account):
            if isinstance(said, BaseException):
                raise said
        assert isinstance(account, Account)
        return account

    async def _find(self, transaction: Transaction, memory: _Memory) -> DeskError | None:
        """Look for one order; return what kept that from being answered."""
        memory.due_s = self._clock.monotonic() + min(_FIRST_S * 2**memory.asks, _LONGEST_S)
        memory.asks = min(memory.asks + 1, 16)
        try:
            sent = requests.unpack(transaction.raw)
            server_ms = 0
            if self._client.guess_ms() > sent.until_ms:
                server_ms = await self._client.read_time()  # before looking, or it proves nothing
            said = await self._client.put(FIND_ORDER, _named(sent))
            if not isinstance(said, Failure):
                self._believe(memory, sent, decoded(said, FIND_ORDER.path, OrderState))
            elif said.number == ARCHIVED:
                memory.settled = fate.archived()
            elif said.number == NO_SUCH_ORDER:
                await self._missing(memory, sent, server_ms)
            else:
                return said.error()
        except (Unavailable, Refused) as problem:
            return problem
        return None

    async def _missing(self, memory: _Memory, sent: Sent, server_ms: int) -> None:
        """Settle an order that was not found at `server_ms`, if that proves anything."""
        refused, unposted = memory.refused, memory.mine or memory.refused is not None
        if not fate.may_be_dead(sent.until_ms, server_ms=server_ms, unposted=unposted):
            return
        memory.mine = False  # the exchange would not take it any more
        if (await self._account()).uid != sent.uid:
            raise Unavailable(
                "this order is of another account; only its key can tell what became of it",
                code="exchange.other_account",
            )
        if await self._is_listed(memory, sent) or memory.heard:
            return
        why = (refused.code, refused.detail) if refused is not None else ("", "")
        memory.settled = Sighting(Fate.DEAD, None, *why)

    async def _is_listed(self, memory: _Memory, sent: Sent) -> bool:
        """Return whether the lists of orders and trades may hold an order that was not found."""
        began_ms = sent.until_ms - sent.window_ms - _BEFORE_MS
        params = {
            "symbol": sent.symbol,
            "startTime": str(began_ms),
            "endTime": str(began_ms + 2 * _BEFORE_MS + sent.window_ms + fate.SETTLE_MS),
            "limit": str(_ORDERS_MAX),
        }
        trades = await self._client.ask(ALL_TRADES, params, answer=list[TradeRow])
        orders = await self._client.ask(ALL_ORDERS, params, answer=list[Recorded])
        if len(orders) >= _ORDERS_MAX:  # a full list may end before it
            return True
        if any(order.client_order_id == sent.client_order_id for order in orders):
            return True
        listed = {order.order_id for order in orders}
        return await self._is_among({trade.order_id for trade in trades} - listed, memory, sent)

    async def _is_among(self, order_ids: set[int], memory: _Memory, sent: Sent) -> bool:
        """Return whether an order may be among those that traded and are not listed.

        Such as placed earlier, by others with the same account: each is asked for once.
        """
        unknown = sorted(order_ids - memory.strangers)
        for order_id in unknown[:_LOOKS_MAX]:
            params = {"symbol": sent.symbol, "orderId": str(order_id)}
            state = await self._client.ask(FIND_ORDER, params, answer=OrderState)
            if state.client_order_id == sent.client_order_id:
                return True
            memory.strangers.add(order_id)
        return len(unknown) > _LOOKS_MAX  # the rest at the next look

    async def _trades(self, state: OrderState) -> list[TradeRow]:
        rows: list[TradeRow] = []
        params = {"symbol": state.symbol, "orderId": str(state.order_id)}
        for _ in range(_PAGES_MAX):
            page = await self._client.ask(
                TRADES, {**params, "limit": str(_TRADES_MAX)}, answer=list[TradeRow]
            )
            rows += page
            if len(page) < _TRADES_MAX:
                break
            params["fromId"] = str(page[-1].id + 1)
        return rows

    async def _account(self) -> Account:
        return await self._client.ask(ACCOUNT, {"omitZeroBalances": "true"}, answer=Account)

    def _memory(self, transaction: Transaction) -> _Memory:
        memory = self._known.get(transaction.raw)
        if memory is None:
            while len(self._known) >= _MEMORY_MAX:  # the oldest; if still open it is looked for
                del self._known[next(iter(self._known))]
                self._by_id.pop(next(iter(self._by_id)), None)
            memory = self._known[transaction.raw] = _Memory()
            self._by_id.pop(transaction.signature, None)
            self._by_id[transaction.signature] = memory
        return memory


def _named(sent: Sent) -> dict[str, str]:
    return {"symbol": sent.symbol, "origClientOrderId": sent.client_order_id}


def _check_funds(account: Account, order: Asked, trade: Trade) -> None:
    if not account.can_trade:
        raise Refused("this account may not trade on Binance", code="exchange.refused")
    buys = order.side == "BUY"
    asset = trade.quote.symbol if buys else trade.base.symbol
    free = next((each.free for each in account.balances if each.asset == asset), "0")
    needed = requests.needed(order)
    if Decimal(free) < needed:
        raise Refused(
            f"the account holds {free} {asset}; this order takes {needed:f}",
            code="funds.insufficient",
        )
