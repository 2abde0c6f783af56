"""Questions over HTTP for sources that ask again and again: bounded in time, size and redirects.

A body is unpacked here, not by the client, so that a few bytes cannot become many. Only a source
without a secret follows redirects: to another name over HTTP at least as safe, never to an address.
What a key opens is asked at its own address alone. No message of an error shows a query.
"""

import ipaddress
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import quote, urljoin, urlsplit

import aiohttp

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import BUSY, WAIT_S_MAX, Declined, retry_after_s
from quantdesk.sources.patience import within

ANSWER_S: Final = 20.0
BODY_BYTES_MAX: Final = 2 << 20
REDIRECTS_MAX: Final = 3
AGENT: Final = "QuantDesk (self-hosted trading desk)"

_CHUNK: Final = 64 << 10
_WORDS_MAX: Final = 200
_SECRET_MIN: Final = 6
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_ANSWERED: Final = frozenset({HTTPStatus.OK, HTTPStatus.NOT_MODIFIED})
_EPOCH_FROM: Final = 1e9  # a reset that large is a moment, not a wait
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; a `form` makes it a POST. `redirects` may be followed, none with a secret."""

    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    redirects: int = 0

    def without_secrets(self, words: str) -> str:
        """Return what a server said without what it was asked with: it may be a key."""
        asked = (*self.query.values(), *self.headers.values(), *(self.form or {}).values())
        parts = {part for said in asked for part in said.split() if len(part) >= _SECRET_MIN}
        written = {way for part in parts for way in (part, quote(part), quote(part, safe=""))}
        for secret in sorted(written, key=len, reverse=True):
            words = words.replace(secret, "-")
        return words


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 200 or 304, a body, headers by small names, and how long to leave the server alone."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    pause_s: float = 0.0

    @property
    def media(self) -> str:
        """Return what the server calls the body, without parameters, in small letters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Fetcher:
    """Asks, one question after the other. Use as `async with`."""

    def __init__(self, *, clock: Clock, agent: str = AGENT) -> None:
        self._clock = clock
        self._agent = agent
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # deadlines are ours
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": self._agent, "Accept-Encoding": "gzip"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None, "entered before left"
        await self._session.close()

    async def ask(self, question: Question) -> Answer:
        """Return the answer.

        Raises `Declined` for a status other than 200 and 304, `Unavailable` (`source.unavailable`)
        when none comes within `ANSWER_S`, it is longer than `BODY_BYTES_MAX`, or leads elsewhere.
        """
        try:
            return await within(ANSWER_S, self._followed(question), clock=self._clock)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            # A client's errors may quote the whole address, and with it a key.
            why = str(problem) if isinstance(problem, TimeoutError) else type(problem).__name__
            raise Unavailable(
                f"{shown(question.url)} does not answer: {why}", code="source.unavailable"
            ) from None

    async def _followed(self, question: Question) -> Answer:
        url = question.url
        for _ in range(question.redirects + 1):
            found = await self._asked(question, url)
            if isinstance(found, Answer):
                return found
            url = _onward(url, found)
        raise Unavailable(
            f"{shown(question.url)} redirects more than {question.redirects} times",
            code="source.unavailable",
        )

    async def _asked(self, question: Question, url: str) -> Answer | str:
        """Return an answer, or where it leads."""
        assert self._session is not None, "entered before asked"
        async with self._session.request(
            "GET" if question.form is None else "POST",
            url,
            params=question.query or None,
            headers=question.headers,
            data=question.form,
            allow_redirects=False,
        ) as response:
            if response.status in _MOVED:
                return response.headers.get("Location", "")
            headers = {name.lower(): value for name, value in response.headers.items()}
            if response.status not in _ANSWERED:
                raise await self._declined(question, response, headers)
            packed = headers.get("content-encoding", "").lower()
            body = await _body(response, shown(url), packed=packed)
            return Answer(response.status, body, headers, self._reset_s(headers, spent_only=True))

    async def _declined(
        self, question: Question, response: aiohttp.ClientResponse, headers: Mapping[str, str]
    ) -> Declined:
        said = (await response.content.read(_WORDS_MAX)).decode("utf-8", "replace")
        wait_s = retry_after_s(response.status, headers.get("retry-after"))
        if response.status in BUSY and "retry-after" not in headers:
            wait_s = self._reset_s(headers, spent_only=False) or wait_s
        words = " ".join(said.split())
        words = question.without_secrets(words) if words.isprintable() else ""
        return Declined(
            f"{shown(question.url)} answered HTTP {response.status}: {words or response.reason}",
            status=response.status,
            wait_s=wait_s,
        )

    def _reset_s(self, headers: Mapping[str, str], *, spent_only: bool) -> float:
        return reset_s(headers, self._clock.now_ms() / 1000, spent_only=spent_only)


