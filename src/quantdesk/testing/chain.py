"""A chain that does what a test tells it to: fills move balances, and everything can go wrong.

It stands where `chains.solana` stands. Blocks follow the clock, a signature executes at most once,
bytes die when their last valid height has passed, and what executed may be rolled back before it
settles. `Plan` says what becomes of a transaction, `fail` and `down` what becomes of questions.
It also keeps the books that a desk must never spoil: `fills` and `faults`.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar
from uuid import UUID

import msgspec

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
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS

PROGRAM: Final = "scripted"
FEE_LAMPORTS: Final = 5_000
BLOCK_S: Final = 0.4
_DEAD_MARGIN: Final = 2  # blocks past the last valid one before the chain swears to it

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of one transaction; the default executes and stays.

    `lands_after_s` counts from its `sends`-th send, None never lands. `reverts` is the code it
    fails with. `worse_bps` is how much worse than quoted it fills. `undone_after_s` rolls it back
    that long after it executed, and `again_after_s` later it executes once more; None waits for
    another send.
    """

    lands_after_s: float | None = 0.4
    sends: int = 1
    reverts: str = ""
    worse_bps: int = 0
    undone_after_s: float | None = None
    again_after_s: float | None = None


PlanOf = Callable[[UUID, int], Plan]
"""Given an order and the number of its attempt, returns the fate of what is signed for it."""


class Fill(msgspec.Struct, frozen=True):
    """What an instruction of `testing.venue` asks for, in base units."""

    base_raw: int
    quote_raw: int


class _Signed(msgspec.Struct, frozen=True):
    nonce: int
    memo: str
    buys: bool
    base: str
    quote: str
    base_raw: int
    quote_raw: int
    limit_raw: int


@dataclass(slots=True)
class _Known:
    """What the chain knows of sent bytes."""

    signed: _Signed
    last_valid_height: int
    plan: Plan
    sends: int = 0
    pending: bool = False
    executed_s: float | None = None
    reverted: str = ""
    moved_raw: int = 0
    undone: bool = False


@dataclass(slots=True)
class _Failing:
    times: int
    after: bool
    problem: DeskError


