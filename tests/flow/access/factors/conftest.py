"""The ground of the tests of second factors."""

import pytest
from tests.flow.access.factors.ground import Ground, ground

from quantdesk.store.pool import Pools


@pytest.fixture
async def desk(pools: Pools) -> Ground:
    """Return second factors on a fresh database."""
    return await ground(pools)
