"""The data folder: the few files of a desk that people and other programs read.

`owner.key` speaks for the owner, `desk.json` says where the running desk is. Both are readable by
their owner alone and are replaced whole, never half.
"""

import json
import os
from pathlib import Path
from typing import Any

from quantdesk.core.errors import Refused, Unavailable

OWNER_KEY = "owner.key"
DESK = "desk.json"


def write(path: Path, text: str) -> None:
    """Replace a file (mode 0600) in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def owner_key(home: Path) -> str:
    """Return the owner's API key; raise `Refused` (`home.empty`) when no desk was started there."""
    path = home / OWNER_KEY
    if not path.exists():
        raise Refused(
            f"{path} does not exist: start a desk with `quantdesk up` first", code="home.empty"
        )
    return path.read_text().strip()


def running(home: Path) -> dict[str, Any]:
    """Return `desk.json` of the desk that runs here.

    Raises `Unavailable` (`desk.not_running`) when none does.
    """
    path = home / DESK
    try:
        told: dict[str, Any] = json.loads(path.read_text())
        alive = is_alive(told["pid"])
    except FileNotFoundError:
        alive = False
        told = {}
    except (ValueError, KeyError) as problem:
        raise Unavailable(f"{path} is unreadable: {problem}", code="desk.not_running") from problem
    if not alive:
        raise Unavailable(
            f"no desk runs in {home}: start one with `quantdesk up`", code="desk.not_running"
        )
    return told


def is_alive(pid: int) -> bool:
    """Return whether a process runs, ours or another user's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
