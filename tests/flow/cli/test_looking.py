"""The promise: prices, the doctor and the demo tell the truth, with a desk running and without."""

import json
import re
import signal
import socket
from pathlib import Path

import pytest
from tests.flow.cli.desk import Home

from quantdesk.core.assets import ASSETS


def test_prices_come_with_source_age_and_validity(desk: Home) -> None:
    lines = desk.run("prices").out.splitlines()
    assert len(lines) == 1 + len(ASSETS)
    for line in lines[1:]:
        assert re.fullmatch(r"\w+ +[\d.]+ +[\d.]+ +\d+\.\d s +simulated +valid", line)
    told = json.loads(desk.run("prices", "--json").out)
    assert {price["symbol"] for price in told["prices"]} == set(ASSETS)


def test_watched_prices_grow_old_when_the_desk_goes_and_ctrl_c_is_clean(home: Home) -> None:
    running = home.up()
    watching = home.start("prices", "--watch")
    watching.until(lambda: "valid" in watching.said())
    running.end(signal.SIGTERM)
    watching.until(lambda: "desk away" in watching.said())
    assert watching.end(signal.SIGINT)[0] == 0
    assert "Traceback" not in watching.said()


@pytest.mark.parametrize("running", [False, True])
def test_the_doctor_is_content_with_no_desk_and_with_one(
    desk: Home, tmp_path: Path, *, running: bool
) -> None:
    home = desk if running else Home(tmp_path / "nothing")
    said = home.run("doctor", "--json")
    found = {finding["about"]: finding for finding in json.loads(said.out)}
    assert said.code == 0, found
    assert {"python", "postgres", "disk", "clock", "settings", "port", "desk"} <= set(found)
    assert all(finding["level"] != "fail" for finding in found.values())
    assert found["desk"]["said"].startswith("ready: " if running else "none runs")
    assert home.path.exists() == running


def test_the_doctor_names_a_cure_for_what_is_wrong(home: Home) -> None:
    home.path.mkdir(mode=0o700)
    (home.path / "owner.key").write_text("qd_key")
    (home.path / "owner.key").chmod(0o644)
    (home.path / "quantdesk.toml").write_text("[orders]\nleese_s = 1\n")
    said = home.run("doctor")
    assert said.code == 1
    assert re.search(r"^fail  owner.key .*\n +cure: chmod 600 ", said.out, re.MULTILINE)
    assert re.search(r"^fail  settings +settings.unknown: orders.leese_s", said.out, re.MULTILINE)


def test_the_doctor_sees_a_port_that_is_taken(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        home.path.mkdir(mode=0o700)
        (home.path / "quantdesk.toml").write_text(f"[api]\nport = {taken.getsockname()[1]}\n")
        found = {f["about"]: f for f in json.loads(home.run("doctor", "--json").out)}
    assert found["port"]["level"] == "warn"
    assert "--port 0" in found["port"]["cure"]


def test_the_demo_shows_an_order_to_its_end_and_leaves_its_evidence(home: Home) -> None:
    said = home.run("demo", "--home", str(home.path), "--mode", "paper", "--source", "simulated")
    assert said.code == 0, said.err
    at = [said.out.index(f"  {state}") for state in ("PENDING", "SUBMITTED", "CONFIRMED")]
    assert at == sorted(at)
    assert "why this route" in said.out
    assert "realized" in said.out
    proof = json.loads((home.path / "evidence.json").read_text())
    assert proof["intent"]["pair"] == "SOL-USDC"
    assert not home.desk_file.exists()
    assert not (home.path / "postgres" / "postmaster.pid").exists()


def test_the_demo_says_why_it_cannot(home: Home) -> None:
    said = home.run("demo", "--mode", "paper", "--source", "recorded:/nowhere")
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith("recording.missing: ")
