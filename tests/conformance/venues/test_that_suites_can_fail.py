"""Promise: each shipped check finds the fault it is there for, and each story a double fill."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.conformance.venues import grounds, worlds
from tests.unit.chains.binance.world import FIND

from quantdesk.chains.binance import Binance, fate
from quantdesk.chains.port import (
    AccountMeta,
    AccountState,
    Chain,
    Fate,
    Instruction,
    Receipt,
    Sighting,
    Trade,
    Transaction,
)
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.testing import executor_suite, venue_suite
from quantdesk.testing.binance import Bad
from quantdesk.testing.venue_suite import Check, Ground
from quantdesk.venues.port import Fill, Piece, Pool, Venue

Change = Callable[[Pool], Any]


class Spoiled:
    """A pool with one answer changed."""

    def __init__(self, pool: Pool, **answers: Any) -> None:  # noqa: ANN401 - whatever it has
        self._pool = pool
        self._answers = answers

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other has
        return self._answers.get(name) or getattr(self._pool, name)


class Stall:
    """A venue whose pools are spoiled."""

    def __init__(self, venue: Venue, change: Change) -> None:
        self._venue = venue
        self._change = change

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other has
        return getattr(self._venue, name)

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the pools, changed."""
        return [self._change(pool) for pool in self._venue.pools(mints, now_ms=now_ms)]


def _ground(change: Change, made: Callable[[], Ground] = grounds.binance) -> Ground:
    ground = made()
    return replace(ground, make=lambda: Stall(ground.make(), change))


def _fills(pool: Pool, name: str, **changes: Callable[[Fill], int]) -> Pool:
    quote = getattr(pool, name)

    def changed(paid: str, amount: int) -> Fill:
        fill: Fill = quote(paid, amount)
        said: dict[str, Any] = {key: change(fill) for key, change in changes.items()}
        return fill._replace(**said)

    return Spoiled(pool, **{name: changed})


def _about(pool: Pool, **changes: object) -> Pool:
    return Spoiled(pool, about=msgspec.structs.replace(pool.about, **changes))


def _moody() -> Change:
    asked = iter(range(10**9))
    return lambda pool: _fills(pool, "exact_in", received=lambda fill: fill.received + next(asked))


def _curve(change: Callable[[Sequence[Piece]], Sequence[Piece]]) -> Change:
    return lambda pool: Spoiled(pool, curve=lambda paid: change(pool.curve(paid)))


def _refusing(code: str) -> Change:
    def refuse(_paid: str, _amount: int) -> Fill:
        raise Refused("no", code=code)

    return lambda pool: Spoiled(pool, exact_out=refuse)


def _signs(pool: Pool) -> Pool:
    foreign = AccountMeta("9" * 43, is_signer=True, is_writable=False)
    return Spoiled(pool, instruction=lambda swap: Instruction("p", (foreign,), b"%d" % swap.amount))


