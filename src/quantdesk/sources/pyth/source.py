"""Pyth as a source of oracle prices: two streams of one Hermes server → frames, each thing once.

Two, because one that falls or falls behind is no gap then; what the second says again is dropped.
What a frame says, the words (`sources/words/hermes.py`), which recordings are read by too.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog

from quantdesk.core.backoff import Chance
from quantdesk.core.breaker import Breaker
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.event_stream import EventStream, Hear
from quantdesk.sources.port import Take
from quantdesk.sources.pyth.asking import Declined, Hermes, unavailable
from quantdesk.sources.pyth.seen import Seen
from quantdesk.sources.reconnecting import Care, Patience, Reconnecting
from quantdesk.sources.together import together
from quantdesk.sources.words import hermes as words
from quantdesk.sources.words.hermes import Proof

log = structlog.get_logger()

FEED: Final = "sse"
PATIENCE: Final = Patience(silence_s=10.0)
"""Feeds move with every slot, several times a second."""
CONNECTIONS: Final = 2
PROBE_S: Final = 3.0
_PROBED: Final = "BTC"
CHECKED_MAX: Final = 256


class Pyth:
    """Oracle prices of the Pyth network in US dollars.

    `counts` holds messages, duplicates (frames the other connection was first with), oversized,
    connects, reconnects, renewals (planned ones), silences, failures, missing (feeds Hermes does
    not have), and of what was checked proofs_merkle, proofs_absent, proofs_invalid. Runs once at a
    time.
    """

    name = "pyth"

    def __init__(
        self,
        *,
        clock: Clock,
        chance: Chance,
        base_url: str,
        api_key: str | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._base_url = base_url
        self._api_key = api_key
        self._patience = patience
        self._last_ns = 0
        self._checked: OrderedDict[tuple[str, str], Proof] = OrderedDict()
        self.counts: Counter[str] = Counter()

    async def probe(self) -> None:
        """Return if it answers with a price within `PROBE_S`; raise `Unavailable` if not."""
        async with self._hermes() as server:
            message = await server.latest([words.FEEDS[_PROBED]], seconds=PROBE_S)
        try:
            if words.read(message, FEED):
                return
        except Corrupt as problem:
            raise unavailable(problem) from problem
        raise Unavailable(f"Hermes has no price of {_PROBED}", code="source.unavailable")

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed)

    def check(self, frame: Frame, symbols: Iterable[str]) -> Mapping[str, Proof]:
        """Return what the Merkle proofs in a frame say of these assets' prices.

        Takes about 3 ms an asset, once: verdicts on the latest `CHECKED_MAX` are remembered. Who
        signed is for whoever asks what a trade's price was proven by (`words.prove`). Raises
        `Corrupt` (`message.unreadable`).
        """
        found = {symbol: self._checked.get((frame.id, symbol)) for symbol in symbols}
        asked = [symbol for symbol, proof in found.items() if proof is None]
        fresh = words.check(frame.data, asked) if asked else {}
        for symbol, proof in fresh.items():
            self._checked[frame.id, symbol] = proof
            self.counts[f"proofs_{proof}"] += 1
            if proof is Proof.INVALID:
                log.error("pyth.unproven", symbol=symbol, raw_id=frame.id)
        while len(self._checked) > CHECKED_MAX:
            self._checked.popitem(last=False)
        return {symbol: proof or fresh[symbol] for symbol, proof in found.items()}

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over frames about these assets until cancelled.

        Raises `Refused` (`symbol.unknown`) when none of them has a feed here, `Declined`
        (`source.unauthorized`, `source.declined`) once Hermes refused often enough.
        """
        wanted = {words.FEEDS[symbol]: symbol for symbol in symbols if symbol in words.FEEDS}
        if unknown := sorted(set(symbols) - set(wanted.values())):
            log.warning("pyth.no_feed", symbols=unknown, left=sorted(wanted.values()))
        seen = Seen()
        care = Care(self._clock, self._chance, self.counts, Breaker())
        async with self._hermes() as server:

            def hear(data: bytes) -> None:
                server.welcome()
                if self._is_news(data, seen):
                    self._hand_over(take, data)
                else:
                    self.counts["duplicates"] += 1

            kept = [self._kept(server, wanted, hear, care) for _ in range(CONNECTIONS)]
            await together(*(one.run() for one in kept))

    def _kept(self, server: Hermes, wanted: dict[str, str], hear: Hear, care: Care) -> Reconnecting:
        """Return one connection; `wanted` are feeds and their assets, shrinking as they miss."""

        async def open_one() -> EventStream:
            if not wanted:
                raise _nothing()
            try:
                response = await server.stream(list(wanted))
            except Declined as problem:
                self._leave_out(problem.missing, wanted)
                raise
            return EventStream(response, hear, counts=self.counts)

        return Reconnecting(
            name=self.name,
            open_one=open_one,
            opened=_nothing_to_mend,
            care=care,
            patience=self._patience,
        )

    def _leave_out(self, missing: Iterable[str], wanted: dict[str, str]) -> None:
        gone = [symbol for feed in missing if (symbol := wanted.pop(feed, None)) is not None]
        if gone:
            self.counts["missing"] += len(gone)
            log.error("pyth.no_feed", symbols=sorted(gone), left=sorted(wanted.values()))

    def _is_news(self, data: bytes, seen: Seen) -> bool:
        """Return whether a message says anything new, or nothing that can be read."""
        try:
            keys = [update.key for update in words.updates(data)]
        except Corrupt:
            return True  # whoever reads frames counts it
        return seen.news(keys, self._clock.monotonic())

    def _hand_over(self, take: Take, data: bytes) -> None:
        # Later than any before: source and stamp name a message for good.
        self._last_ns = max(self._clock.now_ns(), self._last_ns + 1)
        self.counts["messages"] += 1
        take(Frame(self.name, FEED, self._last_ns, data))

    def _hermes(self) -> Hermes:
        return Hermes(clock=self._clock, base_url=self._base_url, api_key=self._api_key)


def _nothing_to_mend() -> None:
    """Take in that something may have been missed: the next update says all there is to know."""


def _nothing() -> Refused:
    known = ", ".join(words.FEEDS)
    return Refused(f"pyth has none of these feeds; it knows {known}", code="symbol.unknown")
