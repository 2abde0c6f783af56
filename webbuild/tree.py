"""Where the page's source, its build and what was already done lie in a checkout."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_FILES: Final = (
    ".npmrc", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts",
)  # fmt: skip
_FOLDERS: Final = ("public", "src")


class Tree:
    """The places in one checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.web = root / "web"
        self.types = self.web / "src" / "api" / "types.d.ts"
        self.lock = self.web / "package-lock.json"
        self.modules = self.web / "node_modules"
        self.dist = root / "src" / "quantdesk" / "web_dist"
        self.node_lock = root / "requirements-web.lock"
        self.node = root / "build" / "node"
        self.scratch = root / "build" / "web"
        self.document = root / "build" / "openapi.json"

    def digest(self, *more: Path) -> str:
        """Return what everything the page is made from comes to; `more` counts too."""
        total = hashlib.sha256()
        for path in (*self._sources(), *more):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(self.root).as_posix()} {content}\n".encode())
        return total.hexdigest()

    def _sources(self) -> Iterator[Path]:
        yield from (path for name in _FILES if (path := self.web / name).is_file())
        for folder in _FOLDERS:
            yield from sorted(path for path in (self.web / folder).rglob("*") if path.is_file())


class Stamp:
    """A file that remembers of what something was last done."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def holds(self, digest: str) -> bool:
        """Return whether it was done of just this."""
        return self._path.is_file() and self._path.read_text().strip() == digest

    def set(self, digest: str) -> None:
        """Remember."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(f"{digest}\n")
