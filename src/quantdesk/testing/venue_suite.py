"""What every venue must keep, for anyone to run against theirs: one check a promise.

    @pytest.mark.parametrize("check", venue_suite.CHECKS, ids=lambda check: check.__name__)
    def test_my_venue(check: venue_suite.Check) -> None:
        check(my_ground())

A `Ground` says how to make the venue and which sizes make sense on it. A check makes venues of its
own, so that none disturbs another, and fails with an `AssertionError` that says what was broken.
What orders must keep is in `testing.executor_suite`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import msgspec

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.curves import given
from quantdesk.venues.port import Fill, Piece, Pool, Swap, Venue

QUOTING: Final = frozenset(
    {"liquidity.insufficient", "amount.too_small", "amount.precision", "pool.unsupported"}
)
"""The codes with which a pool may refuse a size."""
_SIZES: Final = (1, 2, 999, 1 << 63, (1 << 64) - 1)  # amounts are what a u64 can hold
_OWNER: Final = "7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs"
_FROM: Final = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
_INTO: Final = "So11111111111111111111111111111111111111112"
_NOBODY: Final = "9" * 43


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A venue to try, and what is known of it beforehand.

    `make` returns a venue that has read nothing; `states` are what it then has to be given, at one
    slot. `sizes` are amounts worth trading of either of the two `mints`, rising, in base units.
    `grain` is by how much an amount may be off because sizes are whole lots; `curve_bps` how far
    the curve may be from exact quotes. `refusals` are codes of its own for sizes it does not take.
    """

    make: Callable[[], Venue]
    mints: tuple[str, str]
    now_ms: int
    sizes: Mapping[str, Sequence[int]]
    states: Sequence[AccountState] = ()
    grain: Mapping[str, int] = field(default_factory=dict)
    curve_bps: float = 0.1
    refusals: frozenset[str] = frozenset()

    def venue(self) -> Venue:
        """Return a venue that has read everything."""
        venue = self.make()
        feed(venue, self.states)
        return venue

    def pools(self) -> list[Pool]:
        """Return the pools of the pair."""
        pools = self.venue().pools(frozenset(self.mints), now_ms=self.now_ms)
        assert pools, "a venue without pools raises why"
        return pools

    def directions(self) -> Iterator[tuple[Pool, str, str]]:
        """Yield each pool with what is paid and what is received, both ways."""
        first, second = self.mints
        for pool in self.pools():
            yield pool, first, second
            yield pool, second, first

    def off(self, mint: str) -> int:
        """Return by how many base units an amount may be off."""
        return self.grain.get(mint, 1)


Check = Callable[[Ground], None]


def feed(venue: Venue, states: Sequence[AccountState]) -> None:
    """Give a venue what it asks for, as long as it asks for more."""
    by_address = {state.address: state for state in states}
    asked: set[str] = set()
    while wanted := [address for address in venue.accounts() if address not in asked]:
        for address in wanted:
            asked.add(address)
            state = by_address.get(address)
            if state is None:
                slot = max((each.slot for each in states), default=0)
                state = AccountState(address, b"", "", slot)
            with suppress(Corrupt):  # some accounts need not be there
                venue.update(state, seen_ms=state.slot)


def says_what_it_is(ground: Ground) -> None:
    """Name venue, pool, pair, price and the state they are of."""
    venue = ground.venue()
    for pool in ground.pools():
        about = pool.about
        assert about.venue == venue.name, "the pool's venue is the venue's name"
        assert set(about.mints) == set(ground.mints), "the pool trades the pair"
        assert about.address, "a pool has an address"
        assert about.kind, "a pool has a kind"
        assert about.spot > 0, "a price is positive"
        assert about.compute_units >= 0
        assert about.seen_ms <= ground.now_ms, "nothing is seen before its time"


def is_pure_and_stable(ground: Ground) -> None:
    """Answer the same however often asked, and whatever else the venue hears afterwards."""
    venue = ground.venue()
    pools = venue.pools(frozenset(ground.mints), now_ms=ground.now_ms)
    before = [_everything(ground, pool) for pool in pools]
    assert [_everything(ground, pool) for pool in pools] == before, "asked twice, said twice"
    again = venue.pools(frozenset(ground.mints), now_ms=ground.now_ms)
    assert [_everything(ground, pool) for pool in again] == before, "nothing changed meanwhile"
    for state in ground.states:
        newer = msgspec.structs.replace(state, data=b"", slot=state.slot + 1)
        with suppress(Corrupt):
            venue.update(newer, seen_ms=newer.slot)
    assert [_everything(ground, pool) for pool in pools] == before, "a snapshot does not change"


def trades_exactly_what_is_paid(ground: Ground) -> None:
    """Pay exactly the amount asked; more never brings less, and never at a better price."""
    for pool, paid, received in ground.directions():
        fills = [pool.exact_in(paid, amount) for amount in ground.sizes[paid]]
        for amount, fill in zip(ground.sizes[paid], fills, strict=True):
            assert fill.paid == amount, f"{fill} does not pay {amount}"
            assert fill.received > 0, f"{fill} brings nothing"
            assert fill.fee >= 0, f"{fill} has a negative fee"
        for one, two in pairwise(fills):
            assert two.received >= one.received, f"{two} brings less than {one}"
            loss = ground.off(received) + _worth(two, ground.off(paid))
            better = two.received * one.paid - one.received * two.paid
            assert better <= loss * (one.paid + two.paid), f"{two} has a better price than {one}"


