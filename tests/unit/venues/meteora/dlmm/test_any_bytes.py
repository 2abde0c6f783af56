"""Whatever bytes a pair's accounts hold, the answer is a trade or a named refusal."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.venues import ground
from tests.unit.venues.meteora.dlmm import world
from tests.unit.venues.meteora.dlmm.world import ACCOUNTS, SOL

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError
from quantdesk.venues.following import Pools

_NAMED = {
    "amount.too_small",
    "bin.unrepresentable",
    "liquidity.insufficient",
    "pool.disabled",
    "pool.gone",
    "pool.incomplete",
    "pool.not_open",
    "pool.unsupported",
    "traded",
}
_SPOILS = st.lists(st.tuples(st.integers(0, 10_135), st.binary(min_size=1, max_size=8)), max_size=9)


def _spoiled(state: AccountState, spoils: list[tuple[int, bytes]]) -> AccountState:
    data = bytearray(state.data)
    for offset, value in spoils:
        at = offset % len(data)
        data[at : at + len(value)] = value[: len(data) - at]
    return replace(state, data=bytes(data))


def _outcome(venue: Pools, *, sells: bool, exact_in: bool, amount: int) -> str:
    paid = SOL.base.mint if sells else SOL.quote.mint
    try:
        pool = ground.one(venue, SOL)
        prices = [piece.price for piece in pool.curve(paid)]
        assert prices == sorted(prices, reverse=True)
        fill = (pool.exact_in if exact_in else pool.exact_out)(paid, amount)
    except DeskError as error:
        return error.code
    return "traded" if fill.paid > 0 and fill.received > 0 else "given away"


@given(
    spoils=_SPOILS,
    sells=st.booleans(),
    exact_in=st.booleans(),
    amount=st.integers(0, 1 << 64),
)
def test_answers_any_bytes_with_a_trade_or_a_named_refusal(
    spoils: list[tuple[int, bytes]], *, sells: bool, exact_in: bool, amount: int
) -> None:
    venue = world.ready()
    for state in ACCOUNTS.values():
        with suppress(Corrupt):
            venue.update(_spoiled(state, spoils), seen_ms=1)

    assert _outcome(venue, sells=sells, exact_in=exact_in, amount=amount) in _NAMED
