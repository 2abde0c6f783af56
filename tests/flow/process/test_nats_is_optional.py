"""A desk of one process pays nothing for those that have several: NATS is not even loaded."""

import subprocess
import sys

import pytest

_LOADED = (
    "import sys; found = {m.partition('.')[0] for m in sys.modules}; sys.exit('nats' in found)"
)


def loads_nats(module: str) -> bool:
    """Return whether importing a module loads NATS."""
    code = f"import {module}; {_LOADED}"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 1


@pytest.mark.parametrize("module", ["quantdesk.app.desk", "quantdesk.cli.root"])
def test_that_nats_is_loaded_only_where_it_is_asked_for(module: str) -> None:
    assert not loads_nats(module)


def test_that_the_look_sees_it_where_it_is() -> None:
    assert loads_nats("quantdesk.app.wide")
