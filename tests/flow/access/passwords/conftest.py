"""Email and password on real Postgres, for each test anew."""

from collections.abc import Iterator

import pytest
from tests.flow.access.passwords.ground import CHEAP, Ground

from quantdesk.access.passwords.hashing import Hasher
from quantdesk.store.pool import Pools


@pytest.fixture
def hasher() -> Iterator[Hasher]:
    made = Hasher(CHEAP)
    yield made
    made.close()


@pytest.fixture
def ground(pools: Pools, hasher: Hasher) -> Ground:
    return Ground(pools, hasher=hasher)
