"""Promise: of several floors the best net result comes first, and every other one is told of."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from quantdesk.chains.paper import Paper
from quantdesk.chains.port import Priority, Wallet
from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side, market
from quantdesk.engines.orders.floor import Floor
from quantdesk.engines.orders.floors import Floors, Offers, told
from quantdesk.engines.orders.routing import Routing, Wanted
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.venue import ScriptedVenue

pytestmark = pytest.mark.anyio
CLOCK = ManualClock(now_ms=1_000)
SOL = market("SOL-USDC")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def floor(name: str, price: str, *, problem: DeskError | None = None) -> Floor:
    venue = ScriptedVenue(clock=CLOCK, prices={"SOL-USDC": [(0.0, Decimal(price))]}, name=name)
    venue.problem = problem
    return Floor(
        chain=Paper(clock=CLOCK, latency_ms=0, book={}),
        routing=Routing([venue]),
        wallet=Wallet(name, dict.fromkeys(ASSETS, name)),
        check_price=lambda _market, _price: None,
        network_fee_lamports=0,
        name=name,
    )


def wanted(side: Side = Side.BUY, *, limit_price: str | None = None) -> Wanted:
    limit = None if limit_price is None else Decimal(limit_price)
    return Wanted(market=SOL, side=side, base_raw=10**9, slippage_bps=50, limit_price=limit)


async def offers(main: Floor, *rivals: Floor, of: Wanted | None = None) -> Offers:
    joined = replace(main, rivals={rival.name: rival for rival in rivals})
    return await Floors(joined).offers(of or wanted(), now_ms=1_000)


def ranked(found: Offers) -> list[str]:
    return [one.floor.name for one in found.ranked]


@pytest.mark.parametrize(
    ("side", "order"), [(Side.BUY, ["c", "a", "b"]), (Side.SELL, ["b", "a", "c"])]
)
async def test_that_the_best_price_comes_first(side: Side, order: list[str]) -> None:
    found = await offers(floor("a", "100"), floor("b", "101"), floor("c", "99"), of=wanted(side))

    assert ranked(found) == order


async def test_that_the_floor_itself_comes_first_where_rivals_do_not_net_more() -> None:
    assert ranked(await offers(floor("a", "100"), floor("b", "100"))) == ["a", "b"]


@pytest.mark.parametrize(
    ("side", "price", "fee", "best"),
    [
        (Side.BUY, "99.99", 9_999, "b"),
        (Side.BUY, "99.99", 10_001, "a"),
        (Side.SELL, "100.01", 9_999, "b"),
        (Side.SELL, "100.01", 10_001, "a"),
    ],
)
async def test_that_what_the_place_costs_counts(
    side: Side, price: str, fee: int, best: str
) -> None:
    def worth(lamports: int, asset: Asset) -> int:
        assert asset is SOL.quote
        return lamports  # in base units of the quote asset, of which 10,000 are a cent

    async def priority(_steps: object, _units: int, _priority: object) -> int:
        return fee - 5_000

    dear = replace(
        floor("b", price), network_fee_lamports=5_000, priority_lamports=priority, worth=worth
    )
    found = await offers(floor("a", "100"), dear, of=wanted(side))

    assert ranked(found)[0] == best
    nets = {one.floor.name: one.net_raw for one in found.ranked}
    gross = int(Decimal(price) * 10**6)
    assert nets == {"a": 100_000_000, "b": gross + (fee if side is Side.BUY else -fee)}


@pytest.mark.parametrize(
    ("priority", "best"), [(None, "b"), (Priority.ECONOMY, "b"), (Priority.URGENT, "a")]
)
async def test_that_a_place_costs_what_the_order_itself_pays_for_it(
    priority: Priority | None, best: str
) -> None:
    async def offered(_steps: object, _units: int, asked: Priority | None) -> int:
        return 20_000 if asked is Priority.URGENT else 0

    dear = replace(
        floor("b", "99.99"),  # a cent better
        network_fee_lamports=1,
        priority_lamports=offered,
        worth=lambda lamports, _asset: lamports,
    )
    asked = msgspec.structs.replace(wanted(), priority=priority)

    assert ranked(await offers(floor("a", "100"), dear, of=asked))[0] == best


def learned(of: Floor, **bias: str) -> Floor:
    """Return a floor that knows how much worse than quoted the venues' fills have landed."""
    routing = Routing(of.routing.venues, bias=lambda venue, _: Decimal(bias.get(venue, "0")))
    return replace(of, routing=routing)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("bias", "best"),
    [
        ({"b": "9.9"}, "b"),
        ({"b": "10.1"}, "a"),
        ({"b": "15", "a": "5.1"}, "b"),
        ({"a": "-11"}, "a"),
    ],
)
async def test_that_what_past_fills_fell_short_counts(
    side: Side, bias: dict[str, str], best: str
) -> None:
    price = "99.9" if side is Side.BUY else "100.1"

    found = await offers(learned(floor("a", "100"), **bias), floor("b", price), of=wanted(side))

    assert ranked(found)[0] == best
    nets = {one.floor.name: one.net_raw for one in found.ranked}
    assert nets == {"a": 100_000_000, "b": int(Decimal(price) * 10**6)}, "told as quoted"


