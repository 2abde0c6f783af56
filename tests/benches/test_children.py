"""A program that a bench started never outlives it."""

import signal
from pathlib import Path

import pytest
from benches.children import await_ready, check, child

from benches import children
from quantdesk.core.errors import Unavailable


def test_a_child_is_ended_when_the_bench_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        child(["sleep", "60"], log=tmp_path / "log") as process,
    ):
        raise KeyboardInterrupt

    assert process.returncode == -signal.SIGTERM


def test_a_child_that_will_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "STOP_S", 0.05)
    log = tmp_path / "log"
    stubborn = ["sh", "-c", "trap '' TERM; echo up; while :; do read -r _ || sleep 1; done"]

    with child(stubborn, log=log) as process:
        await_ready(process, lambda: log.read_text() or None, log=log, seconds=5)

    assert process.returncode == -signal.SIGKILL


def test_waiting_ends_with_the_log_when_the_child_dies(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with (
        child(["sh", "-c", "echo no such port; exit 3"], log=log) as process,
        pytest.raises(Unavailable, match=r"sh ended with 3:\nno such port"),
    ):
        await_ready(process, lambda: None, log=log, seconds=5)


def test_waiting_ends_when_the_time_is_up(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with (
        child(["sleep", "60"], log=log) as process,
        pytest.raises(Unavailable, match="sleep was not ready after"),
    ):
        await_ready(process, lambda: None, log=log, seconds=0.05)


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(Unavailable, match="no-such-program cannot be run"):
        check(["no-such-program"])
