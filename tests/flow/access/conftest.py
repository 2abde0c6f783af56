"""One process of a desk with the database of this test alone, or an audited world; quiet logs."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from tests.flow.access.audited import World as Audited
from tests.flow.access.world import World
from tests.flow.access.world import world as made_world

from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock


@pytest.fixture
def quiet() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def desk(pools: Pools, clock: ManualClock) -> World:
    return await made_world(pools, clock)


@pytest.fixture
async def world(pools: Pools, database: str, quiet: None) -> Audited:
    made = Audited(pools, database)
    await made.begin()
    return made
