"""Binance's bad days: what the source does on each, and what it never loses."""

import asyncio
import socket

import pytest
from tests.unit.sources.binance.stage import Desk, play

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.ticks import Frame, Quote
from quantdesk.sources.binance import SPOT, Binance
from quantdesk.sources.reconnecting import PATIENCE, Patience

HOUR_S = 3600.0
SILENCE_S = 30.0
DEPTH = "/api/v3/depth"


def test_that_a_cut_is_mended_and_the_books_are_fetched_anew() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.until(lambda: len(desk.books()) == 2)
        desk.market.cut()
        await desk.until(lambda: desk.market.connected == 2 and desk.market.listening == 1)
        await desk.until(lambda: len(desk.books()) == 4)
        assert desk.counts["reconnects"] == 1
        assert "renewals" not in desk.counts

    play(scene)


def test_that_a_day_ended_by_the_exchange_is_mended() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        await desk.market.end_the_day()
        await desk.until(lambda: desk.market.connected == 2)
        assert desk.counts["reconnects"] == 1

    play(scene)


def test_that_silence_is_noticed_while_the_socket_stands() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        await desk.market.tick()
        await desk.turns()
        desk.market.freeze()
        took_s = await desk.until(lambda: desk.market.connected == 2, within_s=40)
        assert SILENCE_S <= took_s <= SILENCE_S + 2
        assert desk.counts["silences"] == 1

    play(scene)


def test_that_a_shutdown_loses_nothing() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.until(lambda: len(desk.books()) == 2)
        await desk.market.tick()
        await desk.market.shut_down()
        took_s = await desk.until(lambda: desk.market.listening == 2)
        assert took_s < 1, "at once"
        for _ in range(20):
            await desk.market.tick()
            await desk.turns()
            await desk.clock.advance(0.2)
        assert desk.market.listening == 1, "the old one is let go"
        assert set(desk.market.sent) <= desk.heard(), "every message came by one or the other"
        assert len(desk.books()) == 2, "no gap: the books are not fetched again"
        assert (desk.counts["shutdowns"], desk.counts["renewals"]) == (1, 1)
        assert "reconnects" not in desk.counts

    play(scene)


def test_that_a_connection_is_renewed_before_its_day_is_over() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        for _ in range(23):  # never silent for long
            await desk.market.say('{"result":null,"id":1}')
            await desk.turns()
            await desk.clock.advance(25)
        assert desk.market.connected == 1
        await desk.market.tick()
        took_s = await desk.until(lambda: desk.market.listening == 2, within_s=60)
        assert 24 <= took_s <= 26
        for _ in range(20):
            await desk.market.tick()
            await desk.turns()
            await desk.clock.advance(0.2)
        assert set(desk.market.sent) <= desk.heard()
        assert (desk.market.listening, desk.counts["renewals"]) == (1, 1)

    assert PATIENCE.life_s == 23 * HOUR_S
    play(scene, patience=Patience(life_s=600))


def test_that_a_renewal_waits_for_the_new_one_to_speak() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        desk.market.bad.refuse = True  # it takes the connection and says nothing of markets
        await desk.market.shut_down()
        await desk.until(lambda: desk.market.connected == 2)
        await desk.clock.advance(1)
        assert desk.market.listening == 1, "the old one still delivers"
        assert desk.counts["refusals"] == 1

    play(scene)


def test_that_pings_are_answered_with_their_payload() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        await desk.market.ping(b"1723161255343")
        await desk.until(lambda: desk.market.pongs)
        assert desk.market.pongs == [b"1723161255343"]

    play(scene)


@pytest.mark.parametrize("status", [418, 429])
def test_that_rest_is_left_alone_for_as_long_as_it_said(status: int) -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.until(lambda: len(desk.books()) == 2)
        await desk.clock.advance(5)
        desk.market.bad.rest_status, desk.market.bad.retry_after = status, "20"
        desk.source.resync("BTC")
        await desk.until(lambda: desk.market.asked[DEPTH] == 3)
        desk.market.bad.rest_status = 200
        desk.source.resync("ETH")
        took_s = await desk.until(lambda: desk.market.asked[DEPTH] > 3, within_s=60)
        assert took_s >= 20
        await desk.until(lambda: len(desk.books()) == 4, within_s=60)
        assert desk.counts["snapshot_failures"] == 1

    play(scene)


