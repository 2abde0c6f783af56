"""Targets run in turn, each stopped before the next starts, and only on equal databases."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from benches.loadgen.drive import BACKLOG, CLOSED_LOOP, Outcome
from benches.rounds import Plan, measure, require_alike
from benches.target import Running, Target

from quantdesk.core.errors import Unavailable

PLAN = Plan(rounds=2, warmup=1, orders=100, loads=(BACKLOG, CLOSED_LOOP))


def a_target(name: str, diary: list[str], database: Mapping[str, str]) -> Target:
    @contextmanager
    def run() -> Iterator[Running]:
        diary.append(f"start {name}")
        try:
            yield Running(1, "/all", "/each", "", {"main": (1,)}, database)
        finally:
            diary.append(f"stop {name}")

    return Target(name, run)


def a_load_generator(folder: Path, script: str) -> Path:
    program = folder / "loadgen"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_targets_run_one_at_a_time_and_each_round_reverses_their_order(tmp_path: Path) -> None:
    answer = msgspec.json.encode(dict.fromkeys(Outcome.__struct_fields__, 1)).decode()
    loadgen = a_load_generator(tmp_path, f"echo '{answer}'")
    diary: list[str] = []
    targets = [a_target(name, diary, {"fsync": "on"}) for name in ("desk", "peer")]

    samples = list(measure(targets, PLAN, loadgen=loadgen, say=lambda _: None))

    order = ["desk", "peer", "peer", "desk"]
    assert diary == [f"{step} {name}" for name in order for step in ("start", "stop")]
    assert [(s.target, s.load) for s in samples] == [
        (name, load.name) for name in order for load in PLAN.loads
    ]


def test_a_target_is_stopped_when_the_load_generator_fails(tmp_path: Path) -> None:
    loadgen = a_load_generator(tmp_path, "exit 2")
    diary: list[str] = []
    targets = [a_target("desk", diary, {})]

    with pytest.raises(Unavailable, match="load generator"):
        list(measure(targets, PLAN, loadgen=loadgen, say=lambda _: None))

    assert diary == ["start desk", "stop desk"]


def test_unequal_databases_are_refused_with_every_difference_named() -> None:
    peer = {"fsync": "on", "jit": "off", "wal_level": "replica"}
    desk = {"fsync": "off", "jit": "off"}

    with pytest.raises(Unavailable) as refusal:
        require_alike({"peer": peer, "desk": desk})

    assert "fsync: peer on, desk off" in refusal.value.detail
    assert "wal_level: peer replica, desk unset" in refusal.value.detail
    assert "jit" not in refusal.value.detail


def test_equal_databases_pass() -> None:
    require_alike({"peer": {"fsync": "on"}, "desk": {"fsync": "on"}})