class ScriptedChain:
    """A deterministic chain of one wallet, which starts with `balances` (base units by symbol)."""

    def __init__(
        self,
        *,
        clock: Clock,
        balances: Mapping[str, int],
        plan_of: PlanOf = lambda _order, _attempt: Plan(),
        valid_blocks: int = 150,
        poll_s: float = 0.4,
    ) -> None:
        self.held = Counter(balances)
        self.plan_of = plan_of
        self.fills: defaultdict[str, list[str]] = defaultdict(list)
        """Signatures that filled and stay, by order id."""
        self.faults: list[str] = []
        """What a correct desk never makes happen: fills beside fills, live bytes beside live."""
        self.fees_lamports = 0
        """Network fees taken so far."""
        self.calls: Counter[str] = Counter()
        self.sent: list[str] = []
        """Every signature handed over, in order, each time it was."""
        self.before_send: Callable[[str, str], Awaitable[None]] | None = None
        """Awaited with memo and signature whenever bytes come in, before anything is done."""
        self.logs: tuple[str, ...] = ()
        self.seen_slot: int | None = None
        """The newest slot the node has seen: what was quoted of later ones it cannot try."""
        self._clock = clock
        self._poll_s = poll_s
        self._valid_blocks = valid_blocks
        self._nonce = 0
        self._known: dict[str, _Known] = {}
        self._sent_for: defaultdict[str, list[str]] = defaultdict(list)
        self._due: list[tuple[float, int, str]] = []
        self._tickets = 0
        self._failing: defaultdict[str, list[_Failing]] = defaultdict(list)
        self._down: dict[str, bool] = {}

    def fail(
        self, call: str, *, times: int = 1, after: bool = False, problem: DeskError | None = None
    ) -> None:
        """Let the next `times` calls of a method raise, `after` they took effect or before."""
        problem = problem or Unavailable("the node does not answer", code="rpc.unavailable")
        self._failing[call].append(_Failing(times, after, problem))

    def down(self, *calls: str, after: bool = False) -> None:
        """Let these methods fail until `up`, `after` they took effect or before."""
        self._down.update(dict.fromkeys(calls, after))

    def up(self) -> None:
        """Answer every method again."""
        self._down.clear()

    @property
    def height(self) -> int:
        """Return the height of the latest block."""
        return int(self._clock.monotonic() / BLOCK_S)

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks at transactions in flight."""
        return self._poll_s

    async def prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        """Simulate and sign; every call signs other bytes, as a fresh blockhash does."""
        return await self._answer("prepare", lambda: self._prepare(trade, instructions))

    async def send(self, transaction: Transaction) -> None:
        """Take bytes in; those that wait or executed already are not taken twice."""
        if self.before_send:
            signed = _SIGNED.decode(transaction.raw)
            await self.before_send(signed.memo, transaction.signature)
        await self._answer("send", lambda: self._send(transaction))

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each, in order."""
        return await self._answer("look", lambda: [self._sighting(t) for t in transactions])

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return what moved; raise `Unavailable` (`receipt.pending`) before it executed."""
        return await self._answer("receipt", lambda: self._receipt(trade, transaction))

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return what the wallet holds."""
        return await self._answer(
            "balances", lambda: {a.symbol: self.held[a.symbol] for a in assets}
        )

    def catch_up(self) -> None:
        """Let everything happen that is due by now; every question does so first."""
        now = self._clock.monotonic()
        while self._due and self._due[0][0] <= now:
            at_s, _, signature = heapq.heappop(self._due)
            known = self._known[signature]
            if known.executed_s is None:
                self._execute(signature, known, at_s)
            else:
                self._undo(signature, known, at_s)

    def signatures(self, order_id: UUID) -> list[str]:
        """Return the different signatures handed over for an order, first to last."""
        return list(self._sent_for[str(order_id)])

    async def _answer(self, call: str, effect: Callable[[], T]) -> T:
        self.calls[call] += 1
        await self._clock.sleep(0)
        self.catch_up()
        failing = self._next_failing(call)
        if failing and not failing.after:
            raise failing.problem
        result = effect()
        if failing:
            raise failing.problem
        return result

    def _next_failing(self, call: str) -> _Failing | None:
        queue = self._failing[call]
        while queue and not queue[0].times:
            queue.pop(0)
        if queue:
            queue[0].times -= 1
            return queue[0]
        if call in self._down:
            silent = Unavailable("the node does not answer", code="rpc.unavailable")
            return _Failing(1, self._down[call], silent)
        return None

    def _prepare(self, trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        if len(instructions) != 1 or instructions[0].program != PROGRAM:
            raise Refused("this program is not deployed here", code="simulation.failed")
        if self.seen_slot is not None and trade.quoted_slot > self.seen_slot:
            raise Unavailable(f"the node is at slot {self.seen_slot}", code="rpc.behind")
        fill = msgspec.json.decode(instructions[0].data, type=Fill)
        if fill.base_raw != trade.base_raw:
            raise Refused("this is no fill of the trade's size", code="simulation.failed")
        self._nonce += 1
        buys = trade.side is Side.BUY
        signed = _Signed(
            self._nonce, trade.memo, buys, trade.base.symbol, trade.quote.symbol, trade.base_raw,
            fill.quote_raw, trade.quote_limit_raw,
        )  # fmt: skip
        code = self._obstacle(signed, fill.quote_raw)
        if code:
            kind = Refused if code == "funds.insufficient" else Unavailable
            raise kind(f"simulated: {code}", code=code)
        raw = msgspec.json.encode(signed)
        return Transaction(
            raw=raw,
            signature=sha256(raw).hexdigest(),
            last_valid_height=self.height + self._valid_blocks,
            simulation=Simulation(self.height, 1_000, self.logs),
        )

    def _send(self, transaction: Transaction) -> None:
        signature = transaction.signature
        known = self._known.get(signature) or self._first_seen(transaction)
        known.sends += 1
        self.sent.append(signature)
        lands_after_s = known.plan.lands_after_s
        late = self.height > known.last_valid_height
        if known.pending or known.executed_s is not None or late or lands_after_s is None:
            return
        if known.sends >= known.plan.sends:
            known.pending = True
            self._plan(self._clock.monotonic() + lands_after_s, signature)

    def _first_seen(self, transaction: Transaction) -> _Known:
        signed = _SIGNED.decode(transaction.raw)
        order_id, attempt = _parsed(signed.memo)
        for earlier in self._sent_for[order_id]:
            if self._may_fill(self._known[earlier]):
                self.faults.append(f"{signed.memo}: sent while {earlier[:8]} may still fill")
        self._sent_for[order_id].append(transaction.signature)
        known = _Known(signed, transaction.last_valid_height, self.plan_of(UUID(order_id), attempt))
        self._known[transaction.signature] = known
        return known

    def _may_fill(self, known: _Known) -> bool:
        if known.executed_s is not None:
            return not known.reverted or self._will_be_undone(known)
        return self.height <= known.last_valid_height

    def _plan(self, at_s: float, signature: str) -> None:
        self._tickets += 1
        heapq.heappush(self._due, (at_s, self._tickets, signature))

    def _execute(self, signature: str, known: _Known, at_s: float) -> None:
        known.pending = False
        if int(at_s / BLOCK_S) > known.last_valid_height:
            return
        known.executed_s = at_s
        signed, plan = known.signed, known.plan
        worse = plan.worse_bps if signed.buys else -plan.worse_bps
        quote_raw = signed.quote_raw * (BPS + worse) // BPS
        known.reverted = plan.reverts or self._obstacle(signed, quote_raw)
        self._take_fee(FEE_LAMPORTS)
        if not known.reverted:
            known.moved_raw = quote_raw
            self._fill(signature, known, sign=1)
        if plan.undone_after_s is not None and not known.undone:
            self._plan(at_s + plan.undone_after_s, signature)

    def _take_fee(self, lamports: int) -> None:
        self.held["SOL"] -= lamports
        self.fees_lamports += lamports

    def _undo(self, signature: str, known: _Known, at_s: float) -> None:
        self._take_fee(-FEE_LAMPORTS)
        if not known.reverted:
            self._fill(signature, known, sign=-1)
        known.executed_s, known.reverted, known.undone = None, "", True
        if known.plan.again_after_s is not None:
            known.pending = True
            self._plan(at_s + known.plan.again_after_s, signature)

    def _fill(self, signature: str, known: _Known, *, sign: int) -> None:
        signed = known.signed
        order_id, _ = _parsed(signed.memo)
        if sign > 0:
            if self.fills[order_id]:
                self.faults.append(f"{signed.memo}: filled beside {self.fills[order_id]}")
            self.fills[order_id].append(signature)
        else:
            self.fills[order_id].remove(signature)
        base = sign if signed.buys else -sign
        self.held[signed.base] += base * signed.base_raw
        self.held[signed.quote] -= base * known.moved_raw

    def _obstacle(self, signed: _Signed, quote_raw: int) -> str:
        if quote_raw > signed.limit_raw if signed.buys else quote_raw < signed.limit_raw:
            return "slippage.exceeded"
        symbol, raw = (signed.quote, quote_raw) if signed.buys else (signed.base, signed.base_raw)
        return "" if self.held[symbol] >= raw else "funds.insufficient"

    def _will_be_undone(self, known: _Known) -> bool:
        return known.plan.undone_after_s is not None and not known.undone

    def _sighting(self, transaction: Transaction) -> Sighting:
        known = self._known.get(transaction.signature)
        if known and known.executed_s is not None:
            slot = int(known.executed_s / BLOCK_S)
            if self._will_be_undone(known):
                return Sighting(Fate.UNSEEN, slot)
            if known.reverted:
                return Sighting(Fate.REVERTED, slot, known.reverted, f"failed: {known.reverted}")
            return Sighting(Fate.LANDED, slot)
        if self.height > transaction.last_valid_height + _DEAD_MARGIN:
            return Sighting(Fate.DEAD)
        return Sighting(Fate.UNSEEN)

    def _receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        known = self._known.get(transaction.signature)
        if known is None or known.executed_s is None or known.reverted:
            raise Unavailable("the node does not have it yet", code="receipt.pending")
        slot, at_ms = int(known.executed_s / BLOCK_S), int(known.executed_s * 1000)
        return Receipt(slot, trade.base_raw, known.moved_raw, FEE_LAMPORTS, at_ms)


def _parsed(memo: str) -> tuple[str, int]:
    _, order_id, attempt = memo.split(":")
    return order_id, int(attempt)


_SIGNED: Final = msgspec.json.Decoder(_Signed)
