"""Promise: five times what node `ws` delivers above 100,000 a second, in 150 MB for 1,000 clients.

    python -m benches.fanout                 each load: desk and peers in turn, two rounds
    python -m benches.fanout --rounds 1 --seconds 3

Clients in a process of their own (C) count every price that reaches them and how late it is. The
peer sends each message to each client, as node programs do; a second peer joins what gathers in
20 ms into one message. CPU and memory are those of the serving process alone.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from benches.children import Child, await_ready, check, child, end_on_terminate
from benches.cpu import read_seconds
from benches.figures import markdown, table
from benches.peer.target import FOLDER, install
from quantdesk.core.errors import DeskError, Unavailable

BUILD = Path(__file__).parents[1] / "build"
SOURCE = Path(__file__).with_name("loadgen") / "fanout.c"
HEADS = ("load", "target", "rounds", "delivered/s", "p50 ms", "p99 ms", "CPU us each", "MB", "lost")
_START_S = 20


@dataclass(frozen=True, slots=True)
class Load:
    """So many prices a second over `keys` assets, told to `clients` that ask for `hz` of each."""

    name: str
    rate: int
    keys: int
    hz: int
    clients: int = 1_000


LOADS = (
    Load("150 msg/s to 1,000", rate=150, keys=15, hz=50),
    Load("1,000 msg/s to 1,000", rate=1_000, keys=100, hz=20),
    Load("5,000 msg/s to 1,000, 10 Hz", rate=5_000, keys=100, hz=10),
    Load("5,000 msg/s to 20", rate=5_000, keys=250, hz=50, clients=20),
)


class Ready(msgspec.Struct):
    """What a server says once it listens."""

    port: int
    header: str = ""


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    """What the clients were told while it was measured."""

    clients: int
    lost: int
    deliveries: int
    frames: int
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    wall_s: float
    client_cpu_s: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One server under one load in one round."""

    load: str
    target: str
    outcome: Outcome
    cpu_s: float
    memory_mb: float

    def figures(self) -> tuple[float, ...]:
        """Return the numbers of a row."""
        o = self.outcome
        each_us = self.cpu_s * 1e6 / max(1, o.deliveries)
        return (o.per_s, o.p50_ms, o.p99_ms, each_us, self.memory_mb, o.lost)


def main() -> int:
    """Measure and print; return 1 when something could not be had or a client of ours was lost."""
    parser = argparse.ArgumentParser(prog="python -m benches.fanout")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", help="targets whose name begins so")
    parser.add_argument("--load", type=int, choices=range(len(LOADS)), help="only this load")
    asked = parser.parse_args()
    end_on_terminate()
    loads = LOADS if asked.load is None else (LOADS[asked.load],)
    samples: list[Sample] = []
    try:
        install()
        clients = _compile()
        for load in loads:
            for number in range(asked.rounds):
                names = [n for n in TARGETS if n.startswith(asked.only or "")]
                for name in names if number % 2 == 0 else reversed(names):
                    samples.append(_measure(clients, load, name, asked.seconds))
                    print(table(HEADS, _rows(samples[-1:])), flush=True)
    except DeskError as failure:
        print(f"bench stopped: {failure.detail}", flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n" + table(HEADS, _rows(samples)) + "\n\n" + markdown(HEADS, _rows(samples)))
    return 1 if any(s.outcome.lost for s in samples if s.target == "desk") else 0


def _desk(load: Load) -> list[str]:
    flags = ["--rate", str(load.rate), "--keys", str(load.keys)]
    return [sys.executable, "-m", "benches.fanout_desk", *flags]


def _peer(load: Load) -> list[str]:
    flags = ["--rate", str(load.rate), "--keys", str(load.keys)]
    return ["node", str(FOLDER / "fanout.mjs"), *flags]


def _kinder_peer(load: Load) -> list[str]:
    return [*_peer(load), "--join", "20"]


TARGETS = {"desk": _desk, "peer ws": _peer, "peer ws, joined 20 ms": _kinder_peer}


def _measure(clients: Path, load: Load, target: str, seconds: float) -> Sample:
    with _server(TARGETS[target](load)) as (server, ready):
        asks = {"op": "subscribe", "ch": "prices", "hz": load.hz}
        said = msgspec.json.encode(asks).decode()
        command = [str(clients), "-p", str(ready.port), "-n", str(load.clients)]
        command += ["-t", f"{seconds:g}", "-s", said]
        command += ["-H", ready.header] if ready.header else []
        groups = {"server": (server.pid,)}
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            if running.stdout.readline() != b"started\n":
                raise Unavailable("the clients could not start; their reason stands above")
            before = read_seconds(groups)["server"]
            line = running.stdout.readline()
            cpu_s = read_seconds(groups)["server"] - before
            memory_mb = _memory_mb(server.pid)
        return Sample(load.name, target, msgspec.json.decode(line, type=Outcome), cpu_s, memory_mb)


@contextmanager
def _server(command: Sequence[str]) -> Iterator[tuple[Child, Ready]]:
    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        log = Path(folder) / "server.log"
        with child(command, log=log) as server:
            yield server, await_ready(server, lambda: _ready(log), log=log, seconds=_START_S)


def _ready(log: Path) -> Ready | None:
    line, ended, _ = log.read_bytes().partition(b"\n")
    return msgspec.json.decode(line, type=Ready) if ended else None


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def _compile() -> Path:
    binary = BUILD / "fanout"
    if not binary.exists() or binary.stat().st_mtime < SOURCE.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        check(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", binary, SOURCE])
    return binary


def _rows(samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    rows = []
    for load in dict.fromkeys(sample.load for sample in samples):
        for target in dict.fromkeys(s.target for s in samples if s.load == load):
            group = [s.figures() for s in samples if (s.load, s.target) == (load, target)]
            medians = [median(column) for column in zip(*group, strict=True)]
            shown = [f"{n:.{d}f}" for n, d in zip(medians, (0, 1, 1, 2, 0, 0), strict=True)]
            rows.append((load, target, str(len(group)), *shown))
    return rows


if __name__ == "__main__":
    sys.exit(main())
