"""Sources are shown with what came, what was lost and why, and what is the matter."""

from rich.console import Console

from quantdesk.cli.sources import Alert, Source, matters, table

GOOD = Source(
    name="binance", state="live", age_ms=120, messages=4100, unreadable=0, rejected={},
    offset_ms=-1272, reconnects=0, problem=None,
)  # fmt: skip
BAD = Source(
    name="pyth", state="away", age_ms=None, messages=0, unreadable=2,
    rejected={"not_a_number": 1, "older": 30, "late": 0}, offset_ms=None, reconnects=7,
    problem="no answer: check sources.pyth_key",
)  # fmt: skip


def lines(*shown: Source, before: dict[str, int] | None = None) -> list[str]:
    console = Console(width=160)
    with console.capture() as drawn:
        console.print(table(list(shown), before=before))
    return [" ".join(line.split()) for line in drawn.get().splitlines()]


def test_that_a_source_is_told_in_a_row() -> None:
    assert lines(GOOD, BAD) == [
        "source state last messages clock rejected reconnects",
        "binance live 0.1 s 4100 -1272 ms",
        f"pyth away never 0 30 older, 2 unreadable, 1 not a number 7 {BAD.problem}",
    ]


def test_that_a_rate_is_told_once_there_is_a_reading_before() -> None:
    told = lines(GOOD, BAD, before={"binance": 4000})
    assert told[0] == "source state last messages per s clock rejected reconnects"
    assert told[1] == "binance live 0.1 s 4100 100 -1272 ms"
    assert told[2].startswith("pyth away never 0 30 older")


def test_that_what_is_the_matter_is_a_line_with_what_to_do() -> None:
    begun = "2026-01-31T12:00:01.500Z"
    gap = Alert("book.unsynced", "binance", "BTC", "wait for a snapshot", begun, times=3)
    full = Alert("recording.stopped", None, None, "make room", begun)
    assert matters([gap, full]).plain.splitlines() == [
        "",
        "12:00:01.500 book.unsynced binance BTC: wait for a snapshot (3 times)",
        "12:00:01.500 recording.stopped: make room",
    ]
    assert matters([]).plain == ""
