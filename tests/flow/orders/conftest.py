"""A stage for every test: real Postgres, a scripted chain, time moved by hand, quiet logs."""

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog

from quantdesk.store.pool import Pools
from quantdesk.testing.stage import Stage


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def stage(pools: Pools) -> AsyncIterator[Stage]:
    made = Stage(pools)
    yield made
    await made.clear()