def reset_s(headers: Mapping[str, str], now_s: float, *, spent_only: bool) -> float:
    """Return how long until a server counts anew, in seconds; zero where it does not say.

    X gives the moment (`x-rate-limit-reset`), Reddit the wait (`X-Ratelimit-Reset`). `spent_only`
    asks only where nothing remains. `now_s` is Unix time in seconds.
    """
    reset = _number(headers.get("x-rate-limit-reset", headers.get("x-ratelimit-reset")))
    left = _number(headers.get("x-rate-limit-remaining", headers.get("x-ratelimit-remaining")))
    if reset is None or (spent_only and (left is None or left >= 1)):
        return 0.0
    wait_s = reset - now_s if reset >= _EPOCH_FROM else reset
    return min(max(wait_s, 0.0), WAIT_S_MAX)


def json_body(answer: Answer, asked: str) -> bytes:
    """Return an answer's body; raise `Unavailable` (`source.content_type`) if it is not JSON."""
    if answer.media == "application/json" or answer.media.endswith("+json"):
        return answer.body
    raise Unavailable(
        f"{shown(asked)} answers with {answer.media[:40] or 'something'}, not JSON",
        code="source.content_type",
    )


def shown(url: str) -> str:
    """Return an address without its query and password: what logs and errors may say."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _number(said: str | None) -> float | None:
    if said is None or len(said) > len("1700000000.000") or not said.isascii():
        return None
    whole, _, rest = said.strip().partition(".")
    return float(f"{whole}.{rest or 0}") if whole.isdigit() and (rest or "0").isdigit() else None


def _onward(url: str, location: str) -> str:
    """Return where a redirect leads; raise `Unavailable` for where no source has its news."""
    onward = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(onward)
    safe = there.scheme == "https" or (there.scheme == "http" and here.scheme == "http")
    same = here.hostname == there.hostname
    if not location or not safe or not there.hostname or (not same and _inside(there.hostname)):
        raise Unavailable(
            f"{shown(url)} leads to {shown(onward)[:_WORDS_MAX]}, which is not followed",
            code="source.unavailable",
        )
    return onward


def _inside(host: str) -> bool:
    """Say whether a host is an address or a name of this machine: no redirect may lead there."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return True


async def _body(response: aiohttp.ClientResponse, name: str, *, packed: str) -> bytes:
    if packed not in {"", "identity", "gzip", "x-gzip"}:
        raise Unavailable(f"{name} answers packed as {packed[:20]}", code="source.unavailable")
    unpack = zlib.decompressobj(_GZIP) if "gzip" in packed else None
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk if unpack is None else _unpacked(unpack, chunk, len(body))
            if len(body) > BODY_BYTES_MAX:
                raise Unavailable(f"{name} answers without end", code="source.unavailable")
    except zlib.error as problem:
        raise Unavailable(f"{name} answers badly packed", code="source.unavailable") from problem
    if unpack is not None and body and not unpack.eof:
        raise Unavailable(f"{name} answers with half a body", code="source.unavailable")
    return bytes(body)


def _unpacked(unpack: "zlib._Decompress", chunk: bytes, so_far: int) -> bytes:
    return unpack.decompress(chunk, BODY_BYTES_MAX + 1 - so_far)
