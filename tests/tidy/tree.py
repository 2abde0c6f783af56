"""What the house rules look at: the files of this checkout that belong to it, and Python parsed."""

import ast
import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("src/quantdesk", "programs", "benches")
PYTHON = (*PRODUCT, "tests", "docs", "webbuild")


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the checkout."""

    path: str
    text: str
    tree: ast.Module

    @property
    def stem(self) -> str:
        """Return the file's name without its ending."""
        return Path(self.path).stem

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Return every node of the tree, walked once for all rules."""
        return tuple(ast.walk(self.tree))


@cache
def files() -> tuple[str, ...]:
    """Return every file of the checkout that `.gitignore` does not name."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    return tuple(sorted(_walk([name for name in (*ignored, ".git") if name])))


def _walk(ignored: list[str]) -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not _is_ignored(name, ignored)]
        for name in names:
            if not _is_ignored(name, ignored):
                yield str((Path(folder) / name).relative_to(ROOT))


def _is_ignored(name: str, ignored: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in ignored)


@cache
def text(path: str) -> str:
    """Return a file's text; nothing for one that is no text."""
    try:
        return (ROOT / path).read_text()
    except UnicodeDecodeError:
        return ""


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the Python files under these folders of the checkout."""
    wanted = tuple(f"{folder}/" for folder in folders)
    gc.disable()  # none of a million nodes is garbage, and all would be looked at again and again
    try:
        return tuple(
            _source(path) for path in files() if path.endswith(".py") and path.startswith(wanted)
        )
    finally:
        gc.freeze()
        gc.enable()


@cache
def _source(path: str) -> Source:
    return parsed(path, text(path))


def parsed(path: str, content: str) -> Source:
    """Return Python text as rules read it."""
    return Source(path, content, ast.parse(content))