def trades_exactly_what_is_received(ground: Ground) -> None:
    """Receive exactly the amount asked; more never costs less."""
    for pool, paid, received in ground.directions():
        fills = [pool.exact_out(paid, amount) for amount in ground.sizes[received] if amount]
        for amount, fill in zip(ground.sizes[received], fills, strict=True):
            assert fill.received == amount, f"{fill} does not bring {amount}"
            assert fill.paid > 0, f"{fill} costs nothing"
        for one, two in pairwise(fills):
            assert two.paid >= one.paid, f"{two} costs less than {one}"


def quotes_both_ways_alike(ground: Ground) -> None:
    """Ask no more for what an amount brings than that amount, and bring it for what it costs."""
    for pool, paid, received in ground.directions():
        for amount in ground.sizes[paid]:
            brought = pool.exact_in(paid, amount).received
            with suppress(Refused):
                cost = pool.exact_out(paid, brought).paid
                most = amount + ground.off(paid)
                assert cost <= most, f"{brought} cost {cost}, but {amount} bring them"
        for amount in ground.sizes[received]:
            cost = pool.exact_out(paid, amount).paid
            with suppress(Refused):
                brought = pool.exact_in(paid, cost).received
                least = amount - ground.off(received)
                assert brought >= least, f"{cost} bring {brought}, but cost {amount}"


def gives_no_free_lunch(ground: Ground) -> None:
    """Never pay more back for what was bought than it cost."""
    for pool, paid, received in ground.directions():
        for amount in ground.sizes[paid]:
            with suppress(Refused):
                back = pool.exact_in(received, pool.exact_in(paid, amount).received)
                assert back.received <= amount, f"{amount} there and back are {back.received}"


def draws_a_concave_curve(ground: Ground) -> None:
    """Draw pieces of positive size whose prices never rise, ends included."""
    for pool, paid, _ in ground.directions():
        curve = pool.curve(paid)
        assert curve, "a pool that trades has a curve"
        for piece in curve:
            assert piece.most > 0, f"{piece} is empty"
            assert piece.price > 0, f"{piece} has no price"
            assert piece.depth > 0, f"{piece} has no depth"
        for one, two in pairwise(curve):
            end = one.price / (1 + one.most / one.depth) ** 2
            assert two.price <= end * (1 + 1e-9), f"{two} is better than the end of {one}"


def draws_what_it_quotes(ground: Ground) -> None:
    """Keep the curve close to exact quotes, and as long as what may be traded."""
    for pool, paid, received in ground.directions():
        curve = pool.curve(paid)
        for amount in ground.sizes[paid]:
            exact = pool.exact_in(paid, amount)
            drawn = _drawn(curve, float(amount))
            assert drawn is not None, f"the curve ends before {amount}"
            off = ground.off(received) + _worth(exact, ground.off(paid)) + 1
            most = exact.received * ground.curve_bps / 10_000 + off
            assert abs(drawn - exact.received) <= most, f"drawn {drawn}, quoted {exact}"


def refuses_by_name(ground: Ground) -> None:
    """Refuse what is too small or too much with a code that says so, and raise nothing else."""
    codes = QUOTING | ground.refusals
    for pool, paid, _ in ground.directions():
        for quote in (pool.exact_in, pool.exact_out):
            for amount in _SIZES:
                said = _said(quote, paid, amount)
                if isinstance(said, str):
                    assert said in codes, f"{said} is none of {sorted(codes)}"
                else:
                    assert amount in (said.paid, said.received), f"{said} is not of {amount}"


def names_its_instruction(ground: Ground) -> None:
    """Make the same call of the same trade, another of another, signed by the owner alone."""
    for pool, paid, received in ground.directions():
        for exact_in in (True, False):
            sizes = ground.sizes[paid if exact_in else received]
            trades = [_swap(pool, paid, amount, exact_in=exact_in) for amount in sizes[:2]]
            calls = [pool.instruction(trade) for trade in trades]
            assert [pool.instruction(trade) for trade in trades] == calls, "the same twice"
            assert calls[0].program, "an instruction names its program"
            assert calls[0].data, "an instruction says something"
            assert calls[0].data != calls[-1].data or len(sizes) == 1, "of another size, another"
            metas = [meta for call in calls for meta in call.accounts]
            signers = {meta.address for meta in metas if meta.is_signer}
            assert signers <= {_OWNER}, "nobody but the owner signs"
            named = {meta.address for meta in metas}
            assert not named or {_FROM, _INTO} <= named, "the owner's accounts are in the call"


def answers_for_pairs_it_does_not_trade(ground: Ground) -> None:
    """Raise a named reason for a pair it has no pool of."""
    _is_told(ground.venue(), frozenset((ground.mints[0], _NOBODY)), ground.now_ms)


