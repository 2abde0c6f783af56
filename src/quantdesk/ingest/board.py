"""The board: the latest word on every asset, in US dollars, with its source and its age.

Collectors put readings on it; guard, routing, the hub and the localnet's maker read from it. A
reading quoted in a stablecoin is turned into dollars by that coin's own price, when it is asked
for: a stablecoin is never taken for a dollar unless `assume` says so, and then the source's name
says so too.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Self

from quantdesk.core.clock import iso
from quantdesk.core.errors import Unavailable
from quantdesk.core.prices import Price, Reading

_DOLLAR = "USD"


class Board:
    """Latest prices; `accepted` and `rejected` count readings by source, and by source and reason.

    `assume` holds dollars per unit of assets that may have no price of their own, such as the USDT
    that a recording of one pair is quoted in: it fills a gap, a reading always goes before it.
    `replayed` names the sources whose publish times are of another day, so that age is counted
    from when they reached the desk alone.
    """

    def __init__(
        self,
        *,
        assume: Mapping[str, Decimal] = MappingProxyType({}),
        replayed: Collection[str] = (),
    ) -> None:
        self._assume = dict(assume)
        self._replayed = frozenset(replayed)
        self._latest: dict[str, Price] = {}
        self._latest_of: dict[tuple[str, str], Reading] = {}
        self._touched_ms = 0
        self.revision = 0
        """Rises with every reading taken, so that others may remember what they worked out."""
        self._told: dict[str, tuple[Price, dict[str, Any]]] = {}
        self._changes: set[Changes] = set()
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[tuple[str, str]] = Counter()

    def take(self, reading: Reading, received_ms: int) -> Price | None:
        """Put a reading up and return its price in dollars.

        Returns None when it is refused (`older` than, or a `duplicate` of, the source's last one on
        the asset) or when what it is quoted in has no price yet.
        """
        last = self._latest_of.get((reading.source, reading.symbol))
        fault = _fault(reading, last)
        if fault is not None:
            self.rejected[reading.source, fault] += 1
            return None
        self._latest_of[reading.source, reading.symbol] = reading
        self._latest[reading.symbol] = Price(reading, received_ms)
        self._touched_ms = max(self._touched_ms, received_ms)
        self.accepted[reading.source] += 1
        self.revision += 1
        self._tell(reading.symbol)
        return self.latest(reading.symbol)

    def latest(self, symbol: str) -> Price | None:
        """Return the latest price in dollars, None when there is none.

        A converted price names both sources, is as old as the older of the two, and is as sure as
        both together (their confidences add up).
        """
        parts = self._parts(symbol)
        return _in_dollars(parts) if parts else None

    def price(self, base: str, quote: str) -> Decimal:
        """Return `quote` per `base`, from the two prices in dollars.

        Raises `Unavailable` (`price.missing`). It says nothing about age: ask `fresh` for both.
        """
        return self._known(base).value / self._known(quote).value

    def fresh(self, symbol: str, *, now_ms: int, age_ms_max: int) -> Price:
        """Return the latest price in dollars; raise `Unavailable` when it cannot be relied on.

        `price.missing`: none yet. `price.stale`: it, or what it was converted by, was published or
        reached the desk more than `age_ms_max` milliseconds ago.
        """
        price = self._known(symbol)
        age_ms = self.age_ms(symbol, now_ms=now_ms)
        if age_ms > age_ms_max:
            raise Unavailable(
                f"the last price of {symbol} ({price.reading.source}) is {age_ms / 1000:.1f} s "
                f"old, more than the {age_ms_max / 1000:g} s allowed: wait for the source to come "
                "back, or choose another with --source",
                code="price.stale",
            )
        return price

    def age_ms(self, symbol: str, *, now_ms: int) -> int:
        """Return the age of a price in milliseconds, of the older part where it was converted.

        Counted from its publication or its arrival, whichever was earlier; from its arrival alone
        for `replayed` sources. Raises `Unavailable` (`price.missing`).
        """
        self._known(symbol)
        return max(self._part_age_ms(part, now_ms) for part in self._parts(symbol))

    def provenance(self, symbol: str, *, now_ms: int) -> dict[str, Any]:
        """Return where a price came from, ready for JSON; raise `Unavailable` (`price.missing`).

        Value and confidence are US dollars as decimal strings, times ISO-8601 UTC.
        """
        price = self._known(symbol)
        told = self._told.get(symbol)
        if told is None or told[0] is not price:
            told = self._told[symbol] = (price, _provenance(price))
        return {**told[1], "ageMs": self.age_ms(symbol, now_ms=now_ms)}

    def changes(self) -> "Changes":
        """Return an iterator over which assets changed, from now on; use it in a `with` block."""
        changes = Changes(self._changes)
        self._changes.add(changes)
        return changes

    def _known(self, symbol: str) -> Price:
        price = self.latest(symbol)
        if price is not None:
            return price
        said = self._latest.get(symbol)
        if said is None:
            detail = f"no source has given a price of {symbol} yet: see `quantdesk prices`"
        else:
            detail = (
                f"{said.reading.source} quotes {symbol} in {said.reading.currency}, and no source "
                f"has given a price of {said.reading.currency} yet: see `quantdesk prices`"
            )
        raise Unavailable(detail, code="price.missing")

    def _parts(self, symbol: str) -> tuple[Price, ...]:
        said = self._latest.get(symbol)
        if said is None:
            return self._assumed(symbol)
        currency = said.reading.currency
        if currency == _DOLLAR:
            return (said,)
        rate = self._latest.get(currency)
        if rate is not None and rate.reading.currency == _DOLLAR:
            return (said, rate)
        assumed = self._assumed(currency)
        return (said, *assumed) if assumed else ()

    def _assumed(self, symbol: str) -> tuple[Price, ...]:
        rate = self._assume.get(symbol)
        if rate is None or not self._latest:
            return ()
        # It is held true while readings come, so it is as old as the newest of them.
        words = "at par" if rate == 1 else f"at {rate:f} USD"
        reading = Reading(f"assumed {words}", symbol, rate, Decimal(0), self._touched_ms)
        return (Price(reading, self._touched_ms),)

    def _part_age_ms(self, part: Price, now_ms: int) -> int:
        age_ms = part.age_ms(now_ms)
        if part.reading.source in self._replayed:
            return age_ms
        return max(age_ms, now_ms - part.reading.published_ms)

    def _tell(self, symbol: str) -> None:
        quoted_in_it = (
            other for other, price in self._latest.items() if price.reading.currency == symbol
        )
        changed = {symbol, *quoted_in_it}
        for changes in self._changes:
            changes.add(changed)


class Changes:
    """The assets that changed since the last look: bounded by their number, the latest wins."""

    def __init__(self, listeners: "set[Changes]") -> None:
        self._listeners = listeners
        self._changed: set[str] = set()
        self._some = asyncio.Event()

    def add(self, symbols: Collection[str]) -> None:
        """Note that these changed."""
        self._changed.update(symbols)
        self._some.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.discard(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> frozenset[str]:
        await self._some.wait()
        self._some.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed


def _provenance(price: Price) -> dict[str, Any]:
    return {
        "symbol": price.reading.symbol,
        "source": price.reading.source,
        "value": f"{price.value:f}",
        "confidence": f"{price.reading.confidence:f}",
        "publishedAt": iso(price.reading.published_ms),
        "receivedAt": iso(price.received_ms),
    }


def _fault(reading: Reading, last: Reading | None) -> str | None:
    if last is None or reading.published_ms > last.published_ms:
        return None
    if reading.published_ms < last.published_ms:
        return "older"
    # A source may speak twice within its unit of time; only the same words are a duplicate.
    return "duplicate" if reading == last else None


def _in_dollars(parts: tuple[Price, ...]) -> Price:
    if len(parts) == 1:
        return parts[0]
    said, rate = parts
    own, by = said.reading, rate.reading
    reading = Reading(
        source=f"{own.source} ({own.currency}: {by.source})",
        symbol=own.symbol,
        price=own.price * by.price,
        confidence=own.confidence * by.price + own.price * by.confidence,
        published_ms=min(own.published_ms, by.published_ms),
    )
    return Price(reading, min(said.received_ms, rate.received_ms))