@pytest.mark.parametrize("status", [418, 429])
def test_that_a_busy_handshake_is_left_alone_for_as_long_as_it_said(status: int) -> None:
    async def scene(desk: Desk) -> None:
        desk.market.bad.stream_status, desk.market.bad.retry_after = status, "45"
        desk.start()
        await desk.until(lambda: desk.market.asked["/stream"] == 1)
        desk.market.bad.stream_status = 101
        took_s = await desk.until(lambda: desk.market.connected == 1, within_s=60)
        assert took_s >= 45

    play(scene)


@pytest.mark.parametrize("status", [451, 403])
@pytest.mark.parametrize("where", ["rest_status", "stream_status"])
def test_that_a_place_not_served_is_told_at_once(status: int, where: str) -> None:
    async def scene(desk: Desk) -> None:
        setattr(desk.market.bad, where, status)
        desk.start()
        problem = await desk.ended()
        assert isinstance(problem, Unavailable)
        assert problem.code == "source.barred"
        assert str(status) in problem.detail

    play(scene)


def test_that_a_server_that_only_fails_is_asked_ever_more_rarely() -> None:
    async def scene(desk: Desk) -> None:
        desk.market.bad.stream_status = 502
        desk.start()
        await desk.until(lambda: desk.market.asked["/stream"] >= 5, within_s=60)
        before = desk.market.asked["/stream"]
        for _ in range(600):
            await desk.clock.advance(1)
            await desk.turns()
        assert desk.market.asked["/stream"] - before <= 11, "once a minute: the breaker is open"
        desk.market.bad.stream_status = 101
        await desk.until(lambda: desk.market.listening == 1, within_s=100)

    play(scene)


def test_that_garbage_passes_and_the_connection_stays() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        await desk.market.garbage()
        await desk.market.tick()
        await desk.turns()
        assert desk.market.connected == 1
        assert len(desk.heard()) > 20

    play(scene)


def test_that_doubles_and_disorder_come_as_they_are_sent() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected()
        desk.market.bad.twice = desk.market.bad.reorder = True
        await desk.market.tick(200)
        await desk.until(lambda: len(desk.frames) >= 2 * len(desk.market.sent))
        quotes = [
            event.update_id
            for frame in desk.frames
            for event in desk.source.read(frame)
            if isinstance(event, Quote) and event.symbol == "BTC"
        ]
        assert quotes == sorted(quotes, reverse=True)
        assert len(quotes) == 2 * len(set(quotes)) > 0
        stamps = [frame.received_ns for frame in desk.frames]
        assert stamps == sorted(set(stamps))

    play(scene)


def test_that_the_exchange_s_clock_is_told_and_not_mixed_with_ours() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected(2)
        desk.market.bad.skew_ms = -10_000
        await desk.market.tick()
        await desk.turns()
        (quote, *_), frame = next(
            (events, frame)
            for frame in desk.frames
            if isinstance((events := desk.source.read(frame))[0], Quote)
        )
        assert isinstance(quote, Quote)
        assert frame.received_ms - (quote.event_ms or 0) == 10_000

    play(scene, futures=True)


def test_that_a_book_is_fetched_once_at_a_time_and_once_a_second() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.until(lambda: len(desk.books()) == 2)
        for _ in range(40):
            desk.source.resync("BTC")
            await desk.turns()
            await desk.clock.advance(0.1)
        asked = desk.market.asked[f"{DEPTH} BTCUSDT"]
        assert 3 <= asked <= 6
        assert desk.market.asked[f"{DEPTH} ETHUSDT"] == 1

    play(scene)


def test_that_a_gap_can_be_bridged_from_a_new_book() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.until(lambda: len(desk.books()) == 2)
        desk.market.bad.lose_depth = 1
        await desk.market.tick()
        lost_id = desk.market.walks["BTCUSDT"].update_id
        await desk.clock.advance(2)
        desk.source.resync("BTC")
        await desk.until(lambda: len(desk.books()) == 3)
        assert desk.books()[-1].symbol == "BTC"
        assert desk.books()[-1].last_id >= lost_id

    play(scene)


