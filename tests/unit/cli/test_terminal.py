"""Promise: what a person is told to type next can be pasted where the person stands."""

import pytest

from quantdesk.cli.terminal import program


@pytest.mark.parametrize(
    ("called", "on_path", "typed"),
    [
        (".venv/bin/quantdesk", False, ".venv/bin/quantdesk"),
        ("/usr/local/bin/quantdesk", True, "quantdesk"),
        ("src/quantdesk/__main__.py", False, "quantdesk"),
    ],
)
def test_that_a_command_is_named_as_it_was_called(called: str, on_path: bool, typed: str) -> None:  # noqa: FBT001
    assert program(called, on_path=on_path) == typed
