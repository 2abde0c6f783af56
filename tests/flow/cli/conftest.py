"""A data folder of its own for a test, and one desk that the others ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.flow.cli.desk import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    fresh = Home(tmp_path / "home")
    yield fresh
    fresh.close()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    shared = Home(tmp_path_factory.mktemp("cli") / "home")
    shared.up("--set", "paper.latency_ms=20")
    yield shared
    shared.close()