def test_that_futures_listen_at_two_routes() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.connected(2)
        await desk.market.tick()
        await desk.until(lambda: len(desk.frames) > 20)
        kinds: dict[str, set[str]] = {}
        for frame in desk.frames:
            for event in desk.source.read(frame):
                kinds.setdefault(frame.feed, set()).add(type(event).__name__)
        assert kinds == {
            "public": {"Quote", "Diff"},
            "market": {"Trade", "Kline", "Mark"},
            "depth:BTCUSDT": {"Depth"},
            "depth:ETHUSDT": {"Depth"},
        }
        assert {frame.source for frame in desk.frames} == {"binance.futures"}

    play(scene, futures=True)


def test_that_an_asset_nobody_trades_is_refused() -> None:
    async def scene(desk: Desk) -> None:
        for symbols in (("NOSUCH",), ("USDT",), ()):
            desk.symbols = symbols
            desk.start()
            problem = await desk.ended()
            assert isinstance(problem, Refused)
            assert problem.code == "symbol.unknown"

    play(scene)


def test_that_assets_nobody_trades_do_not_keep_others_away() -> None:
    async def scene(desk: Desk) -> None:
        desk.symbols = ("NOSUCH", "ETH", "NEITHER", "BTC")
        desk.start()
        await desk.connected()
        await desk.until(lambda: {book.symbol for book in desk.books()} == {"BTC", "ETH"})

    play(scene)


def test_that_a_list_that_fails_is_asked_for_again() -> None:
    async def scene(desk: Desk) -> None:
        desk.market.bad.rest_status = 500
        desk.start()
        await desk.until(lambda: desk.market.asked["/api/v3/exchangeInfo"] >= 3, within_s=20)
        desk.market.bad.rest_status = 200
        await desk.connected()
        assert desk.counts["failures"] >= 3

    play(scene)


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b"[]", b'{"symbols":[{}]}', b'{"symbols":[],"x":' + b"[" * 100_000]
)
def test_that_a_list_that_cannot_be_read_is_asked_for_again(body: bytes) -> None:
    async def scene(desk: Desk) -> None:
        desk.market.bad.rest_body = body
        desk.start()
        await desk.until(lambda: desk.market.asked["/api/v3/exchangeInfo"] >= 2, within_s=20)
        desk.market.bad.rest_body = b""
        await desk.connected()

    play(scene)


def test_that_a_book_that_cannot_be_read_is_handed_over_and_can_be_asked_for_again() -> None:
    async def scene(desk: Desk) -> None:
        desk.start()
        await desk.until(lambda: len(desk.books()) == 2)
        desk.market.bad.rest_body = b"<html>"
        desk.source.resync("BTC")
        await desk.until(lambda: desk.frames[-1].feed == "depth:BTCUSDT")
        with pytest.raises(Corrupt):
            desk.source.read(desk.frames.pop())
        desk.market.bad.rest_body = b""
        desk.source.resync("BTC")
        await desk.until(lambda: len(desk.books()) == 3)

    play(scene)


def test_that_an_error_of_ours_comes_out() -> None:
    async def scene(desk: Desk) -> None:
        def take(frame: Frame) -> None:
            raise ZeroDivisionError

        desk.running = asyncio.ensure_future(desk.source.run(("BTC",), take))
        await desk.connected()
        await desk.market.tick()
        assert isinstance(await desk.ended(), ZeroDivisionError)

    play(scene)


def test_that_a_probe_tells_whether_it_answers() -> None:
    async def scene(desk: Desk) -> None:
        await desk.source.probe()
        for status, code in ((451, "source.barred"), (500, "source.declined")):
            desk.market.bad.rest_status = status
            with pytest.raises(Unavailable) as refused:
                await desk.source.probe()
            assert refused.value.code == code

    play(scene)


def test_that_a_probe_of_a_silent_server_ends_after_three_seconds() -> None:
    async def scene(desk: Desk) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, reads nothing
            silent = SPOT.at(rest_url=f"http://127.0.0.1:{server.getsockname()[1]}")
            source = Binance(silent, clock=desk.clock, chance=lambda: 0.5)
            desk.running = asyncio.ensure_future(source.probe())
            problem = await desk.ended()
        assert isinstance(problem, Unavailable)
        assert 3 <= desk.clock.monotonic() <= 3.2

    play(scene)
