"""The kill sweep: a story is told again and again, and each time the process dies somewhere else.

`tell` plays one scenario with the cuts given: the first desk is cut at the first of them, the one
that takes over at the second, and so on; the last desk lives. Then the books are read: the
database, what was published, and the chain's own memory of who filled what. `violations` is what
the exactly-once promise forbids, and the list must be empty for every story.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final
from uuid import UUID

from quantdesk.core.errors import DeskError
from quantdesk.core.markets import Side
from quantdesk.engines.orders.model import MOVES, Attempt, Order, OrderEvent, OrderStatus
from quantdesk.store.pool import Pools
from quantdesk.testing.chain import Plan
from quantdesk.testing.killing import Cut, How, Killed
from quantdesk.testing.stage import Desk, Stage, Wish

S = OrderStatus
_LIFE_S: Final = 120.0
"""Virtual seconds in which a story must have ended."""
_AFTERMATH_S: Final = 5.0
"""Longer than any bytes stay valid: whatever could still fill has filled by then."""
_ASK_S: Final = 0.5
_LEASE_S: Final = 10.0

PlanTable = dict[int, Plan]


@dataclass(slots=True)
class Answer:
    """What a trader was told of one wish."""

    wish: Wish
    cancels_after_s: float | None = None
    order_id: UUID | None = None
    refused: str = ""
    cancelled: bool = False
    cancel_refused: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story: what traders ask for, what the chain does, and how it must end."""

    name: str
    wishes: Sequence[Wish] = (Wish(),)
    cancels_after_s: float | None = None
    plans: PlanTable = field(default_factory=dict)
    prices: Sequence[tuple[float, Decimal]] = ((0.0, Decimal(100)),)
    before: Callable[[Stage], None] = lambda _stage: None
    ends: frozenset[OrderStatus] = frozenset({S.CONFIRMED})
    orders_max: int | None = None


@dataclass(slots=True)
class Told:
    """How a story went.

    `effects` are those of its last desk until all was done, `struck` counts the cuts that came to
    pass, `recovery_s` is how long the slowest heir needed, in the story's seconds.
    """

    scenario: str
    cuts: Sequence[Cut]
    effects: list[str] = field(default_factory=list)
    struck: int = 0
    recovery_s: float = 0.0
    orders: int = 0
    violations: list[str] = field(default_factory=list)


async def tell(pools: Pools, scenario: Scenario, cuts: Sequence[Cut], *, day: int) -> Told:
    """Play a scenario once and read the books; `day` must be new for the database."""
    stage = _staged(pools, scenario, day)
    told = Told(scenario.name, cuts)
    answers = [Answer(wish, scenario.cancels_after_s) for wish in scenario.wishes]
    uncommitted = _watch_sends(stage)
    for number, cut in enumerate([*cuts, None]):
        desk = stage.desk(cut)
        began = stage.clock.monotonic()
        traders = [_trader(stage, desk, answer) for answer in answers]
        if not await _live(stage, desk, traders):
            told.violations.append(f"desk {number + 1} did not bring every order to its end")
        told.recovery_s = max(told.recovery_s, (stage.clock.monotonic() - began) * bool(number))
        told.struck += desk.life.struck
        if not await _is_cut(stage, desk, traders):
            break
    told.effects = list(stage.desks[-1].life.effects)
    told.violations += await _aftermath(stage)
    told.violations += uncommitted + await _audit(stage, scenario, answers)
    told.orders = len(answers)
    await stage.clear()
    return told


async def _is_cut(stage: Stage, desk: Desk, traders: Sequence[asyncio.Task[None]]) -> bool:
    """Return whether a desk is gone, its leases run out and another one due."""
    if desk.life.dead:
        for trader in traders:
            trader.cancel()  # the connection broke
        await asyncio.wait(traders)
        await stage.bury(desk)
    elif desk.life.frozen:
        desk.life.lose_transactions()
        await stage.expire(desk)
    return desk.life.dead or desk.life.frozen


async def _aftermath(stage: Stage) -> list[str]:
    """Thaw whoever is frozen and wait until nothing can happen any more."""
    for desk in stage.desks:
        desk.life.thaw()
    await stage.run_for(_AFTERMATH_S)
    ended = await stage.run_until(stage.all_ended, within_s=_LIFE_S)
    await stage.run_for(_AFTERMATH_S)
    return [] if ended else ["an order that came late did not end"]


