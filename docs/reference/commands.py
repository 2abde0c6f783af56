"""Writes the page on the command line from the commands themselves: `make docs`."""

from collections.abc import Iterator
from typing import Any

import typer

from quantdesk.cli.permissions import COMMANDS
from quantdesk.cli.root import app

_HEAD = """\
# Commands
Written by `make docs` from `src/quantdesk/cli/`; do not edit. Every command says this itself with
`--help`.

*Needs* is the permission that the desk asks of the caller; *machine* commands talk to no running
desk and need only its user.
"""


def commands_page() -> str:
    """Return the page on commands as Markdown."""
    return _HEAD + "".join(_told(name, command) for name, command in _commands())


def _commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by its full name."""
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        subs = getattr(command, "commands", {})
        if not subs or name in COMMANDS:
            yield name, command
        for sub, below in subs.items():
            yield f"{name} {sub}", below


def _told(name: str, command: Any) -> str:  # noqa: ANN401 - typer keeps its click to itself
    needs = COMMANDS[name]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join(["quantdesk", name, *(_argument(each) for each in arguments)])
    lines = [f"\n## {name}", _plain(command.help or ""), "", f"    {usage}", ""]
    lines += [f"Needs `{needs}`.", ""]
    if options:
        lines += ["| Option | Meaning |", "|---|---|"]
        lines += [f"| {_names(each)} | {_plain(each.help or '')} |" for each in options]
    return "\n".join(lines).rstrip() + "\n"


def _argument(argument: Any) -> str:  # noqa: ANN401
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _names(option: Any) -> str:  # noqa: ANN401
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _plain(text: str) -> str:
    return " ".join(text.replace("\b", "").split()).replace("|", "\\|")
