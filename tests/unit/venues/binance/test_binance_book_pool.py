"""An order book as a pool: whole lots, exact integers, and an order that cannot break its bound."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.venues import ground

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused
from quantdesk.core.markets import MARKETS
from quantdesk.testing.binance_exchange import Symbol, info
from quantdesk.venues.binance import Binance, walk
from quantdesk.venues.binance.layout import Level
from quantdesk.venues.binance.pool import Order
from quantdesk.venues.port import Fill, Pool, Swap

SOL = MARKETS["SOL-USDC"]
BASE, QUOTE = SOL.base.mint, SOL.quote.mint
E9, E6 = 10**9, 10**6
NONE = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
BOOK = {
    "lastUpdateId": 160,
    "bids": [["150.00", "2"], ["149.00", "10"]],
    "asks": [["151.00", "2"], ["152.00", "10"]],
}


def _fees(rate: str = "0.00100000", **more: str) -> dict[str, Any]:
    special = {**NONE, **more}
    return {
        "symbol": "SOLUSDC",
        "standardCommission": {**NONE, "taker": rate},
        "specialCommission": special,
        "taxCommission": NONE,
    }


def _states(**changed: Any) -> dict[str, AccountState]:  # noqa: ANN401 - JSON
    shapes = {"book": BOOK, "rules": info(Symbol("SOL", "USDC")), "fees": _fees()} | changed
    return {
        kind: AccountState(f"binance:{kind}:SOLUSDC", json.dumps(said).encode(), "binance", 100)
        for kind, said in shapes.items()
    }


def _venue(**changed: Any) -> Binance:  # noqa: ANN401 - JSON
    venue = Binance([SOL])
    for state in _states(**changed).values():
        venue.update(state, seen_ms=1_000)
    return venue


def _pool(**changed: Any) -> Pool:  # noqa: ANN401 - JSON
    return ground.one(_venue(**changed), SOL, now_ms=1_000)


def _order(pool: Pool, swap: Swap) -> Order:
    return msgspec.json.decode(pool.instruction(swap).data, type=Order)


def _swap(paid: str, amount: int, limit: int, *, exact_in: bool) -> Swap:
    return Swap(paid, exact_in, amount, limit, "", "", "")


def _code(venue: Binance, *, now_ms: int = 1_000) -> str:
    with pytest.raises(DeskError) as said:
        ground.one(venue, SOL, now_ms=now_ms)
    return said.value.code


def test_that_a_sale_walks_the_bids_and_pays_its_fee_in_quote() -> None:
    assert _pool().exact_in(BASE, 5 * E9) == Fill(5 * E9, 746_253_000, 747_000, fee_on_input=False)


def test_that_a_purchase_buys_its_own_fee_in_whole_lots() -> None:
    pool = _pool()
    fill = pool.exact_out(QUOTE, 5 * E9)

    # 5.006 are bought, of which 0.005006 are the fee: 2 at 151 and the rest at 152.
    assert fill == Fill(2 * 151 * E6 + 3_006 * 152_000, 5 * E9, 5_006_000, fee_on_input=False)


def test_that_quote_buys_as_many_whole_lots_as_it_can() -> None:
    fill = _pool().exact_in(QUOTE, 454_100_000)  # 3.0006... at 151 and 152

    assert (fill.paid, fill.received) == (454_100_000, 3_000 * 999_000)


def test_that_quote_asked_for_is_brought_by_the_fewest_lots() -> None:
    pool = _pool()
    fill = pool.exact_out(BASE, 299_700_000)

    assert fill.paid == 2 * E9
    assert pool.exact_out(BASE, 299_700_001).paid == 2 * E9 + E6


@pytest.mark.parametrize(
    ("quote", "paid", "amount", "code"),
    [
        ("exact_in", BASE, E9 + 1, "amount.precision"),
        ("exact_in", BASE, 10 * E6, "amount.too_small"),
        ("exact_in", BASE, 0, "amount.too_small"),
        ("exact_in", BASE, 13 * E9, "liquidity.insufficient"),
        ("exact_out", QUOTE, 12 * E9, "liquidity.insufficient"),
        ("exact_out", QUOTE, 1, "amount.too_small"),
        ("exact_in", QUOTE, 10**10, "liquidity.insufficient"),
        ("exact_in", QUOTE, 4 * E6, "amount.too_small"),
        ("exact_out", BASE, 10**10, "liquidity.insufficient"),
        ("exact_out", BASE, 1, "amount.too_small"),
    ],
)
def test_that_a_size_that_no_order_may_have_is_refused_by_name(
    quote: str, paid: str, amount: int, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        getattr(_pool(), quote)(paid, amount)
    assert refused.value.code == code


def test_that_an_order_of_more_than_the_most_is_refused() -> None:
    book = BOOK | {"bids": [["150.00", "100000"]]}
    with pytest.raises(Refused) as refused:
        _pool(book=book).exact_in(BASE, 95_000 * E9)
    assert refused.value.code == "liquidity.insufficient"


def test_that_an_order_is_limited_at_the_price_that_keeps_its_bound() -> None:
    pool = _pool()
    purchase = _order(pool, _swap(QUOTE, 5 * E9, 762_000_000, exact_in=False))
    sale = _order(pool, _swap(BASE, 5 * E9, 740 * E6, exact_in=True))

    assert purchase == Order("SOLUSDC", "BUY", "5.006", "152.21", "152")
    assert sale == Order("SOLUSDC", "SELL", "5", "148.15", "149")


@given(lots=st.integers(40, 11_900), slippage_bps=st.integers(0, 500))
def test_that_no_fill_at_an_orders_price_can_break_the_bound(lots: int, slippage_bps: int) -> None:
    pool, amount = _pool(), lots * E6
    paid = pool.exact_out(QUOTE, amount).paid * (10_000 + slippage_bps) // 10_000
    buys = _order(pool, _swap(QUOTE, amount, paid, exact_in=False))
    least = pool.exact_in(BASE, amount).received * (10_000 - slippage_bps) // 10_000
    sells = _order(pool, _swap(BASE, amount, least, exact_in=True))

    worst_paid = Decimal(buys.quantity) * Decimal(buys.price) * E6
    worst_received = Decimal(sells.quantity) * Decimal(sells.price) * E6 * Decimal("0.999")
    assert worst_paid <= paid
    assert worst_received >= least
    assert Decimal(buys.quantity) * Decimal("0.999") * E9 >= amount
    assert Decimal(sells.quantity) * E9 == amount
    for order in (buys, sells):
        assert Decimal(order.price) % Decimal("0.01") == 0
        assert Decimal(order.quantity) % Decimal("0.001") == 0


levels = st.lists(
    st.tuples(st.integers(1, 40_000), st.integers(1, 10**12)), min_size=1, max_size=12,
    unique_by=lambda level: level[0],
)  # fmt: skip


@given(bids=levels, asks=levels, lots=st.integers(1, 10**9), taker=st.integers(0, 10**7))
def test_that_any_book_trades_what_its_levels_add_up_to(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], lots: int, taker: int
) -> None:
    rows = {
        side: [
            (Decimal(50_000 + way * off).scaleb(-2), Decimal(held).scaleb(-8))
            for off, held in sorted(each)
        ]
        for side, way, each in (("bids", -1, bids), ("asks", 1, asks))
    }
    book = {side: [[f"{p:f}", f"{q:f}"] for p, q in each] for side, each in rows.items()}
    rate = Decimal(taker).scaleb(-8)
    pool = _pool(book={"lastUpdateId": 1, **book}, fees=_fees(f"{rate:.8f}"))
    amount = lots * E6
    try:
        sale, purchase = pool.exact_in(BASE, amount), pool.exact_out(QUOTE, amount)
    except Refused:
        assume(False)  # noqa: FBT003 - its own name for it
    gross = _walked(rows["bids"], Decimal(lots).scaleb(-3))
    bought = _walked(rows["asks"], Decimal(lots).scaleb(-3))

    net = gross * (1 - rate) * E6
    assert net - 2 <= sale.received <= net
    assert purchase.paid >= bought * E6
    assert sale.received < purchase.paid


def _walked(side: list[tuple[Decimal, Decimal]], left: Decimal) -> Decimal:
    notional = Decimal()
    for price, held in side:
        part = min(left, held)
        notional, left = notional + part * price, left - part
    return notional


def test_that_all_kinds_of_rates_count_and_no_discount_does() -> None:
    pool = _pool(
        fees=_fees("0.00100000", taker="0.00050000", buyer="0.00020000", seller="0.00030000")
    )

    assert pool.exact_in(BASE, E9).received == 150 * E6 * 9_982 // 10_000


def test_that_a_pool_says_what_it_is() -> None:
    about = _pool().about

    assert (about.venue, about.address, about.kind) == ("binance", "SOLUSDC", "order book")
    assert about.mints == (BASE, QUOTE)
    assert about.spot == Decimal("0.1505")
    assert (about.slot, about.seen_ms) == (160, 1_000)


def test_that_a_book_that_was_not_heard_of_is_out_of_the_market() -> None:
    venue = _venue()

    assert ground.one(venue, SOL, now_ms=6_000).about.slot == 160
    assert _code(venue, now_ms=6_001) == "pool.stale"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rules": info(Symbol("SOL", "USDC", status="BREAK"))}, "pool.disabled"),
        ({"rules": info(Symbol("SOL", "USDC", status="CANCEL_ONLY"))}, "pool.disabled"),
        ({"book": {**BOOK, "asks": []}}, "liquidity.insufficient"),
    ],
)
def test_that_a_book_that_does_not_trade_says_why(changed: dict[str, Any], code: str) -> None:
    assert _code(_venue(**changed)) == code


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("book", {**BOOK, "bids": [["150", "2"], ["150", "1"]]}),
        ("book", {**BOOK, "asks": [["152", "2"], ["151", "1"]]}),
        ("book", {**BOOK, "bids": [["151", "2"]]}),
        ("book", {**BOOK, "bids": [["150.123456789", "2"]]}),
        ("book", {**BOOK, "bids": [["-1", "2"]]}),
        ("book", {**BOOK, "bids": [["1e400", "2"]]}),
        ("book", {**BOOK, "bids": [["Infinity", "2"]]}),
        ("book", {"bids": [], "asks": []}),
        ("rules", {}),
        ("rules", {**info(Symbol("SOL", "USDC")), "filters": []}),
        ("rules", info(Symbol("SOL", "USDT"))),
        ("rules", info(Symbol("SOL", "USDC", tick="-1"))),
        ("fees", _fees("1.00000000")),
        ("fees", _fees("-0.00100000")),
        ("fees", {"symbol": "SOLUSDC"}),
    ],
)
def test_that_a_state_that_is_none_is_corrupt_until_a_good_one_comes(
    kind: str, said: dict[str, Any]
) -> None:
    venue = _venue()
    address = f"binance:{kind}:SOLUSDC"
    with pytest.raises(Corrupt):
        venue.update(
            AccountState(address, json.dumps(said).encode(), "binance", 101), seen_ms=1_000
        )
    assert _code(venue) == "pool.incomplete"

    good = _states()[kind]
    venue.update(msgspec.structs.replace(good, slot=102), seen_ms=1_000)
    assert ground.one(venue, SOL, now_ms=1_000).about.slot == 160


@given(st.binary(max_size=300))
def test_that_any_bytes_are_corrupt(data: bytes) -> None:
    for kind in ("book", "rules", "fees"):
        with pytest.raises(Corrupt):
            Binance([SOL]).update(
                AccountState(f"binance:{kind}:SOLUSDC", data, "binance", 1), seen_ms=0
            )


@given(
    offered=st.lists(
        st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)), min_size=1, max_size=5
    ),
    least=st.integers(1, 10**9),
    rate=st.integers(0, 10**7),
    lot=st.sampled_from([1, 7, 1_000]),
)
def test_that_the_fewest_lots_are_enough_and_one_less_is_not(
    offered: list[tuple[int, int]], least: int, rate: int, lot: int
) -> None:
    side = [Level(price, quantity) for price, quantity in sorted(offered)]
    bids, quote = side[::-1], least * 10**8

    def brings_base(quantity: int) -> bool:
        taken = walk.buy(side, quantity, rate)
        return taken is not None and taken.quantity - taken.fee >= least

    def brings_quote(quantity: int) -> bool:
        taken = walk.sell(bids, quantity, rate)
        return taken is not None and taken.notional - taken.fee >= quote

    for taken, is_enough in (
        (walk.bought(side, least, rate, lot), brings_base),
        (walk.sold(bids, quote, rate, lot), brings_quote),
    ):
        if taken is not None:
            assert is_enough(taken.quantity)
            assert taken.quantity % lot == 0
            assert taken.quantity <= lot or not is_enough(taken.quantity - lot)
