"""Alerts begin when something lasts, end when it is gone for good, and are bounded."""

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from quantdesk.ingest.alerts import (
    CURRENT_MAX,
    PATIENCE,
    RECENT_MAX,
    About,
    Alert,
    AlertKind,
    Alerts,
)

T0 = 1_700_000_000_000
SILENT = About(AlertKind.SILENT, "binance", "BTC", "USDT")
BOOK = About(AlertKind.BOOK, "binance", "BTC", "USDT")
AWAY = About(AlertKind.AWAY, "pyth")


class Looks:
    """Alerts looked at once a second, and what they told."""

    def __init__(self) -> None:
        self.alerts = Alerts()
        self.now_ms = T0
        self.told: list[Alert] = []
        self.alerts.on_change(self.told.append)

    def see(self, seconds: int, *about: About) -> None:
        """Let so many looks find that these hold."""
        holding: Mapping[About, str] = dict.fromkeys(about, "as it is")
        for _ in range(seconds):
            self.alerts.look(self.now_ms, holding)
            self.now_ms += 1_000


@pytest.fixture
def looks() -> Looks:
    return Looks()


def test_that_a_condition_begins_an_alert_only_when_it_lasts(looks: Looks) -> None:
    looks.see(3, SILENT)
    looks.see(1)
    looks.see(3, SILENT)
    assert looks.told == []
    looks.see(1, SILENT)
    assert looks.told == [Alert(1, SILENT, "as it is", T0 + 4_000)]
    assert looks.alerts.current() == looks.told


def test_that_an_alert_ends_when_its_condition_is_gone_for_long_enough(looks: Looks) -> None:
    looks.see(5, SILENT)
    last_seen_ms = looks.now_ms - 1_000
    looks.see(PATIENCE[AlertKind.SILENT].end_ms // 1_000 - 1)
    assert looks.alerts.stands(SILENT)
    looks.see(1)
    assert not looks.alerts.stands(SILENT)
    assert looks.alerts.current() == []
    assert looks.alerts.recent() == [Alert(1, SILENT, "as it is", T0, 1, last_seen_ms)]
    assert looks.told[1:] == looks.alerts.recent()


def test_that_what_comes_and_goes_is_one_alert(looks: Looks) -> None:
    looks.see(4, SILENT)
    for _ in range(20):
        looks.see(5)
        looks.see(1, SILENT)
    assert len(looks.told) == 1
    assert looks.alerts.begun[AlertKind.SILENT] == 1


def test_that_something_final_is_told_at_once(looks: Looks) -> None:
    looks.see(1, AWAY)
    assert [alert.about for alert in looks.told] == [AWAY]


def test_that_an_event_is_an_alert_however_short_and_is_counted_while_it_stands(
    looks: Looks,
) -> None:
    looks.alerts.note(BOOK, "a gap", now_ms=looks.now_ms)
    looks.see(5)
    looks.alerts.note(BOOK, "another gap", now_ms=looks.now_ms)
    looks.see(30)
    (alert,) = looks.alerts.current()
    assert (alert.times, alert.detail, alert.begun_ms) == (2, "another gap", T0)
    looks.see(1)
    assert [alert.ended_ms for alert in looks.alerts.recent()] == [T0 + 5_000]
    assert len(looks.told) == 2


def test_that_each_begin_and_end_is_logged_once(looks: Looks) -> None:
    with capture_logs() as lines:
        looks.see(60, AWAY)
        looks.see(60)
    assert lines == [
        {
            "event": "alert.begun",
            "log_level": "warning",
            "kind": "source.away",
            "source": "pyth",
            "detail": "as it is",
        },
        {
            "event": "alert.ended",
            "log_level": "info",
            "kind": "source.away",
            "source": "pyth",
            "lasted_s": 59.0,
            "times": 1,
        },
    ]


def test_that_alerts_are_bounded_and_the_rest_is_counted(looks: Looks) -> None:
    away = [About(AlertKind.AWAY, f"source {n}") for n in range(CURRENT_MAX + 7)]
    looks.see(1, *away)
    assert (len(looks.alerts.current()), looks.alerts.untold) == (CURRENT_MAX, 7)
    looks.see(11)
    assert looks.alerts.current() == []
    assert len(looks.alerts.recent()) == RECENT_MAX
    looks.see(1, away[-1])
    assert looks.alerts.stands(away[-1])
    assert looks.alerts.untold == 0


def test_that_the_latest_is_shown_first(looks: Looks) -> None:
    looks.see(1, AWAY)
    looks.alerts.note(BOOK, "a gap", now_ms=looks.now_ms)
    looks.see(1, AWAY)
    assert [alert.about for alert in looks.alerts.current()] == [BOOK, AWAY]
    looks.see(60)
    assert [alert.about for alert in looks.alerts.recent()] == [BOOK, AWAY]