def _lucky(pool: Pool) -> Pool:
    return _fills(pool, "exact_in", received=lambda fill: fill.received * 11 // 10)


FAULTS: tuple[tuple[Check, Change], ...] = (
    (venue_suite.says_what_it_is, lambda pool: _about(pool, spot=Decimal(0))),
    (venue_suite.says_what_it_is, lambda pool: _about(pool, venue="other")),
    (venue_suite.says_what_it_is, lambda pool: _about(pool, seen_ms=1 << 60)),
    (venue_suite.is_pure_and_stable, _moody()),
    (
        venue_suite.trades_exactly_what_is_paid,
        lambda pool: _fills(pool, "exact_in", paid=lambda fill: fill.paid - 1),
    ),
    (
        venue_suite.trades_exactly_what_is_paid,
        lambda pool: _fills(pool, "exact_in", received=lambda fill: fill.received**2),
    ),
    (
        venue_suite.trades_exactly_what_is_received,
        lambda pool: _fills(pool, "exact_out", received=lambda fill: fill.received + 1),
    ),
    (
        venue_suite.trades_exactly_what_is_received,
        lambda pool: _fills(pool, "exact_out", paid=lambda fill: 10**20 // fill.paid),
    ),
    (
        venue_suite.quotes_both_ways_alike,
        lambda pool: _fills(pool, "exact_out", paid=lambda fill: fill.paid * 101 // 100),
    ),
    (
        venue_suite.quotes_both_ways_alike,
        lambda pool: _fills(pool, "exact_out", paid=lambda fill: fill.paid * 99 // 100),
    ),
    (venue_suite.gives_no_free_lunch, _lucky),
    (venue_suite.draws_a_concave_curve, _curve(lambda curve: curve[::-1])),
    (venue_suite.draws_a_concave_curve, _curve(lambda curve: [*curve, curve[-1]._replace(most=0)])),
    (venue_suite.draws_what_it_quotes, _curve(lambda curve: curve[:1])),
    (venue_suite.draws_what_it_quotes, _lucky),
    (venue_suite.refuses_by_name, _refusing("desk.refused")),
    (venue_suite.names_its_instruction, _signs),
    (
        venue_suite.names_its_instruction,
        lambda pool: Spoiled(pool, instruction=lambda swap: Instruction("p", (), b"same")),
    ),
)


@pytest.mark.parametrize(("check", "change"), FAULTS)
def test_that_a_planted_fault_is_found(check: Check, change: Change) -> None:
    with pytest.raises(AssertionError):
        check(_ground(change))


class Careless(Stall):
    """A venue that takes any state for the newest, and after a spoiled one is lost for good."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue, lambda pool: pool)
        self._lost = False
        self._slot = 1 << 40

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in anything."""
        self._slot += 1
        newer = msgspec.structs.replace(state, slot=self._slot)
        try:
            self._venue.update(newer, seen_ms=seen_ms)
        except Corrupt:
            self._lost = True
            raise

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return what there was before anything was lost."""
        if self._lost:
            raise Unavailable("lost", code="pool.gone")
        return self._venue.pools(mints, now_ms=now_ms)


class Willing(Stall):
    """A venue that has a pool for everybody."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue, lambda pool: pool)

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the pool of a pair whatever is asked."""
        return grounds.binance().pools()


@pytest.mark.parametrize(
    ("check", "stall"),
    [
        (venue_suite.answers_for_pairs_it_does_not_trade, Willing),
        (venue_suite.trades_nothing_it_has_not_read, Willing),
        (venue_suite.ignores_what_is_not_its_own, Careless),
        (venue_suite.leaves_the_market_when_a_state_is_spoiled, Careless),
    ],
)
def test_that_a_venue_that_does_not_listen_is_found(
    check: Check, stall: Callable[[Venue], Venue]
) -> None:
    ground = grounds.binance()
    with pytest.raises((AssertionError, DeskError)):
        check(replace(ground, make=lambda: stall(ground.make())))


class Eager(Binance):
    """A chain as most would write it: what is not known to have arrived is posted again."""

    async def send(self, transaction: Transaction) -> None:
        """Post whenever asked."""
        self._memory(transaction).mine = True
        await super().send(transaction)


class EagerWorld(worlds.BinanceWorld):
    """An exchange whose desks post again."""

    async def desk(self) -> Chain:
        """Start an eager process."""
        made = await super().desk()
        assert isinstance(made, Binance)
        return Eager(client=made._client, clock=self.clock)


async def _fails(story: executor_suite.Story, change: Callable[[Any], Any]) -> None:
    async with worlds.binance() as world:
        with pytest.raises(AssertionError):
            await story(change(world))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "story",
    [
        executor_suite.sent_again_it_fills_once,
        executor_suite.killed_with_the_answer_lost_it_is_taken_over,
        executor_suite.with_the_answer_lost_it_fills_once,
        executor_suite.two_desks_at_once_fill_once,
        executor_suite.killed_after_it_was_sent_it_is_taken_over,
        executor_suite.killed_at_every_look_it_fills_once,
    ],
    ids=lambda story: story.__name__,
)
async def test_that_a_chain_that_posts_again_is_found(story: executor_suite.Story) -> None:
    await _fails(story, lambda w: EagerWorld(w.clock, w.server, w.stack))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "story",
    [
        executor_suite.killed_with_the_answer_lost_it_is_taken_over,
        executor_suite.with_the_answer_lost_it_fills_once,
    ],
    ids=lambda story: story.__name__,
)
async def test_that_a_chain_that_believes_absence_at_once_is_found(
    story: executor_suite.Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fate, "may_be_dead", lambda *_, **__: True)

    def forgetful(world: worlds.BinanceWorld) -> worlds.BinanceWorld:
        world.server.exchange.told_after_ms = 20_000
        world.server.bad(
            FIND, Bad(status=400, body={"code": -2013, "msg": "Order does not exist."})
        )
        return world

    await _fails(story, forgetful)


@pytest.mark.anyio
async def test_that_a_chain_that_calls_dead_what_may_still_be_taken_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fate, "may_be_dead", lambda *_, **__: True)

    await _fails(
        executor_suite.cancelled_before_it_was_sent_it_never_fills,
        lambda w: EagerWorld(w.clock, w.server, w.stack),
    )


class Hasty(Binance):
    """A chain that takes silence for the end, as most would on the third try."""

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Call dead what nobody answers for."""
        try:
            return await super().look(transactions)
        except Unavailable:
            return [Sighting(Fate.DEAD) for _ in transactions]


@pytest.mark.anyio
async def test_that_a_chain_that_takes_silence_for_an_answer_is_found() -> None:
    class HastyWorld(worlds.BinanceWorld):
        async def desk(self) -> Chain:
            made = await super().desk()
            assert isinstance(made, Binance)
            return Hasty(client=made._client, clock=self.clock)

    await _fails(
        executor_suite.while_nobody_answers_nothing_is_concluded,
        lambda w: HastyWorld(w.clock, w.server, w.stack),
    )


class Dear(Binance):
    """A chain whose receipts add to what was paid, each time more."""

    def __init__(self, more_raw: list[int], **made: Any) -> None:  # noqa: ANN401 - a chain's
        super().__init__(**made)
        self._more_raw = more_raw

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return more than was paid."""
        told = await super().receipt(trade, transaction)
        more_raw = self._more_raw.pop()
        return msgspec.structs.replace(told, quote_raw=told.quote_raw + more_raw)


@pytest.mark.anyio
@pytest.mark.parametrize("more_raw", [[0, 1], [10**9, 10**9]], ids=["unlike", "past the bound"])
async def test_that_a_receipt_nobody_can_rely_on_is_found(more_raw: list[int]) -> None:
    class DearWorld(worlds.BinanceWorld):
        async def desk(self) -> Chain:
            made = await super().desk()
            assert isinstance(made, Binance)
            return Dear(more_raw, client=made._client, clock=self.clock)

    await _fails(
        executor_suite.every_desk_tells_what_moved,
        lambda w: DearWorld(w.clock, w.server, w.stack),
    )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
