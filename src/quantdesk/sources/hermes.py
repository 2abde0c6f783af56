"""The words of Pyth's Hermes v2, without I/O: messages in, readings out.

Spoken by `pyth.py` on the wire and by `recorded.py` from files. Format:
https://docs.pyth.network/price-feeds/core/how-pyth-works/hermes (parsed `price` objects).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.prices import Reading

FEEDS: Mapping[str, str] = {
    "SOL": "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
    "BTC": "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
    "ETH": "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
    "USDT": "2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b",
    "USDC": "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a",
    "PYUSD": "c1da1b73d7f01e7ddd54b3766cf7fcd644395ad14f70aa706ec5384c59e76692",
}
"""Feed of each asset in US dollars: https://docs.pyth.network/price-feeds/core/price-feeds"""

SYMBOLS: Mapping[str, str] = {feed: symbol for symbol, feed in FEEDS.items()}

_EXPO_MAX = 18  # feeds use -10 … 0; more would be another format
_SECONDS_MAX = 1 << 36  # year 4147; milliseconds sent by mistake lie beyond


class Quoted(msgspec.Struct, frozen=True):
    """A price and its confidence as integers times 10^expo; `publish_time` in Unix seconds."""

    price: int
    conf: int
    expo: int
    publish_time: int


class Metadata(msgspec.Struct, frozen=True):
    """Where the update stands among its kind; Hermes may leave any of it out."""

    slot: int | None = None


class Update(msgspec.Struct, frozen=True):
    """One feed's latest price."""

    id: str
    price: Quoted
    metadata: Metadata | None = None

    @property
    def slot(self) -> int:
        """Return the Pythnet slot, zero when the message names none."""
        return (self.metadata.slot if self.metadata else None) or 0


class _Message(msgspec.Struct, frozen=True):
    parsed: list[Update]


class _Wrapped(msgspec.Struct, frozen=True):
    message: _Message


# Not strict: Hermes writes price and conf as strings of digits.
_PLAIN = msgspec.json.Decoder(_Message, strict=False)
_WRAPPED = msgspec.json.Decoder(_Wrapped, strict=False)


def updates(message: bytes) -> list[Update]:
    """Return the updates in a Hermes message; raise `Corrupt` when it is not one."""
    try:
        return _PLAIN.decode(message).parsed
    except msgspec.DecodeError as problem:
        raise Corrupt(f"not a Hermes message: {problem}", code="message.unreadable") from problem


def recorded_updates(line: bytes) -> list[Update]:
    """Return the updates of a recorded line: a Hermes message, or one under the key `message`.

    Raises `Corrupt` when it is neither.
    """
    try:
        return _WRAPPED.decode(line).message.parsed
    except msgspec.DecodeError:
        return updates(line)


def reading(update: Update, *, symbol: str, source: str) -> Reading:
    """Return an update in our words, in US dollars; raise `Corrupt` when it cannot be a price."""
    quoted = update.price
    if quoted.price <= 0 or quoted.conf < 0 or abs(quoted.expo) > _EXPO_MAX:
        raise Corrupt(f"not a price: {quoted}", code="message.unreadable")
    if not 0 < quoted.publish_time < _SECONDS_MAX:
        raise Corrupt(f"not a time: {quoted.publish_time}", code="message.unreadable")
    return Reading(
        source=source,
        symbol=symbol,
        price=Decimal(quoted.price).scaleb(quoted.expo),
        confidence=Decimal(quoted.conf).scaleb(quoted.expo),
        published_ms=quoted.publish_time * 1000,
    )


class Feeds:
    """Every feed's latest update, so that an older one is not told as news.

    What is passed over is counted in `counts`: unknown, disordered, unreadable.
    """

    def __init__(self, *, source: str, counts: Counter[str]) -> None:
        self._source = source
        self._counts = counts
        self._latest: dict[str, Update] = {}

    def readings(self, updates: Iterable[Update]) -> list[Reading]:
        """Return a reading for each update of a known feed that is not behind its latest."""
        found = []
        for update in updates:
            symbol = SYMBOLS.get(update.id)
            if symbol is None:
                self._counts["unknown"] += 1
            elif _is_behind(update, self._latest.get(update.id)):
                self._counts["disordered"] += 1
            else:
                try:
                    found.append(reading(update, symbol=symbol, source=self._source))
                    self._latest[update.id] = update
                except Corrupt:  # one dead feed must not silence the others
                    self._counts["unreadable"] += 1
        return found


def _is_behind(update: Update, latest: Update | None) -> bool:
    if latest is None:
        return False
    if update.price.publish_time != latest.price.publish_time:
        return update.price.publish_time < latest.price.publish_time
    # A feed moves several times within its second: the slot decides, where both name one.
    return 0 < update.slot < latest.slot
