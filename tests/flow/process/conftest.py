"""Homes with short paths, and desks that are put away whatever a test did to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.flow.process.running import Process, desk, homes

Desks = Callable[..., Process]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give an empty folder for this test's homes."""
    with homes() as empty:
        yield empty


@pytest.fixture
def desks(folder: Path) -> Iterator[Desks]:
    """Name desks by their home's name and their flags; all are put away."""
    with ExitStack() as stack:
        yield lambda name, *flags: stack.enter_context(desk(folder / name, *flags))