async def test_that_a_choice_past_fills_changed_says_so() -> None:
    routes = []
    for bias in ("9", "12.5"):
        found = await offers(learned(floor("a", "100"), b=bias), floor("b", "99.9"))
        routes.append(told(found.ranked[0], found, now_ms=1_000))
    kept, changed = routes

    assert kept["reason"].startswith("b nets 10.00 bps more than a; ")
    assert kept["lands"] == "99.98991", "and by past fills it is better still"
    assert changed["reason"].startswith(
        "a nets 10.01 bps less than b; past fills say it lands better; "
    )
    (other,) = (one for one in changed["alternatives"] if one["kind"] == "floor")
    assert (other["net"], other["lands"], other["worseBps"]) == ("99.9", "100.024875", "-10.01")
    assert "lands" not in changed, "of a nothing is known that its quote does not say"
    assert changed["expectedQuoteRaw"] == 100_000_000, "traded and bounded as quoted"


def holding(of: Floor, **held: int) -> Floor:
    known: Mapping[str, int] = held
    return replace(of, holds=lambda: known)


async def test_that_a_floor_without_the_money_is_out() -> None:
    main = holding(floor("a", "100"), USDC=100_000_000)
    poor = holding(floor("b", "99"), USDC=98_999_999)
    found = await offers(main, poor)

    assert ranked(found) == ["a"]
    assert found.out["b"].code == "funds.insufficient"
    assert ranked(await offers(main, holding(floor("b", "99"), USDC=99_000_000)))[0] == "b"
    assert ranked(await offers(main, floor("b", "99")))[0] == "b", "unknown is not nothing"


async def test_that_a_floor_that_may_not_be_traded_at_is_out() -> None:
    def check(_: Market, price: Decimal) -> None:
        raise Refused(f"{price}", code="price.band")

    found = await offers(floor("a", "100"), replace(floor("b", "50"), check_price=check))

    assert (ranked(found), found.out["b"].code) == (["a"], "price.band")


async def test_that_a_floor_past_the_limit_price_is_out() -> None:
    found = await offers(floor("a", "100"), floor("b", "99"), of=wanted(limit_price="99.5"))

    assert (ranked(found), found.out["a"].code) == (["b"], "slippage.exceeded")


async def test_that_no_offer_at_all_raises_what_a_retry_may_cure() -> None:
    hopeless = floor("a", "100", problem=Refused("never", code="pool.unsupported"))
    away = floor("b", "100", problem=Unavailable("not now", code="pool.stale"))

    with pytest.raises(Unavailable, match="not now"):
        await offers(hopeless, away)
    with pytest.raises(Refused, match="never"):
        await offers(hopeless, floor("b", "100", problem=Refused("nor here", code="x")))


async def test_that_dropping_the_last_offer_raises_what_was_wrong() -> None:
    found = await offers(floor("a", "100"), floor("b", "99"))
    best, other = found.ranked
    found.drop(best, Refused("no", code="funds.insufficient"))
    assert ranked(found) == ["a"]
    with pytest.raises(Unavailable, match="later"):
        found.drop(other, Unavailable("later", code="rpc.unavailable"))


async def test_that_the_stored_route_names_its_floor_and_tells_of_the_others() -> None:
    away = floor("c", "1", problem=Unavailable("not now", code="pool.stale"))
    found = await offers(floor("a", "100"), floor("b", "99"), away)
    route = told(found.ranked[0], found, now_ms=1_000)

    assert route["floor"] == "b"
    assert route["reason"].startswith("b nets 100.00 bps more than a; ")
    floors = [one for one in route["alternatives"] if one["kind"] == "floor"]
    assert floors == [
        {
            "kind": "floor", "name": "a", "plan": "a", "quote": "100", "net": "100",
            "worseBps": "100.00",
        },
        {
            "kind": "floor", "name": "c",
            "error": {
                "code": "pool.stale", "detail": "no venue trades this pair now (c: not now)",
            },
        },
    ]  # fmt: skip
    assert [row["venue"] for row in route["quotes"]] == ["b", "a"]
