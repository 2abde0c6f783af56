"""Whatever can be asked of the desk says which permission it needs; what says nothing is found."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from tests.tidy.tree import parsed, sources

from quantdesk.access.model import Permission
from quantdesk.api.needs import BY_CHANNEL
from quantdesk.api.pages import HOT, STREAMS
from quantdesk.cli.permissions import COMMANDS, MACHINE
from quantdesk.cli.root import app

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "websocket", "api_route"}


def undeclared(tree: ast.AST) -> Iterator[str]:
    """Yield the routes of a file that declare no permission, or one not by name."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "add_api_route" or (
            node.func.attr == "add_route" and ast.unparse(node.func.value) != "app"
        ):
            yield ast.unparse(node)
        if node.func.attr not in METHODS or not ast.unparse(node.func.value).endswith(
            ("router", "app")
        ):
            continue
        declared = [
            word.value
            for word in node.keywords
            if word.arg is None and isinstance(word.value, ast.Call)
        ]
        if not any(
            (ast.unparse(call.func) == "needs" and "Permission." in ast.unparse(call))
            or ast.unparse(call.func) == "public"
            for call in declared
        ):
            yield ast.unparse(node.args[0])


def test_every_route_declares_its_permission() -> None:
    product = [s for s in sources("src/quantdesk") if "/testing/" not in s.path]
    found = {s.path: list(undeclared(s.tree)) for s in product}

    assert {path: routes for path, routes in found.items() if routes} == {}


@pytest.mark.parametrize(
    "planted",
    [
        '@router.get("/x")\nasync def x(): ...\n',
        '@router.post("/x", **more)\nasync def x(): ...\n',
        '@self.router.patch("/x", **needs(anything))\nasync def x(): ...\n',
        'router.add_api_route("/x", f)\n',
    ],
)
def test_a_route_that_declares_nothing_is_found(planted: str) -> None:
    assert list(undeclared(parsed("src/quantdesk/api/planted.py", planted).tree))


def test_hot_paths_and_streams_declare_theirs() -> None:
    assert all(isinstance(needed, Permission) for needed in HOT.values())
    assert set(STREAMS.values()) <= {*Permission, BY_CHANNEL}


def channels(tree: ast.AST) -> Iterator[bool]:
    """Yield of each channel that is made whether it names a permission."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Channel":
            told = {word.arg: ast.unparse(word.value) for word in node.keywords}
            yield told.get("permission", "").startswith("Permission.")


def test_every_channel_declares_its_permission() -> None:
    found = [named for s in sources("src/quantdesk") for named in channels(s.tree)]

    assert len(found) > 4
    assert all(found)
    assert list(channels(parsed("a.py", "Channel(name='x', keys=f)\n").tree)) == [False]


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:  # noqa: ANN401 - click's
    """Yield every command that can be typed."""
    below = getattr(command, "commands", {})
    if path and (not below or command.invoke_without_command):
        yield " ".join(path)
    for name, each in below.items():
        yield from commands(each, (*path, name))


def test_every_command_declares_its_permission() -> None:
    assert set(commands(typer.main.get_command(app))) == set(COMMANDS)
    assert all(needed == MACHINE or isinstance(needed, Permission) for needed in COMMANDS.values())


def test_commands_of_the_machine_ask_no_desk() -> None:
    asking = {
        s.stem for s in sources("src/quantdesk/cli") if "from quantdesk.cli.client import" in s.text
    }
    machine = {name.split()[0] for name, needed in COMMANDS.items() if needed == MACHINE}

    # A demo is a desk of its own and asks that one; doctor looks whether a desk answers.
    # `audit` asks one for packs alone, `sign-in` to be let in.
    assert machine & asking <= {"demo", "doctor", "audit", "sign-in", "sign_in"}
