"""Numbers of market data for Prometheus, read from those who count when somebody asks."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from quantdesk.app.feeding import Feeding
from quantdesk.app.source_health import health
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.hub.hub import Hub
from quantdesk.ingest.recorder import Recorder
from quantdesk.ingest.watch import Watch
from quantdesk.ingest.writer import Writer
from quantdesk.sources.shared import Shared
from quantdesk.telemetry.metrics import Metrics

STATES: Final = ("live", "silent", "away", "ended")
_LOST: Final = ("ticks", "candles", "gaps")
_MS_PER_S: Final = 1000

_Rows = Iterator[tuple[tuple[str, ...], float]]


def shared_metrics(metrics: Metrics, shared: Shared) -> None:
    """Export what came of the frames that an ingest process shares."""
    metrics.family(
        "shared_total", "Frames and parcels of an ingest process, by what became of them.",
        ["what"], lambda: [((name,), count) for name, count in shared.counts.items()],
    )  # fmt: skip


def source_metrics(metrics: Metrics, feeding: Feeding, clock: Clock) -> None:
    """Export what came from each source, and what became of it."""
    market = feeding.market

    def messages() -> _Rows:
        return (((name,), passage.frames) for name, passage in market.flow.sources.items())

    def unreadable() -> _Rows:
        return (((name,), passage.unreadable) for name, passage in market.flow.sources.items())

    def rejected() -> _Rows:
        return (((s, str(reason)), n) for (s, reason), n in market.gate.rejections.counts.items())

    def states() -> _Rows:
        for one in health(feeding, now_ms=clock.now_ms()):
            for state in STATES:
                yield (one.name, state), float(one.state == state)

    def failures() -> _Rows:
        return (((one.source.name,), one.failures) for one in feeding.collectors)

    family = metrics.family
    family("source_messages_total", "Messages received.", ["source"], messages)
    family("source_unreadable_total", "Messages not of their format.", ["source"], unreadable)
    family(
        "source_rejected_total", "Prices not taken, by the rule they broke.", ["source", "reason"],
        rejected,
    )  # fmt: skip
    family("source_state", "1 for the state a source is in.", ["source", "state"], states)
    family("source_failures_total", "Times a source gave up.", ["source"], failures)


def feed_metrics(metrics: Metrics, feeding: Feeding, clock: Clock) -> None:
    """Export how old the words of feeds are, and how often they jumped.

    Of many symbols only the oldest: a scrape of thousands of series would hold up prices. Which
    market it is, its alert says.
    """
    gate = feeding.market.gate

    def ages() -> _Rows:
        oldest: dict[tuple[str, str], int] = {}
        for feed in gate.feeds():
            if feed.ticks:
                about, ms = (feed.source, feed.kind.name.lower()), feed.received_ms
                oldest[about] = min(ms, oldest.get(about, ms))
        now_ms = clock.now_ms()
        return ((about, max(0, now_ms - ms) / _MS_PER_S) for about, ms in oldest.items())

    def silent() -> _Rows:
        counts = Counter(feed.source for feed in gate.feeds() if feed.silent)
        return (((name,), counts[name]) for name in feeding.market.flow.sources)

    def jumps() -> _Rows:
        counts: dict[tuple[str, str], int] = {}
        for feed in gate.feeds():
            for fate, count in (("held", feed.quarantined), ("believed", feed.confirmed)):
                counts[feed.source, fate] = counts.get((feed.source, fate), 0) + count
        return iter(counts.items())

    metrics.family(
        "feed_age_seconds", "Since the last price taken, of the feed where that is longest.",
        ["source", "kind"], ages,
    )  # fmt: skip
    metrics.family("feeds_silent", "Feeds silent past their patience.", ["source"], silent)
    metrics.family(
        "price_jumps_total", "Prices held back as jumps, and those believed after all.",
        ["source", "fate"], jumps,
    )  # fmt: skip


def price_metrics(metrics: Metrics, feeding: Feeding, clock: Clock) -> None:
    """Export how old the board's word on each asset is, and how far its sources are apart."""
    board = feeding.board

    def ages() -> _Rows:
        now_ms = clock.now_ms()
        for symbol in ASSETS:
            if board.latest(symbol) is not None:
                yield (symbol,), board.age_ms(symbol, now_ms=now_ms) / _MS_PER_S

    def apart() -> _Rows:
        for symbol in ASSETS:
            price = board.latest(symbol)
            if price is not None and price.agreement_bps is not None:
                yield (symbol,), price.agreement_bps

    metrics.family("price_age_seconds", "Age of a reference price.", ["symbol"], ages)
    metrics.family(
        "price_agreement_bps", "How far apart the sources of a price are.", ["symbol"], apart
    )


