"""Figures: what the rounds measured, as medians, ratios turn by turn, and tables.

Pure: `rounds.py` makes the samples, `orders.py` prints what comes out here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benches.loadgen.drive import Outcome


@dataclass(frozen=True, slots=True)
class Sample:
    """One target under one load in one round; CPU in seconds, by process group.

    `machine_load` is the one-minute load average just before, other programs included.
    """

    target: str
    load: str
    round: int
    outcome: Outcome
    cpu_s: dict[str, float]
    machine_load: float

    @property
    def cpu_ms(self) -> float:
        """Return CPU milliseconds per confirmed order, all groups together."""
        return sum(self.cpu_s.values()) * 1e3 / max(1, self.outcome.confirmed)

    @property
    def clean(self) -> bool:
        """Return whether every order was confirmed and nothing went wrong."""
        return self.outcome.confirmed == self.outcome.orders and self.outcome.errors == 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its title, how to read it from a sample, and its decimals."""

    title: str
    read: Callable[[Sample], float]
    decimals: int


FIGURES = (
    Figure("confirmed/s", lambda sample: sample.outcome.confirmed_per_s, 0),
    Figure("p50 ms", lambda sample: sample.outcome.p50_ms, 1),
    Figure("p99 ms", lambda sample: sample.outcome.p99_ms, 1),
    Figure("CPU ms/order", lambda sample: sample.cpu_ms, 3),
)

HEADS = (
    *("load", "target", "rounds"),
    *(figure.title for figure in FIGURES),
    *("CPU by process", "errors", "machine load"),
)


def ratios(samples: Sequence[Sample], figure: Figure, *, ours: str, theirs: str) -> list[float]:
    """Return ours over theirs, round by round; rounds that lack either, or read zero, are left out.

    Runs of one round share the state of the machine, so their ratio moves less than either figure.
    """
    read = {(sample.target, sample.round): figure.read(sample) for sample in samples}
    rounds = sorted({sample.round for sample in samples})
    pairs = [(read.get((ours, number)), read.get((theirs, number))) for number in rounds]
    return [our / their for our, their in pairs if our is not None and their]


def rows(samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    """Return one row per load and target: medians over the rounds."""
    loads = list(dict.fromkeys(sample.load for sample in samples))
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in sorted(samples, key=lambda sample: loads.index(sample.load)):
        groups.setdefault((sample.load, sample.target), []).append(sample)
    return [_row(load, target, group) for (load, target), group in groups.items()]


def ratio_rows(samples: Sequence[Sample], *, ours: str, theirs: str) -> list[tuple[str, ...]]:
    """Return one row per load: the medians of the ratios of ours over theirs."""
    found = []
    for load in dict.fromkeys(sample.load for sample in samples):
        group = [sample for sample in samples if sample.load == load]
        columns = [ratios(group, figure, ours=ours, theirs=theirs) for figure in FIGURES]
        shown = [f"{median(column):.2f}x" if column else "-" for column in columns]
        if any(columns):
            found.append((load, f"{ours} / {theirs}", str(len(columns[0])), *shown, "", "", ""))
    return found


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return the lines in aligned columns under their heads, for a terminal."""
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in (heads, *lines))


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return the lines as a Markdown table, for docs/numbers.md."""
    rule = ["---"] * len(heads)
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, rule, *lines))


def _row(load: str, target: str, group: Sequence[Sample]) -> tuple[str, ...]:
    figures = (f"{median(map(figure.read, group)):.{figure.decimals}f}" for figure in FIGURES)
    loads = sorted(sample.machine_load for sample in group)
    errors = sum(sample.outcome.errors + sample.outcome.unfinished for sample in group)
    span = f"{loads[0]:.1f}-{loads[-1]:.1f}"
    return (load, target, str(len(group)), *figures, _by_process(group), str(errors), span)


def _by_process(group: Sequence[Sample]) -> str:
    def per_order(name: str) -> float:
        return median(
            sample.cpu_s[name] * 1e3 / max(1, sample.outcome.confirmed) for sample in group
        )

    return ", ".join(f"{name} {per_order(name):.3f}" for name in group[0].cpu_s)


def _aligned(line: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(map(str.ljust, line, widths)).rstrip()
