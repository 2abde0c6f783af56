"""The desk's page in a browser: the files of `web_dist`, read once and answered from memory.

    web/ ─ make web ─▶ src/quantdesk/web_dist ─ start ─▶ Site ─▶ edge ─▶ browser

Anybody may have them: they hold nothing of this desk, and whoever uses the page signs in. Names are
looked up in a table, so no path leads out of the folder. Whatever is no file is a place on the page
itself, and answered with its first document, which then shows it.
Sources: caching https://www.rfc-editor.org/rfc/rfc9111, conditions and codings RFC 9110 §8.8, §12.5
"""

import gzip
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
import structlog

from quantdesk.api.edge import Reply
from quantdesk.api.given import Headers
from quantdesk.api.protection.headers import SITE
from quantdesk.core.errors import Refused

log = structlog.get_logger()

DIST: Final = Path(__file__).parents[1] / "web_dist"
"""Where the build puts the page: inside the package, so that a wheel carries it."""
FIRST: Final = "/index.html"
FILES_MAX: Final = 500
BYTES_MAX: Final = 32 * 1024 * 1024

_HASHED: Final = "/assets/"
_ELSEWHERE: Final = frozenset({"api", "ws", "healthz", "readyz", "metrics"})
"""First words of paths that are not the page's."""
_TYPES: Final[Mapping[str, bytes]] = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".ico": b"image/x-icon",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".map": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".webmanifest": b"application/manifest+json",
    ".webp": b"image/webp",
    ".woff2": b"font/woff2",
}
_PACKED: Final = frozenset({".ico", ".png", ".webp", ".woff2"})
"""Compressed already; an icon is small."""
_VARY: Final = (b"vary", b"Accept-Encoding, Origin")
_GET: Final = frozenset({"GET", "HEAD"})

_UNBUILT: Final = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>QuantDesk</title>
<h1>The page is not built</h1>
<p>This desk runs, and its <a href="/api/docs">API</a> and command line work. Its page has not been
built on this machine yet. In the checkout:</p>
<pre>make web</pre>
<p>builds it, then start the desk again. It takes Node.js 20.19 or newer, or the network once.</p>
</html>
"""


class _Form(msgspec.Struct, frozen=True):
    """A file in one coding, ready to go out."""

    etag: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class _File(msgspec.Struct, frozen=True):
    """A file, as it is and packed, if that is shorter."""

    content_type: bytes
    plain: _Form
    packed: _Form | None


class Site:
    """The page's files by path; without its first document it says how to build it."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._files = {path: _file(path, content) for path, content in contents.items()}

    @property
    def built(self) -> bool:
        """Return whether there is a page."""
        return FIRST in self._files

    @property
    def paths(self) -> Collection[str]:
        """Return the paths of the files there are."""
        return self._files.keys()

    def owns(self, method: str, path: str) -> bool:
        """Return whether a request is for the page, or a place on it."""
        return method in _GET and path[1:].partition("/")[0] not in _ELSEWHERE

    def reply(self, path: str, headers: Headers) -> Reply:
        """Return the answer to a request for a file, or for a place on the page.

        Raises `Refused` (`request.not_found`) for a file that is not there.
        """
        if not self.built:
            return Reply(503, _UNBUILT, (_VARY,), _TYPES[".html"])
        found = self._files.get(path)
        if found is None:
            if path.startswith(_HASHED) or PurePosixPath(path).suffix in _TYPES:
                raise Refused(
                    "the page has no such file; it may be of an earlier version: reload the page",
                    code="request.not_found",
                )
            found = self._files[FIRST]
        return _reply(found, headers)


def load(folder: Path = DIST) -> Site:
    """Return the site of a folder; one that cannot be read, or is far too large, is not built."""
    contents: dict[str, bytes] = {}
    left = BYTES_MAX
    try:
        for path in _paths(folder):
            content = path.read_bytes()
            left -= len(content)
            if left < 0 or len(contents) == FILES_MAX:
                log.warning("web.too_large", files_max=FILES_MAX, bytes_max=BYTES_MAX)
                return Site({})
            contents[f"/{path.relative_to(folder).as_posix()}"] = content
    except OSError as problem:
        log.warning("web.unreadable", why=str(problem))
        return Site({})
    return Site(contents)


def is_built(folder: Path = DIST) -> bool:
    """Return whether a folder holds a page."""
    return (folder / FIRST[1:]).is_file()


def _paths(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that a browser may have; a link could lead anywhere."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if path.suffix in _TYPES and not name.startswith(".") and _is_own(path):
                yield path


def _is_own(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _reply(found: _File, headers: Headers) -> Reply:
    packed = found.packed is not None and _takes_gzip(headers.get(b"accept-encoding", b""))
    form = found.packed if packed and found.packed is not None else found.plain
    if _has(headers.get(b"if-none-match", b""), form.etag):
        return Reply(304, b"", form.headers)
    return Reply(200, form.body, form.headers, found.content_type)


def _file(path: str, content: bytes) -> _File:
    suffix = PurePosixPath(path).suffix
    name = hashlib.sha256(content).hexdigest()[:32].encode()
    kept = b"public, max-age=31536000, immutable" if path.startswith(_HASHED) else b"no-cache"
    told = ((b"cache-control", kept), _VARY, *(SITE if suffix == ".html" else ()))
    plain = b'"%b"' % name
    form = _Form(plain, content, ((b"etag", plain), *told))
    smaller = None
    if suffix not in _PACKED:
        short, etag = gzip.compress(content, 6, mtime=0), b'"%b-gzip"' % name
        if len(short) < len(content):
            smaller = _Form(etag, short, ((b"etag", etag), (b"content-encoding", b"gzip"), *told))
    return _File(_TYPES[suffix], form, smaller)


def _takes_gzip(accepted: bytes) -> bool:
    """Return whether a client wrote that it takes gzip: by name, or among any, and not at 0."""
    weights: dict[bytes, bool] = {}
    for part in accepted.lower().split(b","):
        coding, *parameters = (word.strip() for word in part.split(b";"))
        weights[coding] = not any(
            word.replace(b" ", b"").removeprefix(b"q=").strip(b"0.") == b""
            for word in parameters
            if word.startswith(b"q")
        )
    return weights.get(b"gzip", weights.get(b"*", False))


def _has(known: bytes, etag: bytes) -> bool:
    """Return whether a client has this form already (RFC 9110 §13.1.2)."""
    tags = [tag.strip() for tag in known.split(b",")]
    return tags == [b"*"] or etag in (tag.removeprefix(b"W/") for tag in tags)
