"""News over HTTP, newest first."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.needs import needs
from quantdesk.core.clock import iso
from quantdesk.core.ticks import Headline


class Story(msgspec.Struct, frozen=True):
    """A piece of news as it is stored; `cursor` names its place among all."""

    cursor: str
    source: str
    headline: Headline


Stories = Callable[["NewsQuery"], Awaitable[list[Story]]]
"""Returns at most `limit` + 1 stories before `cursor`, newest first."""


class NewsQuery(BaseModel):
    """Which news a page holds; `cursor` is the `nextCursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    symbol: str | None = Field(None, pattern="^[A-Za-z0-9]{1,16}$")
    cursor: str | None = Field(None, max_length=80)
    limit: int = Field(50, ge=1, le=500)


class StoryView(msgspec.Struct, frozen=True, rename="camel"):
    """A piece of news; `votes` is what a crowd thought of it, by name of the vote."""

    key: str
    source: str
    title: str
    url: str
    publisher: str
    published_at: str
    summary: str
    symbols: list[str]
    votes: dict[str, int]


class NewsView(msgspec.Struct, frozen=True, rename="camel"):
    """A page of news, newest first; `nextCursor` asks for the next, null when there is none."""

    news: list[StoryView]
    next_cursor: str | None


class NewsRoutes:
    """The route of news."""

    def __init__(self, *, stories: Stories) -> None:
        self._stories = stories

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/news", tags=["news"])

        @router.get(
            "",
            **needs(Permission.MARKET_READ),
            responses=returns(NewsView),
            summary="News, newest first",
        )
        async def news(asked: Annotated[NewsQuery, Query()]) -> Response:
            found = await self._stories(asked)
            shown = found[: asked.limit]
            more = shown[-1].cursor if len(found) > asked.limit else None
            return json(NewsView([_view(story) for story in shown], more))

        return router


def _view(story: Story) -> StoryView:
    headline = story.headline
    return StoryView(
        key=headline.key,
        source=story.source,
        title=headline.title,
        url=headline.url,
        publisher=headline.publisher,
        published_at=iso(headline.published_ms),
        summary=headline.summary,
        symbols=list(headline.symbols),
        votes=headline.votes,
    )
