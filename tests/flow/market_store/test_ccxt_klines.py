"""Promise: what exchanges tell through ccxt is stored to its last digit, or refused."""

import importlib.util
import sys
from collections.abc import AsyncIterator
from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.flow.market_store.rows import NOW_MS

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.ingest.backfill import Backfill, Filled, Wanted
from quantdesk.ingest.store import read
from quantdesk.sources.ccxt_klines import CcxtKlines, _number
from quantdesk.sources.limits import Declined
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.kraken import KrakenServer

pytestmark = pytest.mark.anyio
needs_ccxt = pytest.mark.skipif(
    importlib.util.find_spec("ccxt") is None, reason="needs quantdesk[backfill]"
)
MINUTE_MS = 60_000
FROM_MS = NOW_MS - 30 * MINUTE_MS
BTC = ("kraken", "BTC", "USD")
EXACT = "0.123456789012345678"
"""More digits than a float has."""


@pytest.fixture
async def server() -> AsyncIterator[KrakenServer]:
    async with KrakenServer(now_ms=NOW_MS) as serving:
        yield serving


@pytest.fixture
async def klines(server: KrakenServer) -> AsyncIterator[CcxtKlines]:
    options = {"urls": {"api": {"public": server.url}}, "rateLimit": 1}
    async with CcxtKlines("kraken", options=options) as asked:
        yield asked


async def _minutes(klines: CcxtKlines, count: int = 5, symbol: str = "BTC") -> list[str]:
    told = await klines.candles(
        symbol, "USD", "1m", from_ms=FROM_MS, to_ms=FROM_MS + count * MINUTE_MS
    )
    return [one.close for one in told]


