"""Numbers that somebody else keeps are read when they are asked for, with their labels."""

from collections.abc import Iterator

import pytest

from quantdesk.telemetry.metrics import Metrics


def lines(metrics: Metrics, name: str) -> list[str]:
    return [line for line in metrics.text().decode().splitlines() if name in line]


def test_that_a_family_is_read_at_each_scrape_and_not_before() -> None:
    metrics, counts, reads = Metrics(), {("binance", "late"): 3}, []

    def read() -> Iterator[tuple[tuple[str, str], float]]:
        reads.append(1)
        yield from counts.items()

    metrics.family("lost_total", "Messages lost.", ["source", "reason"], read)
    assert reads == []
    assert lines(metrics, "quantdesk_lost") == [
        "# HELP quantdesk_lost_total Messages lost.",
        "# TYPE quantdesk_lost_total counter",
        'quantdesk_lost_total{reason="late",source="binance"} 3.0',
    ]
    counts["pyth", 'a "b"\n'] = 1
    assert lines(metrics, "lost_total{")[1] == (
        r'quantdesk_lost_total{reason="a \"b\"\n",source="pyth"} 1.0'
    )


def test_that_other_names_are_gauges() -> None:
    metrics = Metrics()
    metrics.family("age_seconds", "Age.", ["source"], lambda: [(("pyth",), 0.25)])
    assert lines(metrics, "age_seconds")[1:] == [
        "# TYPE quantdesk_age_seconds gauge",
        'quantdesk_age_seconds{source="pyth"} 0.25',
    ]


def test_that_a_name_is_given_once() -> None:
    metrics = Metrics()
    metrics.family("age_seconds", "Age.", ["source"], list)
    with pytest.raises(ValueError, match="age_seconds"):
        metrics.family("age_seconds", "Age.", ["source"], list)
