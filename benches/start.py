"""What a whole localnet desk costs: its first start, its next ones, and doing nothing.

Promises: ready within 15 s the first time and 5 s after that; idle on at most 3 % of a core and in
at most 350 MB (PSS of all its processes).
"""

import sys
import time
from pathlib import Path

import msgspec

from benches.children import end_on_terminate
from benches.cpu import read_seconds
from benches.desk import home, started
from benches.figures import markdown, table

_IDLE_S = 30


def _pids(place: Path, desk: int) -> dict[str, tuple[int, ...]]:
    localnet = msgspec.json.decode((place / "localnet.json").read_bytes())["pid"]
    postgres = int((place / "postgres/postmaster.pid").read_text().splitlines()[0])
    return {"desk": (desk,), "localnet": (localnet,), "postgres": (postgres,)}


def _pss_mb(pid: int) -> float:
    try:
        own = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # Postgres ends workers as it likes
    kilobytes = next(int(line.split()[1]) for line in own.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1024 + sum(_pss_mb(int(child)) for child in children)


def main() -> int:
    """Measure and print."""
    end_on_terminate()
    with home() as place:
        began = time.perf_counter()
        with started(place, "localnet"):
            first_s = time.perf_counter() - began
        began = time.perf_counter()
        with started(place, "localnet") as state:
            next_s = time.perf_counter() - began
            groups = _pids(place, state.pid)
            time.sleep(5)  # what a start leaves to do is not idling
            before = read_seconds(groups)
            time.sleep(_IDLE_S)
            after = read_seconds(groups)
            memory = {name: _pss_mb(pids[0]) for name, pids in groups.items()}
    idle = {name: (after[name] - before[name]) / _IDLE_S * 100 for name in groups}
    parts = ", ".join(f"{name} {idle[name]:.1f}" for name in groups)
    sizes = ", ".join(f"{name} {memory[name]:.0f}" for name in groups)
    lines = [
        ("first start to ready, s", f"{first_s:.1f}", "<= 15"),
        ("next start to ready, s", f"{next_s:.1f}", "<= 5"),
        ("idle, % of a core", f"{sum(idle.values()):.1f} ({parts})", "<= 3"),
        ("memory, MB", f"{sum(memory.values()):.0f} ({sizes})", "<= 350"),
    ]
    heads = ("whole desk on localnet", "measured", "promise")
    print(table(heads, lines))
    print("\n" + markdown(heads, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
