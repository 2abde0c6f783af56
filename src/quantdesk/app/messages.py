"""What the desk and a client say on `/ws`, as shapes for the OpenAPI document.

The hub writes these bytes by hand, for many clients at once; here is what they are, in words that
types are generated from. A test reads whatever a running desk says by these shapes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from quantdesk.api.alerts import AlertView
from quantdesk.api.books import LevelsView
from quantdesk.api.candles import CandleView
from quantdesk.api.markets import PriceView
from quantdesk.api.news import StoryView
from quantdesk.api.sources import SourceHealth
from quantdesk.api.system import ServiceView
from quantdesk.engines.orders.wire import EventView
from quantdesk.hub.asks import Ask

Id: TypeAlias = int | str | UnsetType


class _Said(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="ch",
            forbid_unknown_fields=True):  # fmt: skip
    """A message of the desk; `ch` says which."""


class _Told(_Said, frozen=True, kw_only=True):
    """A message of a channel: `snap` is the whole state of a key, `d` what changed since `seq` - 1.

    It has one of the two.
    """

    key: str
    epoch: str
    seq: int
    t: str


class PricesMessage(_Told, frozen=True, tag="prices"):
    """The price of an asset; null before any source has spoken of it."""

    snap: PriceView | UnsetType | None = UNSET
    d: PriceView | UnsetType | None = UNSET


class CandlesMessage(_Told, frozen=True, tag="candles"):
    """Candles of a market and interval; of two with one opening time the later counts."""

    snap: list[CandleView] | UnsetType = UNSET
    d: list[CandleView] | UnsetType = UNSET


class BooksMessage(_Told, frozen=True, tag="books"):
    """The levels of a book that are shown."""

    snap: LevelsView | UnsetType = UNSET
    d: LevelsView | UnsetType = UNSET


class SourcesMessage(_Told, frozen=True, tag="sources"):
    """How a source is doing; null of one that is gone."""

    snap: SourceHealth | UnsetType | None = UNSET
    d: SourceHealth | UnsetType | None = UNSET


class AlertsMessage(_Told, frozen=True, tag="alerts"):
    """Alerts; of two with one id the later counts."""

    snap: list[AlertView] | UnsetType = UNSET
    d: list[AlertView] | UnsetType = UNSET


class SystemMessage(_Told, frozen=True, tag="system"):
    """What the desk consists of, and how each part is doing."""

    snap: list[ServiceView] | UnsetType = UNSET
    d: list[ServiceView] | UnsetType = UNSET


class NewsMessage(_Told, frozen=True, tag="news"):
    """Stories; of two with one key the later counts."""

    snap: list[StoryView] | UnsetType = UNSET
    d: list[StoryView] | UnsetType = UNSET


class OrdersMessage(_Said, frozen=True, tag="orders"):
    """Events of the caller's orders: those of open ones so far, then each as it comes."""

    epoch: str
    seq: int
    t: str
    snap: list[EventView] | UnsetType = UNSET
    d: EventView | UnsetType = UNSET


class HelloMessage(_Said, frozen=True, tag="hello"):
    """The first of all: what the caller may follow here."""

    epoch: str
    t: str
    channels: list[str]
    heartbeat_ms: int
    keys_max: int


class HeartbeatMessage(_Said, frozen=True, tag="heartbeat"):
    """A sign of life."""

    t: str


class AnswerMessage(_Said, frozen=True, tag="answer"):
    """The answer to what a client said; `keys` null is all of them."""

    op: str
    id: Id = UNSET
    channel: str | UnsetType = UNSET
    keys: list[str] | UnsetType | None = UNSET
    hz: int | UnsetType = UNSET
    t: str | UnsetType = UNSET


class ErrorMessage(_Said, frozen=True, tag="error"):
    """What a client said was not done; the socket stays open."""

    code: str
    detail: str
    retryable: bool
    op: str | UnsetType = UNSET
    id: Id = UNSET


HubMessage: TypeAlias = (
    PricesMessage
    | CandlesMessage
    | BooksMessage
    | SourcesMessage
    | AlertsMessage
    | SystemMessage
    | NewsMessage
    | OrdersMessage
    | HelloMessage
    | HeartbeatMessage
    | AnswerMessage
    | ErrorMessage
)
"""Whatever the desk says on `/ws`."""

MESSAGES: Final[Mapping[str, Any]] = MappingProxyType({"HubMessage": HubMessage, "HubAsk": Ask})
"""By the names they have in the document."""