@needs_ccxt
async def test_holes_are_filled_and_what_is_not_there_is_absent(
    pools: Pools, klines: CcxtKlines, server: KrakenServer
) -> None:
    server.down = frozenset({FROM_MS + 2 * MINUTE_MS})
    backfill = Backfill(pools, klines, clock=ManualClock(now_ms=NOW_MS), chance=lambda: 0.5)
    wanted = Wanted(BTC, "1m", FROM_MS, FROM_MS + 10 * MINUTE_MS)
    done = await backfill.run(wanted)
    assert (done.missing, done.stored, done.absent) == (10, 9, 1)
    async with pools.read.connection() as c:
        stored = await read.candles(c, BTC, "1m", from_ms=0, to_ms=NOW_MS, limit=99)
    assert [one.open_ms for one in stored] == [FROM_MS + n * MINUTE_MS for n in range(10) if n != 2]
    one = stored[0]
    assert (one.close, one.volume, one.origin) == ("50000.1", "1.25", "exchange")
    assert (one.quote_volume, one.taker_buy_volume, one.trades) == (None, None, 0)
    assert await backfill.run(wanted) == Filled()
    assert server.asked == [("1", str(FROM_MS // 1_000 - 60))]


@needs_ccxt
@pytest.mark.parametrize("written", [f'"{EXACT}"', EXACT])
async def test_no_digit_is_lost_whether_the_exchange_quotes_its_numbers_or_not(
    written: str, klines: CcxtKlines, server: KrakenServer
) -> None:
    assert str(float(EXACT)) != EXACT
    server.price = server.volume = written
    told = await klines.candles("BTC", "USD", "1m", from_ms=FROM_MS, to_ms=FROM_MS + MINUTE_MS)
    assert {(one.open, one.high, one.low, one.close, one.volume) for one in told} == {(EXACT,) * 5}


@needs_ccxt
async def test_a_window_without_volume_is_flat(klines: CcxtKlines, server: KrakenServer) -> None:
    server.volume = "0.00000000"
    (one,) = await klines.candles("BTC", "USD", "1m", from_ms=FROM_MS, to_ms=FROM_MS + MINUTE_MS)
    assert (one.flat, one.volume) == (True, "0")


@needs_ccxt
async def test_what_is_older_than_the_exchange_tells_is_not_made_up(klines: CcxtKlines) -> None:
    old_ms = NOW_MS - 800 * MINUTE_MS
    assert klines.rows_max == 720
    assert not await klines.candles(
        "BTC", "USD", "1m", from_ms=old_ms, to_ms=old_ms + 5 * MINUTE_MS
    )


@needs_ccxt
@pytest.mark.parametrize(
    ("answer", "code", "wait_s"),
    [
        ((429, "7", "{}"), "source.busy", 7),
        ((418, "", "{}"), "source.busy", 60),
        ((200, "", '{"error":["EAPI:Rate limit exceeded"]}'), "source.busy", 60),
        ((403, "", "{}"), "source.barred", 0),
        ((451, "", "{}"), "source.barred", 0),
        ((400, "", '{"error":["EGeneral:Whatever"]}'), "source.declined", 0),
        ((503, "", "{}"), "source.unavailable", 0),
        ((200, "", '{"error":["EService:Unavailable"]}'), "source.unavailable", 0),
    ],
)
async def test_a_refusal_says_whether_and_when_to_ask_again(
    answer: tuple[int, str, str], code: str, wait_s: int, klines: CcxtKlines, server: KrakenServer
) -> None:
    server.refusals = [answer]
    with pytest.raises(Unavailable) as refused:
        await _minutes(klines)
    problem = refused.value
    assert problem.code == code
    assert (problem.wait_s if isinstance(problem, Declined) else 0) == wait_s
    assert len(await _minutes(klines)) == 5, "it can be asked again"


@needs_ccxt
async def test_a_market_it_does_not_have_is_refused(klines: CcxtKlines) -> None:
    with pytest.raises(Refused) as refused:
        await _minutes(klines, symbol="XYZ")
    assert refused.value.code == "market.unknown"


@needs_ccxt
async def test_an_exchange_that_is_away_is_unavailable() -> None:
    options = {"urls": {"api": {"public": "http://127.0.0.1:1"}}}
    async with CcxtKlines("kraken", options=options) as klines:
        with pytest.raises(Unavailable) as away:
            await _minutes(klines)
    assert away.value.code == "source.unavailable"


@needs_ccxt
@pytest.mark.parametrize(
    "body",
    [
        "", "<html>maintenance</html>", "{", "null", "[]x",
        '{"error":[],"result":{"XXBTZUSD":[["x"]]}}',
        '{"error":[],"result":{"XXBTZUSD":[null]}}',
        '{"error":[],"result":{"XXBTZUSD":[[]]}}',
        '{"error":[],"result":{"XXBTZUSD":[[{at},"1","1","1","NaN","1","1",1]]}}',
        '{"error":[],"result":{"XXBTZUSD":[[{at},"1","1","1",NaN,"1","1",1]]}}',
        '{"error":[],"result":{"XXBTZUSD":[[{at},"1","1","1","-1","1","1",1]]}}',
        '{"error":[],"result":{"XXBTZUSD":[[{at},"1","1","1",null,"1","1",1]]}}',
        '{"error":[],"result":{"XXBTZUSD":[[{at},"1","1","1","1","1","1",1],[{at},"1","1","1","1","1","1",1]]}}',
        '{"error":[],"result":{"XXBTZUSD":[[{off},"1","1","1","1","1","1",1]]}}',
    ],
)  # fmt: skip
async def test_nonsense_is_no_answer(body: str, klines: CcxtKlines, server: KrakenServer) -> None:
    at_s = FROM_MS // 1_000
    text = body.replace("{at}", str(at_s)).replace("{off}", str(at_s + 7))
    server.refusals = [(200, "", text)]
    with pytest.raises(Corrupt) as corrupt:
        await _minutes(klines)
    assert corrupt.value.code == "message.unreadable"


@needs_ccxt
@pytest.mark.parametrize("name", ["krakn", "", "exchanges", "Exchange", "__name__"])
def test_an_exchange_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        CcxtKlines(name)
    assert refused.value.code == "source.unknown"


def test_without_ccxt_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt.async_support", None)
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(Refused) as refused:
        CcxtKlines("kraken")
    assert refused.value.code == "backfill.missing"
    assert "pip install 'quantdesk[backfill]'" in refused.value.detail


@given(st.integers(0, 10**30))
def test_numbers_keep_their_value(units: int) -> None:
    amount = Decimal(units).scaleb(-18, Context(prec=40))
    told = _number(f"{amount:f}")
    assert Decimal(told) == amount
    assert "." not in told or not told.endswith("0")


@pytest.mark.parametrize(
    ("written", "told"), [("1e-7", "0.0000001"), ("1.5E+3", "1500"), ("0.00", "0"), ("100", "100")]
)
def test_an_exponent_is_written_out(written: str, told: str) -> None:
    assert _number(written) == told


@pytest.mark.parametrize(
    "told", [1.5, 1, None, "", "-1", "NaN", "Infinity", "1_0", "1e999", "\u0661"]
)
def test_what_went_through_a_float_or_is_no_number_is_refused(told: object) -> None:
    with pytest.raises(Corrupt):
        _number(told)
