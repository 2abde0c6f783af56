"""Command line: `python -m webbuild [build|check|test|types]`.

`build` and `types` fail where there is no Node.js; `check` and `test` say aloud what they skipped.
"""

import sys
from collections.abc import Iterable

from webbuild import node
from webbuild.node import Unbuildable
from webbuild.page import Page, is_current
from webbuild.tree import Tree

NO_NODE = 3
"""The exit code where the page could not be built for want of Node.js."""
_GATES = ("check", "test")


def main(
    arguments: list[str], *, tree: Tree | None = None, places: Iterable[str] | None = None
) -> int:
    """Take one step; return the exit code."""
    tree = tree or Tree()
    step = arguments[0] if arguments else "build"
    if step not in ("build", "types", *_GATES) or len(arguments) > 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if step == "build" and is_current(tree):
        return 0
    try:
        found = node.get(tree, places)
    except Unbuildable as problem:
        return _without_node(step, problem)
    try:
        getattr(Page(tree, found), step)()
    except Unbuildable as problem:
        sys.stderr.write(f"page: {problem}\n")
        return 1
    return 0


def _without_node(step: str, problem: Unbuildable) -> int:
    if step in _GATES:
        sys.stdout.write(f"SKIPPED web/ ({step}): {problem}\n")
        return 0
    sys.stderr.write(f"page not built: {problem}\n")
    return NO_NODE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
