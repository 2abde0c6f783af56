"""Promise: the process may die anywhere, and still no order fills twice and none is lost.

    python -m benches.kill_sweep --runs 10000
    python -m benches.kill_sweep --story "dead, then filled" --runs 500

Every story of `quantdesk.testing.stories` is told once to count its effects, then once for each
effect with the process killed, frozen or deceived there, before it and after it took effect; the
rest of the runs cut two and three desks in a row at places drawn from `--seed`. Real Postgres, a
scripted chain, time moved by hand. Exits with 1 on any violation.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.killing import Cut, How
from quantdesk.testing.stories import STORIES
from quantdesk.testing.sweep import Scenario, Told, cuts_of, tell

_SHOWN_MAX = 20
_DESKS_CUT_MAX = 3
_POOL = 24  # one story's desks share it, and frozen ones give nothing back


@dataclass(slots=True)
class Row:
    """What one story's runs came to."""

    points: int = 0
    runs: int = 0
    struck: int = 0
    cuts: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    lost: int = 0
    other: int = 0
    recovery_s: float = 0.0

    def count(self, told: Told) -> None:
        """Count one run."""
        self.runs += 1
        self.struck += told.struck
        self.cuts.update(cut.how.value for cut in told.cuts)
        self.recovery_s = max(self.recovery_s, told.recovery_s)
        kinds = {_kind(violation) for violation in told.violations}
        self.duplicates += "duplicate" in kinds
        self.lost += "lost" in kinds
        self.other += bool(kinds - {"duplicate", "lost"})

    @property
    def clean(self) -> bool:
        """Return whether every run kept the promise."""
        return not (self.duplicates or self.lost or self.other)


async def sweep(
    pools: Pools, stories: Sequence[Scenario], *, runs: int, seed: int, say: Callable[[str], None]
) -> dict[str, Row]:
    """Tell stories until there were `runs` of them; every single cut first, then random ones."""
    rows = {story.name: Row() for story in stories}
    by_name = {story.name: story for story in stories}
    whole: dict[str, list[Cut]] = {}
    days = iter(range(1, runs + len(stories) + 1))
    for story in stories:
        told = await tell(pools, story, (), day=next(days))
        _note(rows[story.name], told, say)
        whole[story.name] = cuts_of(told)
        rows[story.name].points = len(told.effects)
    left = runs - len(stories)
    plan = _plan(whole, random.Random(seed), left)
    for name, cuts in plan:
        _note(rows[name], await tell(pools, by_name[name], cuts, day=next(days)), say)
    return rows


def _plan(
    whole: dict[str, list[Cut]], chance: random.Random, left: int
) -> Iterator[tuple[str, list[Cut]]]:
    singles = [(name, [cut]) for name, cuts in whole.items() for cut in cuts]
    if left < len(singles):
        singles = chance.sample(singles, left * 2 // 3)
    yield from singles
    names = list(whole)
    for _ in range(left - len(singles)):
        name = chance.choice(names)
        desks = chance.randint(2, _DESKS_CUT_MAX)
        yield name, [chance.choice(whole[name]) for _ in range(desks)]


def _note(row: Row, told: Told, say: Callable[[str], None]) -> None:
    row.count(told)
    if told.violations:
        cuts = ", ".join(_spelled(cut) for cut in told.cuts) or "no cut"
        say(f"VIOLATION in {told.scenario!r} ({cuts}): " + "; ".join(told.violations))


def _spelled(cut: Cut) -> str:
    return f"{cut.how.value} {'after' if cut.after else 'before'} effect {cut.at}"


def _kind(violation: str) -> str:
    if any(word in violation for word in ("fills", "filled beside", "may still fill")):
        return "duplicate"
    lost = ("is lost", "is open", "did not bring", "yet filled", "without its fill")
    return "lost" if any(word in violation for word in lost) else "other"


def main() -> int:
    """Sweep and print the table; return 1 on any violation."""
    asked = _arguments()
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=silent)
    stories = [story for story in STORIES if asked.story in {None, story.name}]
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="quantdesk-sweep-") as folder:
        rows = asyncio.run(_swept(Path(folder), stories, asked))
    seconds = time.perf_counter() - began
    for line in _table(rows):
        _say(line)
    runs = sum(row.runs for row in rows.values())
    _say(f"\n{runs} runs in {seconds:.0f} s ({runs / seconds:.0f}/s), seed {asked.seed}")
    return 0 if all(row.clean for row in rows.values()) else 1


async def _swept(
    folder: Path, stories: Sequence[Scenario], asked: argparse.Namespace
) -> dict[str, Row]:
    server = Embedded(folder)
    url = await server.start()
    shown = Counter[str]()

    def say(text: str) -> None:
        shown["violations"] += 1
        if shown["violations"] <= _SHOWN_MAX:
            _say(text)

    try:
        await migrate(url)
        # A process dies here, never the machine: commits need not wait for the disk.
        url += "&synchronous_commit=off"
        async with await connect(url, write_max=_POOL, read_max=_POOL) as pools:
            return await sweep(pools, stories, runs=asked.runs, seed=asked.seed, say=say)
    finally:
        await server.stop()


def _table(rows: dict[str, Row]) -> Iterator[str]:
    heads = (
        *("story", "effects", "runs", "kill / freeze / lose", "struck"),
        *("duplicates", "lost", "other", "worst recovery"),
    )
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    total = Row()
    for name, row in rows.items():
        yield _line(name, row)
        total.points += row.points
        total.runs += row.runs
        total.struck += row.struck
        total.cuts += row.cuts
        total.duplicates += row.duplicates
        total.lost += row.lost
        total.other += row.other
        total.recovery_s = max(total.recovery_s, row.recovery_s)
    yield _line("all", total)


def _line(name: str, row: Row) -> str:
    cuts = " / ".join(str(row.cuts[how.value]) for how in How)
    cells = (name, row.points, row.runs, cuts, row.struck, row.duplicates, row.lost, row.other)
    return f"| {' | '.join(map(str, cells))} | {row.recovery_s:.1f} s |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.kill_sweep")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--story", help="tell only this one")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
