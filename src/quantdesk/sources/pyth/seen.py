"""Which updates were heard already: two connections say everything twice. Pure.

An update is known by feed, time, slot, price and confidence: a feed may move twice in one second.
As Pyth's own Rust client does it, with a memory that forgets:
https://github.com/pyth-network/pyth-crosschain, apps/hermes/client/rust.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from quantdesk.sources.words.hermes import Key

TTL_S: Final = 60.0
"""Connections are seconds apart at most; whoever is later is let go for its silence."""
KEPT_MAX: Final = 20_000
"""Five feeds move some ten times a second: this many are an hour of that."""


class Seen:
    """Updates of the last `ttl_s` seconds of one monotonic clock, the latest `kept_max` of them."""

    def __init__(self, *, ttl_s: float = TTL_S, kept_max: int = KEPT_MAX) -> None:
        self._ttl_s = ttl_s
        self._kept_max = kept_max
        self._until_s: OrderedDict[Key, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until_s)

    def news(self, keys: Iterable[Key], now_s: float) -> bool:
        """Return whether any of these was not seen before, and remember them all."""
        self._forget(now_s)
        before = len(self._until_s)
        for key in keys:
            self._until_s.setdefault(key, now_s + self._ttl_s)
        new = len(self._until_s) > before
        while len(self._until_s) > self._kept_max:
            self._until_s.popitem(last=False)
        return new

    def _forget(self, now_s: float) -> None:
        while self._until_s:
            key, until_s = next(iter(self._until_s.items()))
            if now_s < until_s:
                return
            del self._until_s[key]