def _staged(pools: Pools, scenario: Scenario, day: int) -> Stage:
    stage = Stage(pools, day=day)
    stage.venues[0].prices["SOL-USDC"] = list(scenario.prices)
    stage.chain.plan_of = lambda _order, attempt: scenario.plans.get(attempt, Plan())
    scenario.before(stage)
    return stage


def _watch_sends(stage: Stage) -> list[str]:
    """Return a list that fills with every send of bytes that were not committed before."""
    uncommitted: list[str] = []

    async def before_send(memo: str, signature: str) -> None:
        order_id = UUID(memo.split(":")[1])
        stored = (await stage.attempts([order_id])).get(order_id, [])
        if signature not in {attempt.signature for attempt in stored}:
            uncommitted.append(f"{memo}: sent before it was committed")

    stage.chain.before_send = before_send
    return uncommitted


async def _live(stage: Stage, desk: Desk, traders: Sequence[asyncio.Task[None]]) -> bool:
    """Let a desk work until all is done or it is cut; return False when time ran out."""
    lease_until = stage.clock.monotonic() + _LEASE_S

    async def over() -> bool:
        nonlocal lease_until
        if desk.life.dead or desk.life.frozen:
            return True
        if stage.clock.monotonic() >= lease_until:
            # Leases run on the database's clock: on this stage, they run out by hand.
            lease_until += _LEASE_S
            await stage.expire(desk)
        return all(trader.done() for trader in traders) and await stage.all_ended()

    return await stage.run_until(over, within_s=_LIFE_S)


def _trader(stage: Stage, desk: Desk, answer: Answer) -> asyncio.Task[None]:
    """Start a trader who asks until answered; without a key nobody may ask twice."""
    return asyncio.get_running_loop().create_task(_trade(stage, desk, answer))


async def _trade(stage: Stage, desk: Desk, answer: Answer) -> None:
    try:
        await _ask(stage, desk, answer)
        if answer.order_id and answer.cancels_after_s is not None:
            await stage.clock.sleep(answer.cancels_after_s)
            await _cancel(stage, desk, answer)
    except Killed:
        return  # the connection broke; what happens to the process is told elsewhere


async def _ask(stage: Stage, desk: Desk, answer: Answer) -> None:
    assert desk.starting is not None
    await _started(stage, desk)
    while answer.order_id is None and not answer.refused:
        if answer.busy and answer.wish.key is None:
            return
        answer.busy = True
        try:
            placed = await stage.place(desk, answer.wish)
            answer.order_id = placed.order.id
        except DeskError as problem:
            if desk.life.dead:
                return  # no word of a dead process reaches anybody
            if not problem.retryable:
                answer.refused = problem.code
            await stage.clock.sleep(_ASK_S)


async def _cancel(stage: Stage, desk: Desk, answer: Answer) -> None:
    assert answer.order_id is not None
    while not answer.cancelled and not answer.cancel_refused:
        try:
            await desk.orders.cancel(stage.account_id, answer.order_id)
            answer.cancelled = True
        except DeskError as problem:
            if desk.life.dead:
                return
            if not problem.retryable:
                answer.cancel_refused = problem.code
            await stage.clock.sleep(_ASK_S)


async def _started(stage: Stage, desk: Desk) -> None:
    """Start the engine as a process supervisor does: again, when the database was away."""
    while True:
        assert desk.starting is not None
        try:
            await asyncio.shield(desk.starting)
        except DeskError:
            await stage.clock.sleep(_ASK_S)
            if desk.starting.done():
                desk.starting = asyncio.get_running_loop().create_task(desk.orders.start())
        else:
            return


async def _audit(stage: Stage, scenario: Scenario, answers: Sequence[Answer]) -> list[str]:
    orders = await stage.stored()
    ids = [order.id for order in orders]
    events, attempts = await stage.events(ids), await stage.attempts(ids)
    found = list(stage.chain.faults)
    for order in orders:
        found += _order_faults(stage, order, events[order.id], attempts.get(order.id, []))
        if order.status not in scenario.ends:
            found.append(f"{order.id} ended {order.status}: {order.error}")
    found += _answer_faults(answers, {order.id: order for order in orders})
    if scenario.orders_max is not None and len(orders) > scenario.orders_max:
        found.append(f"{len(orders)} orders stand for {scenario.orders_max}")
    return found + _wallet_faults(stage, orders) + _publishing_faults(stage, events)