def clock_metrics(metrics: Metrics, feeding: Feeding) -> None:
    """Export how far the clocks of sources are from ours."""
    gate = feeding.market.gate

    def offsets() -> _Rows:
        known = {feed.source: feed.clock for feed in gate.feeds() if not feed.clock.replayed}
        for name, ours in known.items():
            if ours.offset_ms is not None:
                yield (name,), ours.offset_ms / _MS_PER_S

    metrics.family(
        "source_clock_offset_seconds", "By how much our clock is ahead of a source's.", ["source"],
        offsets,
    )  # fmt: skip


def book_metrics(metrics: Metrics, feeding: Feeding, watch: Watch) -> None:
    """Export what became of updates of books, and how many books are not to be believed."""
    books = feeding.market.books

    def outcomes() -> _Rows:
        return (((source, str(what)), count) for (source, what), count in books.counts.items())

    def unsynced() -> _Rows:
        counts = watch.unsynced()
        return (((name,), counts[name]) for name in feeding.market.flow.sources)

    metrics.family(
        "book_updates_total", "Updates of books by outcome; asked: snapshots asked for.",
        ["source", "outcome"], outcomes,
    )  # fmt: skip
    metrics.family("books_unsynced", "Books not to be believed.", ["source"], unsynced)


def candle_metrics(metrics: Metrics, feeding: Feeding) -> None:
    """Export what became of trades and of the exchanges' own candles, and revisions of ours."""
    candles = feeding.market.candles
    revised: dict[str, int] = {}

    def note(source: str) -> None:
        revised[source] = revised.get(source, 0) + 1

    candles.on_candle(lambda candle: note(candle.source) if candle.revision else None)
    metrics.family(
        "candle_inputs_total", "Trades and exchanges' candles by outcome, mismatch among them.",
        ["source", "outcome"],
        lambda: (((source, str(what)), n) for (source, what), n in candles.counts.items()),
    )  # fmt: skip
    metrics.family(
        "candles_revised_total", "Later words on candles told before.", ["source"],
        lambda: (((source,), count) for source, count in revised.items()),
    )  # fmt: skip


def recorder_metrics(metrics: Metrics, recorder: Recorder) -> None:
    """Export what the recorder wrote and dropped."""
    metrics.family(
        "recorder_frames_total", "Messages recorded, and those dropped.", ["fate"],
        lambda: [
            (("recorded",), recorder.counts["frames"]), (("dropped",), recorder.counts["dropped"]),
        ],
    )  # fmt: skip
    metrics.family(
        "recorder_bytes_total", "Bytes of tape written.", [],
        lambda: [((), recorder.counts["bytes"])],
    )  # fmt: skip
    metrics.gauge("recorder_waiting_bytes", "Wait for the disk.", lambda: recorder.waiting_bytes)


def writer_metrics(metrics: Metrics, writer: Writer) -> None:
    """Export what the store of market data took and what was lost on the way."""
    waiting = writer.waiting
    metrics.family(
        "market_rows_stored_total", "Rows stored.", ["kind"],
        lambda: [((kind,), writer.counts[kind]) for kind in _LOST],
    )  # fmt: skip
    metrics.family(
        "market_rows_lost_total", "Rows that could not be stored.", ["kind"],
        lambda: [((kind,), waiting.counts[kind]) for kind in _LOST],
    )  # fmt: skip
    metrics.gauge("market_rows_waiting", "Rows that wait for the database.", lambda: len(waiting))


def hub_metrics(metrics: Metrics, hub: Hub) -> None:
    """Export what clients of `/ws` were told."""
    metrics.gauge("hub_clients", "Clients of /ws.", lambda: len(hub))
    metrics.family(
        "hub_messages_total", "Messages sent, and those folded into a later one.", ["fate"],
        lambda: [(("delivered",), hub.delivered), (("conflated",), hub.conflated)],
    )  # fmt: skip


def alert_metrics(metrics: Metrics, watch: Watch) -> None:
    """Export how many alerts stand, and how many ever began."""
    alerts = watch.alerts

    def standing() -> _Rows:
        counts = {str(kind): 0 for kind in alerts.begun}
        for alert in alerts.current():
            counts[alert.about.kind] += 1
        return (((kind,), count) for kind, count in counts.items())

    metrics.family("alerts", "Alerts that stand.", ["kind"], standing)
    metrics.family(
        "alerts_begun_total", "Alerts that began.", ["kind"],
        lambda: (((str(kind),), count) for kind, count in alerts.begun.items()),
    )  # fmt: skip
