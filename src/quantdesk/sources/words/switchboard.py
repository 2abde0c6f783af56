"""The words of Switchboard's Crossbar: an answer of simulated feeds in, oracles' prices out; pure.

    [{"feed": "<pubkey>", "feedHash": "0x…", "results": [61000.5, "61000.7"], "error": "…"}]

A result is what one job of the feed found, as a number or a string. The price is their median, the
confidence half of what lies between the outermost: by Popoviciu's inequality no set of numbers has
a larger standard deviation. One job alone claims no confidence.

Nothing says when a result was found: the time of the event is when the answer reached us, and such
a price has no age of its own. So it may agree with others or contradict them, and must never be all
that a trade goes by.

Neither does an answer name assets: a frame's feed does ("simulate:BTC=<pubkey>,ETH=<pubkey>"), so
that a recording is read without settings.
Format: https://docs.rs/crate/switchboard-on-demand/latest/source/src/client/crossbar.rs
"""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Event, Oracle

CURRENCY: Final = "USD"
FEED: Final = "simulate:"
_DIGITS: Final = 18
"""Of a price as an integer: as many as a signed 64-bit number always holds."""
_NUMBER: Final = re.compile(
    rb'"?(-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?)"?'
).fullmatch
_WIDE: Final = Context(prec=200)
_NOTHING: Final = msgspec.Raw(b"null")
_HALF: Final = Decimal("0.5")
SYMBOL: Final = re.compile(r"[A-Za-z0-9]{1,20}").fullmatch
_PAIRS: Final = re.compile(r"[A-Za-z0-9]{1,20}=[1-9A-HJ-NP-Za-km-z]{32,44}").fullmatch


class Answer(msgspec.Struct, frozen=True):
    """What Crossbar says of one feed; `results` are the jobs', each as it was written."""

    feed: str
    results: list[msgspec.Raw] | None = None
    error: msgspec.Raw = _NOTHING

    @property
    def numbers(self) -> list[Decimal]:
        """Return the results that are numbers, in order of their size."""
        written = [_NUMBER(bytes(result)) for result in self.results or ()]
        return sorted(Decimal(found[1].decode()) for found in written if found)

    @property
    def problem(self) -> str:
        """Return what is the matter with it, "" if nothing is."""
        if (error := bytes(self.error)) not in {b"null", b'""'}:
            return error.decode("utf-8", "replace")
        missing = len(self.results or ()) - len(self.numbers)
        if missing:
            return f"{missing} of {len(self.results or ())} results are no numbers"
        return "" if self.results else "no results"


_ANSWERS: Final = msgspec.json.Decoder(list[Answer])


def feed_of(pubkeys: Mapping[str, str]) -> str:
    """Return the feed of a frame that answers for these assets' pubkeys."""
    return FEED + ",".join(f"{symbol}={pubkey}" for symbol, pubkey in pubkeys.items())


def answers(data: bytes) -> list[Answer]:
    """Return what an answer holds; raise `Corrupt` (`message.unreadable`) when it is none."""
    try:
        return _ANSWERS.decode(data)
    except ValueError as problem:  # msgspec's errors are, and what UTF-8 is not
        raise _unreadable(str(problem)) from problem


def read(data: bytes, feed: str, received_ms: int) -> Sequence[Event]:
    """Return the prices in an answer that reached us at `received_ms`, for the assets of `feed`.

    What has no number among its results says nothing. Raises `Corrupt` (`message.unreadable`).
    """
    symbols = _symbols(feed)
    return [
        _oracle(symbols[answer.feed], numbers, received_ms)
        for answer in answers(data)
        if answer.feed in symbols and (numbers := answer.numbers)
    ]


def _oracle(symbol: str, numbers: Sequence[Decimal], received_ms: int) -> Oracle:
    half = len(numbers) // 2
    upper, lower = numbers[half], numbers[half if len(numbers) % 2 else half - 1]
    price = _WIDE.multiply(_WIDE.add(upper, lower), _HALF)
    spread = _WIDE.multiply(_WIDE.subtract(numbers[-1], numbers[0]), _HALF)
    exponent = price.adjusted() - _DIGITS + 1
    return Oracle(
        symbol=symbol,
        currency=CURRENCY,
        price=_units(price, exponent, ROUND_HALF_EVEN),
        confidence=_units(spread, exponent, ROUND_CEILING),
        exponent=exponent,
        event_ms=received_ms,
    )


def _units(value: Decimal, exponent: int, rounding: str) -> int:
    return int(value.scaleb(-exponent, _WIDE).to_integral_value(rounding, _WIDE))


def _symbols(feed: str) -> dict[str, str]:
    named = feed.removeprefix(FEED).split(",")
    if not feed.startswith(FEED) or not all(_PAIRS(one) for one in named):
        raise _unreadable(f"nothing says which assets {feed[:40]!r} asked for")
    pairs = [one.partition("=") for one in named]
    return {pubkey: symbol for symbol, _, pubkey in pairs}


def _unreadable(why: str) -> Corrupt:
    return Corrupt(f"not a Crossbar answer: {why}", code="message.unreadable")