def _order_faults(
    stage: Stage, order: Order, events: list[OrderEvent], attempts: list[Attempt]
) -> list[str]:
    """Return what is wrong with one order; see the invariants in `docs/numbers.md`."""
    fills = stage.chain.fills.get(str(order.id), [])
    versions = [event.version for event in events]
    path = [event.status for event in events]
    rules = {
        "it is open": order.is_open,
        f"{len(fills)} fills": len(fills) > 1,
        "confirmed without its fill": order.status is S.CONFIRMED and fills != [order.tx_hash],
        "not confirmed, yet filled": order.status is not S.CONFIRMED and bool(fills),
        f"versions {versions}": versions != list(range(1, order.version + 1)),
        f"path {path}": _illegal(path),
        "its last event is another": path[-1:] != [order.status],
        "sent but not stored": not set(stage.chain.signatures(order.id))
        <= {attempt.signature for attempt in attempts},
        "signed again before the proof": any(
            attempt.outcome not in {"DEAD", "REVERTED"} for attempt in attempts[:-1]
        ),
    }
    return [f"{order.id}: {fault}" for fault, is_so in rules.items() if is_so]


def _illegal(path: Sequence[OrderStatus]) -> bool:
    # Moves committed in one step are all told, so that every pair must be a move of the table.
    return any(after not in MOVES[before] for before, after in pairwise(path))


def _answer_faults(answers: Sequence[Answer], orders: dict[UUID, Order]) -> list[str]:
    found = []
    for answer in answers:
        if answer.order_id and answer.order_id not in orders:
            found.append(f"{answer.order_id} was accepted and is lost")
        elif answer.cancelled and orders[_id(answer)].status is not S.CANCELLED:
            found.append(f"{answer.order_id} was cancelled and is {orders[_id(answer)].status}")
        elif answer.wish.key and not answer.order_id:
            found.append(f"a trader with a key got no order: {answer.refused or 'no answer'}")
    return found


def _id(answer: Answer) -> UUID:
    assert answer.order_id is not None
    return answer.order_id


def _wallet_faults(stage: Stage, orders: Sequence[Order]) -> list[str]:
    """Compare what the wallet gained or gave with what the orders say was filled."""
    fresh = stage.new_chain().held
    base = quote = 0
    for order in orders:
        if order.filled:
            sign = 1 if order.side is Side.BUY else -1
            base += sign * order.filled.base_raw
            quote -= sign * order.filled.quote_raw
    fees = stage.chain.fees_lamports
    moved = (
        stage.chain.held["SOL"] - fresh["SOL"] + fees,
        stage.chain.held["USDC"] - fresh["USDC"],
    )
    return [] if moved == (base, quote) else [f"the wallet moved {moved}, orders {(base, quote)}"]


def _publishing_faults(stage: Stage, events: dict[UUID, list[OrderEvent]]) -> list[str]:
    """Compare what was published with what is stored; a desk that never died told every end."""
    true = {(event.order_id, event.version): event for told in events.values() for event in told}
    found = []
    for desk in stage.desks:
        for event in desk.told:
            stored = true.get((event.order_id, event.version))
            if stored is None or stored.status is not event.status:
                found.append(f"{event.order_id}: version {event.version} was told and is not so")
    last = stage.desks[-1]
    if len(last.orders.usage):
        found.append(f"the desk still counts {len(last.orders.usage)} orders as open")
    if stage.is_first(last):
        ends = {(order_id, len(told)) for order_id, told in events.items()}
        untold = ends - {(event.order_id, event.version) for event in last.told}
        found += [f"{order_id}: its end was never told" for order_id, _ in untold]
    return found


def cuts_of(told: Told, *, hows: Sequence[How] = tuple(How)) -> list[Cut]:
    """Return every cut of an uncut story's first desk, in order."""
    return [
        Cut(number, after, how)
        for number in range(1, len(told.effects) + 1)
        for after in (False, True)
        for how in hows
        if how is not How.LOSE or told.effects[number - 1].startswith(("db:", "chain:"))
    ]
