"""Paper fills at the price quoted, once, however often it is sent or the desk restarts."""

from decimal import Decimal

import pytest

from quantdesk.chains.paper import Paper
from quantdesk.chains.port import Chain, Fate, Instruction, Trade, Transaction
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, DeskError, Refused
from quantdesk.core.markets import MARKETS, Side
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.paper import Paper as PaperVenue
from quantdesk.venues.port import Swap

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _chain(clock: ManualClock, latency_ms: int = 400) -> Chain:
    return Paper(clock=clock, latency_ms=latency_ms, book={"SOL": 5})


def _trade(side: Side, base_raw: int = 10, limit: int = 20, memo: str = "qd:1:1") -> Trade:
    return Trade(side, ASSETS["SOL"], ASSETS["USDC"], base_raw, limit, memo)


def _fill(base_raw: int, quote_raw: int) -> Instruction:
    return Instruction("paper", (), b'{"base_raw":%d,"quote_raw":%d}' % (base_raw, quote_raw))


async def _fate(chain: Chain, transaction: Transaction) -> Fate:
    (sighting,) = await chain.look([transaction])
    return sighting.fate


async def test_lands_its_latency_after_it_was_first_sent() -> None:
    clock = ManualClock()
    chain = _chain(clock)
    made = await chain.prepare(_trade(Side.BUY), [_fill(10, 15)])
    fates = [await _fate(chain, made)]
    await chain.send(made)
    await clock.advance(0.3)
    await chain.send(made)
    await clock.advance(0.099)
    fates.append(await _fate(chain, made))
    await clock.advance(0.001)
    fates.append(await _fate(chain, made))

    receipt = await chain.receipt(_trade(Side.BUY), made)

    assert fates == [Fate.UNSEEN, Fate.UNSEEN, Fate.LANDED]
    assert (receipt.base_raw, receipt.quote_raw, receipt.network_fee_lamports) == (10, 15, 0)
    assert receipt.block_time_ms == clock.now_ms()


async def test_lands_after_a_restart_once_it_is_sent_again() -> None:
    clock = ManualClock()
    made = await _chain(clock).prepare(_trade(Side.BUY), [_fill(10, 15)])

    restarted = _chain(clock, latency_ms=0)
    before = await _fate(restarted, made)
    await restarted.send(made)

    assert (before, await _fate(restarted, made)) == (Fate.UNSEEN, Fate.LANDED)
    assert (await restarted.receipt(_trade(Side.BUY), made)).quote_raw == 15


async def test_tells_attempts_apart_and_names_the_same_bytes_the_same() -> None:
    chain = _chain(ManualClock())
    memos = ["qd:1:1", "qd:1:2", "qd:1:1"]

    made = [await chain.prepare(_trade(Side.BUY, memo=memo), [_fill(10, 15)]) for memo in memos]

    assert made[0] == made[2]
    assert made[0].signature != made[1].signature
    assert made[0].signature.startswith("paper-")


@pytest.mark.parametrize(
    ("side", "quote_raw", "code"),
    [
        (Side.BUY, 20, ""),
        (Side.BUY, 21, "slippage.exceeded"),
        (Side.SELL, 20, ""),
        (Side.SELL, 19, "slippage.exceeded"),
    ],
)
async def test_keeps_the_limit(side: Side, quote_raw: int, code: str) -> None:
    chain = _chain(ManualClock())

    try:
        await chain.prepare(_trade(side), [_fill(10, quote_raw)])
        said = ""
    except DeskError as problem:
        said = problem.code

    assert said == code


@pytest.mark.parametrize(
    "instructions",
    [
        [],
        [_fill(9, 15)],
        [_fill(10, 15)] * 2,
        [Instruction("x", (), b"{}")],
        [Instruction("paper", (), b"odd")],
    ],
)
async def test_refuses_anything_but_one_fill_of_its_size(instructions: list[Instruction]) -> None:
    with pytest.raises(Refused):
        await _chain(ManualClock()).prepare(_trade(Side.BUY), instructions)


async def test_calls_bytes_that_are_no_fill_corrupt() -> None:
    chain = _chain(ManualClock())
    made = await chain.prepare(_trade(Side.BUY), [_fill(10, 15)])
    odd = Transaction(b"odd", "paper-odd", made.last_valid_height, made.simulation)

    with pytest.raises(Corrupt):
        await chain.receipt(_trade(Side.BUY), odd)


async def test_looks_at_once_when_nothing_takes_time_and_holds_its_book() -> None:
    chain = _chain(ManualClock(), latency_ms=0)

    assert chain.poll_s == 0
    assert _chain(ManualClock()).poll_s == 0.05
    assert await chain.balances([ASSETS["SOL"], ASSETS["BTC"]]) == {"SOL": 5, "BTC": 0}


@pytest.mark.parametrize("side", Side)
async def test_fills_on_the_chain_what_the_venue_quoted(side: Side) -> None:
    market, base_raw = MARKETS["SOL-USDC"], 10**9
    both = (market.base.mint, market.quote.mint)
    paid, received = both if side is Side.SELL else both[::-1]
    venue = PaperVenue(price=lambda *_: (Decimal("150.25"), 1, 1))
    (pool,) = venue.pools(frozenset(both), now_ms=1)
    sells = side is Side.SELL
    fill = (pool.exact_in if sells else pool.exact_out)(paid, base_raw)
    quote_raw = fill.received if sells else fill.paid
    swap = Swap(
        paid=paid,
        exact_in=sells,
        amount=base_raw,
        limit=quote_raw,
        owner="",
        paid_from=paid,
        received_in=received,
    )
    trade = _trade(side, base_raw, quote_raw)
    chain = _chain(ManualClock(), latency_ms=0)

    made = await chain.prepare(trade, [pool.instruction(swap)])

    receipt = await chain.receipt(trade, made)
    assert receipt.base_raw == base_raw
    assert receipt.quote_raw == quote_raw == (150_099_750 if sells else 150_400_250)
