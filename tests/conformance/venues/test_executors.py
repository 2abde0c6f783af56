"""Promise: one fill, wherever the desk dies; the stories are those that are shipped."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from tests.conformance.venues.worlds import WORLDS

from quantdesk.testing.executor_suite import STORIES, Story, World

pytestmark = pytest.mark.anyio
Open = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("opened", WORLDS, ids=lambda opened: opened.__name__)
async def test_executor(opened: Open, story: Story) -> None:
    async with opened() as world:
        await story(world)
