"""CPU seconds of process groups, read from /proc before and after a measurement.

A group is the tree that grows from its root pids; it ends where another group begins, so that a
database started by the desk is not counted twice. Children that ended in between stay counted:
their parent has inherited their time. Fields of /proc/PID/stat: proc_pid_stat(5).
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process: its CPU time and that of its ended children, in ticks."""

    pid: int
    parent: int
    ticks: int


def parse_stat(text: str) -> Process:
    """Return the process of one /proc/PID/stat line; its name may hold blanks and brackets."""
    pid, _, rest = text.partition(" ")
    fields = rest.rpartition(")")[2].split()  # fields[0] is the state, field 3 of the manual page
    return Process(pid=int(pid), parent=int(fields[1]), ticks=sum(map(int, fields[11:15])))


def group_seconds(
    processes: Iterable[Process], groups: Mapping[str, tuple[int, ...]], *, ticks_per_s: int
) -> dict[str, float]:
    """Return the CPU seconds of each group."""
    table = {process.pid: process for process in processes}
    group_of = {pid: name for name, roots in groups.items() for pid in roots}
    ticks = dict.fromkeys(groups, 0)
    for process in table.values():
        at: Process | None = process
        while at is not None and at.pid not in group_of:
            at = table.get(at.parent)
        if at is not None:
            ticks[group_of[at.pid]] += process.ticks
    return {name: total / ticks_per_s for name, total in ticks.items()}


def read_seconds(groups: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    """Return the CPU seconds each group has used until now."""
    return group_seconds(_processes(), groups, ticks_per_s=TICKS_PER_S)


def _processes() -> Iterable[Process]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield parse_stat(stat.read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