def trades_nothing_it_has_not_read(ground: Ground) -> None:
    """Raise a named reason while states are missing."""
    if ground.states:
        _is_told(ground.make(), frozenset(ground.mints), ground.now_ms)


def ignores_what_is_not_its_own(ground: Ground) -> None:
    """Take no notice of accounts it did not ask for, nor of states older than it has."""
    venue = ground.venue()
    before = _all(ground, venue)
    venue.update(AccountState(_NOBODY, b"\x00" * 64, _OWNER, 1 << 62), seen_ms=ground.now_ms)
    assert _all(ground, venue) == before, "an account of nobody changed something"
    for state in ground.states:
        older = msgspec.structs.replace(state, data=b"", slot=state.slot - 1)
        venue.update(older, seen_ms=older.slot)
    assert _all(ground, venue) == before, "an older state changed something"


def leaves_the_market_when_a_state_is_spoiled(ground: Ground) -> None:
    """Raise nothing but `Corrupt` for spoiled states, quote from none, and come back.

    A pool that can do without one, such as a distant bin array, may go on with less.
    """
    whole = _all(ground, ground.venue()) if ground.states else []
    for state in ground.states:
        for data, owner in ((b"", ""), (b"\xff" * 40, state.owner), (state.data, _NOBODY)):
            venue = ground.venue()
            slot = state.slot + 1
            spoiled = AccountState(state.address, data, owner, slot)
            with suppress(Corrupt):
                venue.update(spoiled, seen_ms=slot)
                continue  # which it takes for something else than spoiled
            left, _ = _found(venue, frozenset(ground.mints), ground.now_ms)
            _brings_no_more(ground, left)
            feed(venue, [msgspec.structs.replace(each, slot=slot + 1) for each in ground.states])
            assert _all(ground, venue) == whole, "a good state brings it back"


CHECKS: Final[tuple[Check, ...]] = (
    says_what_it_is,
    is_pure_and_stable,
    trades_exactly_what_is_paid,
    trades_exactly_what_is_received,
    quotes_both_ways_alike,
    gives_no_free_lunch,
    draws_a_concave_curve,
    draws_what_it_quotes,
    refuses_by_name,
    names_its_instruction,
    answers_for_pairs_it_does_not_trade,
    trades_nothing_it_has_not_read,
    ignores_what_is_not_its_own,
    leaves_the_market_when_a_state_is_spoiled,
)
"""Every promise, in the order in which a broken one is best looked into."""


def _everything(ground: Ground, pool: Pool) -> list[object]:
    said: list[object] = [pool.about]
    for paid in ground.mints:
        said.append(list(pool.curve(paid)))
        said += [_said(pool.exact_in, paid, amount) for amount in ground.sizes[paid]]
        said += [_said(pool.exact_out, paid, amount) for amount in ground.sizes[paid]]
    return said


def _said(quote: Callable[[str, int], Fill], paid: str, amount: int) -> Fill | str:
    try:
        return quote(paid, amount)
    except (Refused, Unavailable) as refusal:
        return refusal.code


def _all(ground: Ground, venue: Venue) -> list[list[object]]:
    pools = venue.pools(frozenset(ground.mints), now_ms=ground.now_ms)
    return [_everything(ground, pool)[1:] for pool in pools]


def _is_told(venue: Venue, mints: frozenset[str], now_ms: int) -> None:
    found, reason = _found(venue, mints, now_ms)
    assert reason is not None, f"{len(found)} pools instead of a reason"


def _found(venue: Venue, mints: frozenset[str], now_ms: int) -> tuple[list[Pool], DeskError | None]:
    """Return the pools, or the reason why there are none, which has a code of its own."""
    try:
        return venue.pools(mints, now_ms=now_ms), None
    except (Refused, Unavailable) as problem:
        reason = problem
    assert reason.code not in {type(reason).default_code, DeskError.default_code}, f"{reason!r}"
    return [], reason


def _swap(pool: Pool, paid: str, amount: int, *, exact_in: bool) -> Swap:
    fill = pool.exact_in(paid, amount) if exact_in else pool.exact_out(paid, amount)
    limit = fill.received * 99 // 100 if exact_in else fill.paid * 101 // 100
    return Swap(paid, exact_in, amount, limit, _OWNER, _FROM, _INTO)


def _drawn(curve: Sequence[Piece], amount: float) -> float | None:
    received = 0.0
    for piece in curve:
        part = min(amount, piece.most)
        received += given(piece, part)
        amount -= part
        if amount <= 0:
            return received
    return None


def _brings_no_more(ground: Ground, left: Sequence[Pool]) -> None:
    for pool in left:
        (whole,) = (each for each in ground.pools() if each.about.address == pool.about.address)
        for paid in ground.mints:
            for amount in ground.sizes[paid]:
                said, before = _said(pool.exact_in, paid, amount), whole.exact_in(paid, amount)
                assert isinstance(said, str) or said.received <= before.received, "spoiled"


def _worth(fill: Fill, paid: int) -> int:
    """Return what a little more paid would bring at most, by a trade's own price."""
    return -(-paid * fill.received // fill.paid)
