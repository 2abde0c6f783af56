"""Promise: a large order on the localnet leaves behind what no transaction holds, and no more.

The localnet's own pools as it opens, and Solana's own limits: bytes, and accounts locked.
"""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from solders.keypair import Keypair
from tests.unit.venues import ground

from quantdesk.chains.paper import Paper
from quantdesk.chains.port import Instruction, Trade
from quantdesk.chains.solana import builder, keys
from quantdesk.chains.solana.fees import COMPUTE_UNITS_MAX
from quantdesk.chains.solana.tables import table
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import MARKETS, Side
from quantdesk.engines.orders.floor import Floor, routed
from quantdesk.engines.orders.routed import described
from quantdesk.engines.orders.routing import Choice, Routing, Rules, Wanted
from quantdesk.localnet.lookup_table import table_address
from quantdesk.localnet.opening import opening, pools
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.following import Followed, Pools

SOL = MARKETS["SOL-USDC"]
LARGE = 2_500 * 10**9
DEPTH_USD = Decimal(5_000_000)
TRADER, MAKER = (
    keys.wallet(str(Keypair.from_seed(bytes([seed]) * 32).pubkey())) for seed in (1, 2)
)
GENESIS = opening(trader=TRADER, maker=MAKER, usd=ground.USD, depth_usd=DEPTH_USD)
OF_ALL_THAT_FIT = {Side.SELL: Decimal("1.02"), Side.BUY: Decimal("1.00")}
"""How far from the bound the best set of pools is, in bps: all that fit were tried one by one."""


def floor() -> Floor:
    """Return a floor of all pools the localnet opens with, and its lookup table."""
    account = next(one for one in GENESIS.accounts if one.address == table_address(MAKER.address))
    usable = table(account.address, owner=account.owner, data=account.data, slot=5)
    assert usable

    def fits(trade: Trade, steps: Sequence[Instruction]) -> bool:
        return builder.size(trade, steps, TRADER, tables=(usable,)).fits

    followed = dict[str, list[Followed]]()
    for market in MARKETS.values():
        for name, some in pools(market).items():
            followed.setdefault(name, []).extend(some)
    venues = [Pools(name, every) for name, every in followed.items()]
    for venue in venues:
        ground.feed(venue, ground.seen(GENESIS.accounts))
    through = tuple(ASSETS[symbol].mint for symbol in ("USDC", "USDT"))
    return Floor(
        chain=Paper(clock=ManualClock(), latency_ms=0, book={}),
        routing=Routing(venues, rules=Rules(through=through)),
        wallet=TRADER,
        check_price=lambda _market, _price: None,
        network_fee_lamports=0,
        fits=fits,
        units_max=COMPUTE_UNITS_MAX,
    )


def chosen(side: Side) -> Choice:
    return routed(floor(), Wanted(SOL, side, LARGE, slippage_bps=50), now_ms=ground.NOW_MS)


def boundless(side: Side) -> Choice:
    """Return the best route where no transaction bounds it."""
    wanted = Wanted(SOL, side, LARGE, slippage_bps=50)
    return floor().routing.choose(wanted, now_ms=ground.NOW_MS)


@pytest.mark.parametrize("side", Side)
def test_that_no_other_pools_that_fit_do_better(side: Side) -> None:
    found = chosen(side).route

    assert found.gap_bps <= OF_ALL_THAT_FIT[side] + Decimal("0.005")
    assert sum(len(leg.hops) for leg in found.legs) == 6
    more = sum(len(leg.hops) for leg in boundless(side).route.legs)
    assert more > 6


@pytest.mark.parametrize("side", Side)
def test_that_what_a_transaction_costs_of_the_gap_is_told(side: Side) -> None:
    found, free = chosen(side), boundless(side).route

    assert free.room_bps == 0
    assert found.route.room_bps == pytest.approx(found.route.gap_bps - free.gap_bps)
    told = described(found, now_ms=ground.NOW_MS)
    assert 0 < Decimal(told["roomBps"]) < Decimal(told["gapBps"])
