"""The promise: `up` says where the desk is, is alone in its folder, and ends cleanly whenever."""

import json
import signal

import pytest
from tests.flow.cli.desk import STOP_S, Home


def test_up_says_where_the_desk_is_and_a_sigterm_ends_it_in_time(home: Home) -> None:
    desk = home.up()
    desk.until(lambda: "try   quantdesk order" in desk.said())
    told = json.loads(home.desk_file.read_text())
    for fact in (told["urls"]["api"], "paper", "simulated", str(home.path / "owner.key")):
        assert fact in desk.said()
    assert (home.path / "owner.key").read_text().strip() in desk.said()
    code, took_s = desk.end(signal.SIGTERM)
    assert code == 0
    assert took_s < STOP_S
    assert not home.desk_file.exists()
    assert not (home.path / "postgres" / "postmaster.pid").exists()


def test_up_refuses_a_second_desk_in_the_same_folder_and_names_the_first(desk: Home) -> None:
    second = desk.run("up", "--mode", "paper", "--port", "0", "--source", "simulated")
    told = json.loads(desk.desk_file.read_text())
    assert second.code == 1
    assert second.err.count("\n") == 1
    assert second.err.startswith("desk.running: ")
    assert told["urls"]["api"] in second.err
    assert f"kill {told['pid']}" in second.err
    assert desk.run("orders").code == 0


@pytest.mark.parametrize("shown", ["setting up the database", "orders\n"])
def test_up_ends_in_time_when_it_is_stopped_during_the_start(home: Home, shown: str) -> None:
    desk = home.start("up", "--mode", "paper", "--port", "0", "--source", "simulated")
    desk.until(lambda: shown in desk.said())
    code, took_s = desk.end(signal.SIGTERM)
    assert code == 0, desk.said()
    assert took_s < STOP_S
    assert "Traceback" not in desk.said()
    assert home.run("doctor").code == 0


def test_up_names_a_setting_that_nobody_knows(home: Home) -> None:
    said = home.run("up", "--set", "orders.lease=5")
    assert said.code == 1
    assert said.err.startswith("settings.unknown: orders.lease")
    assert "Traceback" not in said.err


def test_commands_say_what_to_do_when_no_desk_runs(home: Home) -> None:
    for words in (["orders"], ["order", "buy", "1", "SOL-USDC"]):
        said = home.run(*words)
        assert said.code == 1
        assert said.err.startswith("desk.not_running: ")
        assert "quantdesk up" in said.err
