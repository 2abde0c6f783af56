"""Compile the load generator and run it against something that serves.

`rounds.py` calls it between two readings of CPU time.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benches.children import Command, check
from benches.target import Running
from quantdesk.core.errors import Unavailable

SOURCE = Path(__file__).with_name("loadgen.c")
LIMIT_S = 120
"""How long one load may last before it is given up."""


@dataclass(frozen=True, slots=True)
class Load:
    """How orders are placed.

    `in_flight` bounds the unfinished orders (closed loop); 0 places them as fast as they are
    answered (backlog). `each` opens one WebSocket per order instead of one for all.
    """

    name: str
    in_flight: int
    each: bool = False


BACKLOG = Load("backlog", in_flight=0)
CLOSED_LOOP = Load("64 in flight", in_flight=64)
PER_ORDER = Load("32 in flight, a WebSocket each", in_flight=32, each=True)


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one load came to; delays run from POST to CONFIRMED, `updates` counts messages."""

    orders: int
    accepted: int
    confirmed: int
    failed: int
    unfinished: int
    errors: int
    updates: int
    frames: int
    accepted_per_s: float
    confirmed_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    wall_s: float
    client_cpu_s: float


def compile_loadgen(build: Path) -> Path:
    """Return the load generator, compiled into `build` unless it is there and newer."""
    binary = build / "loadgen"
    if binary.exists() and binary.stat().st_mtime >= SOURCE.stat().st_mtime:
        return binary
    build.mkdir(parents=True, exist_ok=True)
    check(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", binary, SOURCE])
    return binary


def place(binary: Path, running: Running, load: Load, orders: int) -> Outcome:
    """Place `orders` and wait until all are final; raise `Unavailable` when it cannot start."""
    command = _command(binary, running, load, orders)
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=LIMIT_S + 30)
    if done.returncode != 0:
        raise Unavailable("the load generator could not measure; its reason stands above")
    return msgspec.json.decode(done.stdout, type=Outcome)


def _command(binary: Path, running: Running, load: Load, orders: int) -> Command:
    return [
        binary,
        *("-p", str(running.port)),
        *("-n", str(orders)),
        *("-k", str(load.in_flight)),
        *("-m", "each" if load.each else "all"),
        *("-w", running.each_path if load.each else running.all_path),
        *("-t", str(LIMIT_S)),
        *(("-H", running.header) if running.header else ()),
    ]
