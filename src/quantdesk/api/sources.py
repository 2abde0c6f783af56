"""Sources over HTTP: how each is doing, what it said that was not believed, and raw messages."""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.malformed import cut
from quantdesk.api.needs import needs
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Frame
from quantdesk.ingest.rejections import Reason, Rejected

_MESSAGE_SHOWN_MAX = 16 * 1024
_NS_PER_MS = 1_000_000


class SourceHealth(msgspec.Struct, frozen=True, rename="camel"):
    """How a source is doing; counts are since the start of the desk.

    `ageMs` is the age of its last message, null before one. `offsetMs` is by how much our clock is
    ahead of its own. `problem` says what is the matter, and what can be done.
    """

    name: str
    state: str
    age_ms: int | None
    messages: int
    unreadable: int
    rejected: Mapping[str, int]
    offset_ms: int | None
    reconnects: int
    problem: str | None


class SourcesView(msgspec.Struct, frozen=True):
    """All sources of this desk."""

    sources: list[SourceHealth]


class RejectionView(msgspec.Struct, frozen=True, rename="camel"):
    """A message that was not taken, and the rule it broke; see `RawView` for the last two."""

    reason: str
    symbol: str
    currency: str
    raw_id: str
    received_at: str
    text: str | None
    base64: str | None


class RejectionsView(msgspec.Struct, frozen=True):
    """The latest messages of a source that were not taken, by reason, oldest first."""

    source: str
    counts: Mapping[str, int]
    samples: list[RejectionView]


class RawView(msgspec.Struct, frozen=True, rename="camel"):
    """A message as it came: `text` if it is UTF-8, else `base64`."""

    id: str
    text: str | None
    base64: str | None


class RawsView(msgspec.Struct, frozen=True):
    """The messages behind a price, of those that are still kept."""

    symbol: str
    messages: list[RawView]


class Kept(Protocol):
    """What is kept of messages that were not taken (`ingest/rejections.py`)."""

    def of(self, source: str) -> dict[str, int]:
        """Return how many messages a source lost, by reason."""

    def samples(self, source: str, reason: Reason) -> Iterable[Rejected]:
        """Return the latest messages a source lost to a rule, oldest first."""


Health = Callable[[], list[SourceHealth]]
Raw = Callable[[str], bytes | None]
"""Returns a message by its id, None when it is not kept any more."""
Behind = Callable[[str], list[str]]
"""Returns the ids of the messages behind the price of an asset; raises `Refused` or `Unavailable`
when there is no such asset or price."""


class SourceRoutes:
    """The routes of sources."""

    def __init__(self, *, health: Health, kept: Kept, raw: Raw, behind: Behind) -> None:
        self._health = health
        self._kept = kept
        self._raw = raw
        self._behind = behind

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api", tags=["sources"])

        @router.get(
            "/sources",
            **needs(Permission.MARKET_READ),
            responses=returns(SourcesView),
            summary="How sources are doing",
        )
        async def sources() -> Response:
            return json(SourcesView(self._health()))

        @router.get(
            "/sources/{name}/rejections",
            **needs(Permission.MARKET_READ),
            responses=returns(RejectionsView),
            summary="Messages of a source that were not taken",
        )
        async def rejections(name: str) -> Response:
            if name not in {source.name for source in self._health()}:
                raise Refused(f"there is no source {cut(name)}", code="source.unknown")
            found = [r for reason in Reason for r in self._kept.samples(name, reason)]
            return json(RejectionsView(name, self._kept.of(name), [_rejected(r) for r in found]))

        @router.get(
            "/prices/{symbol}/raw",
            **needs(Permission.MARKET_READ),
            responses=returns(RawsView),
            summary="The messages behind a price",
        )
        async def behind(symbol: str) -> Response:
            found = [(raw_id, self._raw(raw_id)) for raw_id in self._behind(symbol.upper())]
            told = [_raw(raw_id, data) for raw_id, data in found if data is not None]
            return json(RawsView(symbol.upper(), told))

        @router.get(
            "/raw/{raw_id}",
            **needs(Permission.MARKET_READ),
            responses=returns(RawView),
            summary="A message as it came",
        )
        async def raw(raw_id: str) -> Response:
            data = self._raw(raw_id)
            if data is None:
                raise Refused(f"{cut(raw_id)} is not kept (any more)", code="message.unknown")
            return json(_raw(raw_id, data))

        return router


def _rejected(rejected: Rejected) -> RejectionView:
    frame: Frame = rejected.frame
    text, encoded = _told(frame.data[:_MESSAGE_SHOWN_MAX])
    return RejectionView(
        reason=rejected.reason,
        symbol=rejected.symbol,
        currency=rejected.currency,
        raw_id=frame.id,
        received_at=iso(frame.received_ns // _NS_PER_MS),
        text=text,
        base64=encoded,
    )


def _raw(raw_id: str, data: bytes) -> RawView:
    return RawView(raw_id, *_told(data))


def _told(data: bytes) -> tuple[str | None, str | None]:
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return None, base64.b64encode(data).decode()
