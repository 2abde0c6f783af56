"""A fresh localnet for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.chains_solana.desk import Desk, opened


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as fresh:
        yield fresh
