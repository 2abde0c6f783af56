"""Binance's messages become events with their own numbers and times, or are refused."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff, Kline, Mark, Quote, Trade
from quantdesk.sources.words import binance
from quantdesk.sources.words.binance import Reply, Shutdown, control, market, pair_named, read
from quantdesk.testing.binance_walk import Walk

TRADE = {
    "e": "trade", "E": 1723161255343, "s": "BTCUSDT", "t": 3735683259, "p": "61837.63000000",
    "q": "0.02000000", "T": 1723161255342, "m": True, "M": True,
}  # fmt: skip
AGG_TRADE = {
    "e": "aggTrade", "E": 1723161255343, "s": "BTCUSDT", "a": 77, "p": "61837.6", "q": "0.020",
    "f": 100, "l": 105, "T": 1723161255342, "m": False,
}  # fmt: skip
BOOK = {
    "u": 50093239212, "s": "BTCUSDT", "b": "61837.63000000", "B": "3.78826000",
    "a": "61837.64000000", "A": "1.54698000",
}  # fmt: skip
FUTURES_BOOK = {
    "e": "bookTicker", "u": 400900217, "E": 1568014460893, "T": 1568014460891, "s": "BNBUSDT",
    "b": "25.35190000", "B": "31.21000000", "a": "25.36520000", "A": "40.66000000",
}  # fmt: skip
DIFF = {
    "e": "depthUpdate", "E": 1723161255208, "s": "BTCUSDT", "U": 189, "u": 202,
    "b": [["61737.63000000", "0.00000000"]], "a": [["61837.64", "1.54698"], ["61839.85", "0"]],
}  # fmt: skip
FUTURES_DIFF = {**DIFF, "T": 1723161255200, "pu": 188}
KLINE = {
    "e": "kline", "E": 1672515782136, "s": "BNBBTC",
    "k": {
        "t": 1672515780000, "T": 1672515839999, "s": "BNBBTC", "i": "1m", "f": 100, "L": 200,
        "o": "0.0010", "c": "0.0020", "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100,
        "x": False, "q": "1.0000", "V": "500", "Q": "0.500", "B": "123456",
    },
}  # fmt: skip
MARK = {
    "e": "markPriceUpdate", "E": 1562305380000, "s": "BTCUSDT", "p": "11794.15000000",
    "i": "11784.62659091", "P": "11784.25641265", "r": "-0.00038167", "T": 1562306400000,
}  # fmt: skip
STREAMS: dict[str, dict[str, Any]] = {
    "btcusdt@trade": TRADE,
    "btcusdt@aggTrade": AGG_TRADE,
    "btcusdt@bookTicker": BOOK,
    "bnbusdt@bookTicker": FUTURES_BOOK,
    "btcusdt@depth@100ms": DIFF,
    "btcusdt@depth": FUTURES_DIFF,
    "bnbbtc@kline_1m": KLINE,
    "btcusdt@markPrice@1s": MARK,
}
SNAPSHOT = b'{"lastUpdateId":218,"bids":[["61837.63","3.7"]],"asks":[["61837.64","1.5"]]}'


def refuses(stream: str, name: str, value: object) -> bool:
    """Say whether a message is refused with this in one field, or without the field for None."""
    data = STREAMS[stream]
    changed = {**data.get("k", data), name: value}
    if value is None:
        del changed[name]
    try:
        read(combined(stream, {**data, "k": changed} if "k" in data else changed), "ws")
    except Corrupt as refused:
        return refused.code == "message.unreadable"
    return False


def tight(said: object) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


def combined(stream: str, data: object) -> bytes:
    return tight({"stream": stream, "data": data})


MESSAGES = [combined(stream, data) for stream, data in STREAMS.items()]


def test_that_every_kind_gives_its_own_numbers() -> None:
    bids, asks = [("61737.63000000", "0.00000000")], [("61837.64", "1.54698"), ("61839.85", "0")]
    sold = Trade("BTC", "USDT", "61837.63000000", "0.02000000", 3735683259, 1723161255342, True)  # noqa: FBT003
    bought = Trade("BTC", "USDT", "61837.6", "0.020", 77, 1723161255342, False)  # noqa: FBT003
    spot_top = ("61837.63000000", "3.78826000", "61837.64000000", "1.54698000", 50093239212)
    futures_top = ("25.35190000", "31.21000000", "25.36520000", "40.66000000", 400900217)
    candle = Kline(
        *("BNB", "BTC", "1m", 1672515780000, 1672515839999, "0.0010", "0.0025", "0.0015"),
        *("0.0020", "1000", 100, 100, 200),
        closed=False,
        event_ms=1672515782136,
        quote_volume="1.0000",
        taker_buy_volume="500",
    )
    assert [read(message, "ws") for message in MESSAGES] == [
        (sold,),
        (bought,),
        (Quote("BTC", "USDT", *spot_top),),
        (Quote("BNB", "USDT", *futures_top, 1568014460893),),
        (Diff("BTC", "USDT", 189, 202, bids, asks, 1723161255208),),
        (Diff("BTC", "USDT", 189, 202, bids, asks, 1723161255208, 188),),
        (candle,),
        (
            Mark(
                *("BTC", "USDT", "11794.15000000", "11784.62659091", "-0.00038167"),
                *(1562306400000, 1562305380000),
            ),
        ),
    ]


@pytest.mark.parametrize("stream", STREAMS)
def test_that_layout_and_wrapping_do_not_matter(stream: str) -> None:
    data = STREAMS[stream]
    events = read(combined(stream, data), "ws")
    backwards = {"data": dict(reversed(data.items())), "stream": stream}

    assert events
    assert read(tight(data), "ws") == events
    assert read(json.dumps({"stream": stream, "data": data}, indent=1).encode(), "ws") == events
    assert read(tight(backwards), "ws") == events
    assert read(combined(stream, {**data, "new": {"field": [1]}}), "ws") == events


@pytest.mark.parametrize("stream", STREAMS)
def test_that_microseconds_are_told_by_their_size(stream: str) -> None:
    def finer(said: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value * 1000 + 999 if name in "ETt" and isinstance(value, int) and value > 1e12
            else finer(value) if isinstance(value, dict) else value
            for name, value in said.items()
        }  # fmt: skip

    assert read(combined(stream, finer(STREAMS[stream])), "ws") == read(
        combined(stream, STREAMS[stream]), "ws"
    )


def test_that_a_snapshot_is_of_the_pair_of_its_feed() -> None:
    assert read(SNAPSHOT, "depth:ETHBTC") == (
        Depth("ETH", "BTC", 218, [("61837.63", "3.7")], [("61837.64", "1.5")]),
    )
    for feed in ("ws", "BTCUSDT", "depth:", "depth:X"):
        with pytest.raises(Corrupt):
            read(SNAPSHOT, feed)


@pytest.mark.parametrize("fund", ["INSURANCE_FUND", "ADL", "NA"])
def test_that_what_no_market_traded_is_no_trade(fund: str) -> None:
    assert read(combined("btcusdt@trade", {**TRADE, "X": fund}), "market") == ()
    assert read(combined("btcusdt@trade", {**TRADE, "X": "MARKET"}), "market")


@pytest.mark.parametrize(
    "silent",
    [
        b'{"result":null,"id":1}',
        b'{"error":{"code":2,"msg":"Invalid request"},"id":1}',
        b'{"e":"serverShutdown","E":1723161255343}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}',
        combined("btcusdt@depth20@100ms", {"lastUpdateId": 1, "bids": [], "asks": []}),
        combined("btcusdt@ticker", {"e": "24hrTicker", "s": "BTCUSDT", "p": "-1"}),
        combined("!bookTicker", BOOK) .replace(b"BTCUSDT", b"BTCUSDT_251226"),
        combined("btcusdt_251226@bookTicker", {**FUTURES_BOOK, "s": "BTCUSDT_251226"}),
        combined("btcusdt_251226@markPrice@1s", {**MARK, "s": "BTCUSDT_251226", "r": "", "T": 0}),
    ],
)  # fmt: skip
def test_that_other_words_say_nothing_of_markets(silent: bytes) -> None:
    assert read(silent, "ws") == ()


READ = {
    "btcusdt@trade": ("pq", "tT"),
    "btcusdt@aggTrade": ("pq", "aT"),
    "btcusdt@bookTicker": ("bBaA", "u"),
    "bnbusdt@bookTicker": ("bBaA", "uE"),
    "btcusdt@depth@100ms": ("", "uUE"),
    "btcusdt@depth": ("", "uUE"),
    "bnbbtc@kline_1m": ("ohlcv", "tTn"),
    "btcusdt@markPrice@1s": ("pir", "ET"),
}
"""Fields that are read of each: decimals, and ids and times."""
NO_NUMBERS = ("", ".", "1.2.3", "1.", ".5", "NaN", "inf", "-1", "+1", "1e5", "1_0", " 1", "1 ", "1 2", "٣", "1" * 41)  # fmt: skip # noqa: E501


@pytest.mark.parametrize("broken", NO_NUMBERS)
@pytest.mark.parametrize("stream", STREAMS)
def test_that_what_is_no_number_is_refused(stream: str, broken: str) -> None:
    assert read(combined(stream, STREAMS[stream]), "ws")  # its shape is known from here on
    for name in READ[stream][0]:
        if (name, broken) != ("r", "-1"):  # funding may be paid either way
            assert refuses(stream, name, broken), name


@pytest.mark.parametrize("broken", NO_NUMBERS)
def test_that_a_level_that_is_no_number_is_refused(broken: str) -> None:
    for side in "ba":
        for level in (["1.5", broken], [broken, "1.5"], [broken]):
            with pytest.raises(Corrupt):
                read(combined("btcusdt@depth@100ms", {**DIFF, side: [["1", "1"], level]}), "ws")
    with pytest.raises(Corrupt):
        read(tight({"lastUpdateId": 1, "bids": [[broken, "1"]], "asks": []}), "depth:BTCUSDT")


@pytest.mark.parametrize("number", [-1, 1 << 63, 1.5, "1", [], True])
@pytest.mark.parametrize("stream", STREAMS)
def test_that_an_impossible_id_or_time_is_refused(stream: str, number: object) -> None:
    for name in READ[stream][1]:
        assert refuses(stream, name, number), name


@pytest.mark.parametrize("stream", STREAMS)
def test_that_a_missing_field_is_refused(stream: str) -> None:
    for name in "".join(READ[stream]):
        if stream != "bnbusdt@bookTicker" or name != "E":  # spot's has none
            assert refuses(stream, name, None), name


def test_that_notices_are_told_from_markets() -> None:
    assert control(b'{"e":"serverShutdown","E":1723161255343}') == Shutdown()
    assert control(b'{"stream":"!serverShutdown","data":{"e":"x","E":1}}') == Shutdown()
    assert control(b'{"result":null,"id":7}') == Reply(7)
    assert control(b'{"error":{"code":2,"msg":"No"},"id":"a"}') == Reply("a", "No (2)")
    assert control(b'{"code":3,"msg":"No"}') == Reply(None, "No (3)")
    assert [control(message) for message in MESSAGES] == [None] * len(MESSAGES)
    assert [control(tight(data)) for data in STREAMS.values()] == [None] * len(STREAMS)
    assert control(b"\xff") is None


def test_that_a_message_names_its_pair() -> None:
    assert pair_named(MESSAGES[0]) == pair_named(tight(TRADE)) == "BTCUSDT"
    assert pair_named(SNAPSHOT) == pair_named(b"\xff") == pair_named(b"[]") == ""


@pytest.mark.parametrize(
    ("pair", "named"),
    [
        ("BTCFDUSD", ("BTC", "FDUSD")),
        ("USDCUSDT", ("USDC", "USDT")),
        ("ETHBTC", ("ETH", "BTC")),
        ("1000SHIBUSDT", ("1000SHIB", "USDT")),
        ("币安人生USDT", ("币安人生", "USDT")),
        ("USDT", None),
        ("BTCUSDT_251226", None),
        ("", None),
        ("NOTHING", None),
    ],
)
def test_that_pairs_are_split_at_what_they_are_quoted_in(
    pair: str, named: tuple[str, str] | None
) -> None:
    assert market(pair) == named


def mutated(message: bytes, chance: random.Random) -> bytes:
    """Return a message with some bytes changed, taken out, put in, or moved."""
    data = bytearray(message)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data) + 1)
        act = chance.randrange(4)
        if act == 0:
            data[at:at] = chance.choice([b"9" * 30, b'"', b"{", b"]", b"\xff", b"-", b"null", b"."])
        elif act == 1:
            del data[at : at + chance.randrange(8)]
        elif act == 2 and at < len(data):
            data[at] = chance.randrange(256)
        else:
            data[at:at] = data[chance.randrange(len(data) + 1) :][: chance.randrange(20)]
    return bytes(data)


def readable(data: bytes, feed: str) -> bool:
    """Try all that reads messages; say whether this one was read or refused by its code."""
    control(data)
    pair_named(data)
    try:
        return isinstance(read(data, feed), tuple)
    except Corrupt as refused:
        return refused.code == "message.unreadable"


@given(st.sampled_from([*MESSAGES, SNAPSHOT]), st.randoms(use_true_random=False))
def test_that_a_broken_message_is_read_or_refused(message: bytes, chance: random.Random) -> None:
    for _ in range(40):
        assert readable(mutated(message, chance), chance.choice(["ws", "depth:BTCUSDT", ""]))


@given(st.binary(max_size=400), st.text(max_size=20))
def test_that_noise_is_read_or_refused(data: bytes, feed: str) -> None:
    assert readable(data, feed)
    assert readable(b'{"stream":"btcusdt@trade","data":' + data + b"}", feed)


def test_that_nesting_without_end_is_refused() -> None:
    for opened in (b"[", b'{"data":', b'{"stream":"a@trade","data":', b'{"s":'):
        with pytest.raises(Corrupt):
            read(opened * 100_000, "ws")


DIGITS = st.from_regex(r"[0-9]{1,12}\.[0-9]{1,8}", fullmatch=True)


@given(st.lists(DIGITS, min_size=4, max_size=4), st.integers(0, 2**63 - 1), st.booleans())
def test_that_a_message_of_a_known_shape_is_read_like_one_of_none(
    numbers: list[str],
    number: int,
    either: bool,  # noqa: FBT001
) -> None:
    top = {**(FUTURES_BOOK if either else BOOK), "u": number}
    top |= dict(zip("bBaA", numbers, strict=True))
    prints = {"t": number, "a": number, "p": numbers[0], "q": numbers[1], "m": either}
    for stream, data in (
        ("x@bookTicker", top),
        ("x@trade", TRADE | prints),
        ("x@aggTrade", AGG_TRADE | prints),
    ):
        message = combined(stream, data)
        apart = json.dumps({"stream": stream, "data": data}).encode()  # with blanks: never known
        assert read(message, "ws") == read(message, "ws") == read(apart, "ws")
        assert shape(message) in binance._SOUND
        assert shape(apart) not in binance._SOUND


@given(st.sampled_from(MESSAGES), st.randoms(use_true_random=False))
def test_that_no_digits_make_a_known_shape_say_what_a_new_one_would_not(
    message: bytes, chance: random.Random
) -> None:
    for _ in range(20):
        first = chance.choice([message, mutated(message, chance)])
        other = bytes(chance.choice(b"0123456789") if 48 <= one < 58 else one for one in first)
        binance._SOUND.clear()
        alone = outcome(other)
        binance._SOUND.clear()
        outcome(first)
        assert outcome(other) == alone


def test_that_digits_which_spell_a_letter_are_no_number() -> None:
    escaped = combined("btcusdt@bookTicker", BOOK).replace(b'"3.78826000"', b'"\\u0033.78826000"')
    assert read(escaped, "ws") == read(combined("btcusdt@bookTicker", BOOK), "ws")
    assert outcome(escaped.replace(b"u0033", b"u0043")) == "message.unreadable"


def test_that_no_more_shapes_are_remembered_than_a_bound() -> None:
    for number in range(binance._SHAPES_KNOWN + 2):
        name = "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))
        assert read(combined("x@bookTicker", {**BOOK, "s": f"{name}USDT"}), "ws")
        assert 0 < len(binance._SOUND) <= binance._SHAPES_KNOWN


def shape(message: bytes) -> bytes:
    """Return a message with zeros for its digits."""
    return bytes(48 if 48 <= one < 58 else one for one in message)


def outcome(message: bytes) -> object:
    """Return what a message says, or the code it is refused by."""
    try:
        return read(message, "ws")
    except Corrupt as refused:
        return refused.code


def test_that_a_market_made_up_is_read_whole() -> None:
    for futures in (False, True):
        walk = Walk("BTCUSDT", seed=3, futures=futures)
        for now_ms in range(1_723_161_240_000, 1_723_161_340_000, 100):
            said = [*walk.step(now_ms), *walk.kline(now_ms), walk.mark(now_ms)]
            for name, data in [*said, *filter(None, [walk.diff(now_ms)])]:
                assert len(read(combined(f"btcusdt@{name}", data), "ws")) == 1
