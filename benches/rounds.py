"""Rounds: every target is started, warmed, measured and stopped, then the next, round after round.

In turn on one machine, never two at once; each round reverses the order, so that a slow drift of
the machine favors nobody.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches.cpu import read_seconds
from benches.figures import Sample
from benches.loadgen.drive import BACKLOG, Load, place
from benches.target import Running, Target
from quantdesk.core.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: `warmup` orders first, then `orders` under each of `loads`."""

    rounds: int
    warmup: int
    orders: int
    loads: tuple[Load, ...]


def measure(
    targets: Sequence[Target], plan: Plan, *, loadgen: Path, say: Callable[[str], None]
) -> Iterator[Sample]:
    """Yield a sample per round, target and load.

    Raises `Unavailable` when a target does not start or the databases are not set alike.
    """
    settings: dict[str, Mapping[str, str]] = {}
    for number in range(1, plan.rounds + 1):
        for target in targets if number % 2 else reversed(targets):
            say(f"round {number} of {plan.rounds}: {target.name}")
            with target.run() as running:
                settings[target.name] = running.database
                require_alike(settings)
                place(loadgen, running, BACKLOG, plan.warmup)
                for load in plan.loads:
                    yield _sample(target.name, number, running, load, plan.orders, loadgen)


def require_alike(settings: Mapping[str, Mapping[str, str]]) -> None:
    """Raise `Unavailable`, naming each difference, unless all databases are set alike."""
    names = sorted({name for found in settings.values() for name in found})
    unlike = []
    for name in names:
        values = {target: found.get(name, "unset") for target, found in settings.items()}
        if len(set(values.values())) > 1:
            shown = ", ".join(f"{target} {value}" for target, value in values.items())
            unlike.append(f"{name}: {shown}")
    if unlike:
        raise Unavailable("the databases are not set alike:\n" + "\n".join(unlike))


def _sample(
    name: str, number: int, running: Running, load: Load, orders: int, loadgen: Path
) -> Sample:
    machine_load = os.getloadavg()[0]
    before = read_seconds(running.groups)
    outcome = place(loadgen, running, load, orders)
    after = read_seconds(running.groups)
    cpu_s = {group: after[group] - before[group] for group in after}
    return Sample(name, load.name, number, outcome, cpu_s, machine_load)
