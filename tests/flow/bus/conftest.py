"""A fresh nats-server for each test of the bus."""

from collections.abc import Iterator

import pytest
from tests.flow.bus.server import NatsServer, nats_server


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with nats_server() as running:
        yield running
