"""The page's steps: its packages, its build, its tests, its types; each only when it is needed.

web/package-lock.json ─ npm ci ─▶ web/node_modules
web/ ─ vite ─▶ build/web/dist ─ whole ─▶ src/quantdesk/web_dist        what a desk serves
API ─ docs.reference.openapi ─▶ build/openapi.json ─▶ web/src/api/types.d.ts
"""

import filecmp
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from webbuild import sizes
from webbuild.node import Node, Unbuildable
from webbuild.tree import Stamp, Tree

_INSTALL_S: Final = 900
_STEP_S: Final = 600
_VITE: Final = "vite/bin/vite.js"
_TSC: Final = "typescript/bin/tsc"
_VITEST: Final = "vitest/vitest.mjs"
_TYPES: Final = "openapi-typescript/bin/cli.js"


class Page:
    """The page of a checkout, and the node to build it with."""

    def __init__(self, tree: Tree, node: Node) -> None:
        self._tree = tree
        self._node = node

    def install(self) -> None:
        """Install what the lock file names, unless it is there; raise `Unbuildable`."""
        tree = self._tree
        wanted = hashlib.sha256(tree.lock.read_bytes()).hexdigest()
        stamp = Stamp(tree.modules / ".installed")
        if stamp.holds(wanted):
            return
        _say("installing pinned packages, none of which runs a script of its own")
        # A folder of packages that was begun and not finished is never taken for a whole one.
        command = [*self._node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        self._node.run(command, cwd=tree.web, timeout_s=_INSTALL_S)
        stamp.set(wanted)

    def build(self) -> bool:
        """Build the page into the package; return whether there was anything to do.

        The page there was stays until the next one is whole. Raises `Unbuildable`.
        """
        tree = self._tree
        if is_current(tree):
            return False
        self.install()
        digest, made = tree.digest(), tree.scratch / "dist"
        _say("building")
        self._step(_VITE, "build", "--outDir", str(made), "--emptyOutDir", "--logLevel", "error")
        if not (made / "index.html").is_file():
            raise Unbuildable("the build left no index.html")
        _stamp(made).set(digest)
        shutil.rmtree(tree.dist, ignore_errors=True)
        tree.dist.parent.mkdir(parents=True, exist_ok=True)
        made.rename(tree.dist)
        first, most = sizes.first_load(tree.dist) // 1000, sizes.FIRST_LOAD_MAX // 1000
        _say(f"built; {first} kB of scripts before it shows, at most {most}")
        return True

    def check(self) -> bool:
        """Hold types and tests against the source; return whether anything changed since.

        Raises `Unbuildable`.
        """
        tree = self._tree
        self.document()
        stamp, digest = Stamp(tree.scratch / "checked"), tree.digest(tree.document)
        if stamp.holds(digest):
            return False
        self.install()
        made = tree.scratch / "types.d.ts"
        self._generate(made)
        if not tree.types.is_file() or not filecmp.cmp(made, tree.types, shallow=False):
            raise Unbuildable("web/src/api/types.d.ts is not what the API is: run `make types`")
        known = str(tree.scratch / "types.tsbuildinfo")
        self._step(_TSC, "--noEmit", "--incremental", "--tsBuildInfoFile", known)
        self.test()
        stamp.set(digest)
        return True

    def test(self) -> None:
        """Run every test of the page, and weigh it if it is built; raise `Unbuildable`."""
        self.install()
        self._step(_VITEST, "run")
        if is_current(self._tree) and (heavy := list(sizes.too_large(self._tree.dist))):
            raise Unbuildable("the page is too heavy: " + "; ".join(heavy))

    def types(self) -> None:
        """Write the page's types of the API anew; raise `Unbuildable`."""
        self.install()
        self.document()
        self._generate(self._tree.types)

    def document(self) -> None:
        """Write the API's document; raise `Unbuildable`."""
        command = [sys.executable, "-m", "docs.reference.openapi", str(self._tree.document)]
        try:
            subprocess.run(
                command,
                cwd=self._tree.root,
                stdout=subprocess.DEVNULL,
                timeout=_STEP_S,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
            raise Unbuildable("the API's document could not be written") from problem

    def _generate(self, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        self._step(_TYPES, str(self._tree.document), "--output", str(place))

    def _step(self, script: str, *arguments: str) -> None:
        command = [str(self._node.binary), str(self._tree.modules / script), *arguments]
        self._node.run(command, cwd=self._tree.web, timeout_s=_STEP_S)


def is_current(tree: Tree) -> bool:
    """Return whether the package holds the page that this source makes."""
    return (tree.dist / "index.html").is_file() and _stamp(tree.dist).holds(tree.digest())


def _stamp(folder: Path) -> Stamp:
    return Stamp(folder / ".built")


def _say(line: str) -> None:
    sys.stdout.write(f"→ page: {line}\n")
    sys.stdout.flush()
