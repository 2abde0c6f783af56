"""Writes the reference pages from the code they describe: `make docs`.

A page and its code cannot drift apart: a test compares them.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from docs.reference.commands import commands_page
from docs.reference.openapi import document
from docs.reference.order_states import states_page
from docs.reference.routes import routes_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from quantdesk import settings
from quantdesk.settings import Settings

FOLDER = Path(__file__).parent
SETTINGS = FOLDER / "settings.md"

_HEAD = """\
# Settings
Written by `make docs` from `src/quantdesk/settings/`; do not edit.

In rising order: `quantdesk.toml` in the data folder, the environment, `--set section.name=value`.
A name that is not in this table stops the start, wherever it is written.
`QD_HOME` (or `--home`) names the data folder; `~/.quantdesk` by default.

| Setting | Environment | Type | Default | Meaning |
|---|---|---|---|---|
"""
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def settings_page() -> str:
    """Return the page on settings as Markdown."""
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in _rows(Settings, ()))


def _rows(model: type[BaseModel], section: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    told = _told(model)
    for name, field in model.model_fields.items():
        path = (*section, name)
        if isinstance(field.default, BaseModel):
            yield from _rows(type(field.default), path)
        elif (named := _named_sections(field)) is not None:
            yield from _rows(named, (*path, "NAME"))
        else:
            kind, meaning = told[name]
            variable = "QD_" + "__".join(path).upper()
            default = _default(field.default)
            bounded = " ".join([kind.removesuffix(" | None").replace("|", "or"), *_bounds(field)])
            yield f"`{'.'.join(path)}`", f"`{variable}`", bounded, default, meaning


def _named_sections(field: FieldInfo) -> type[BaseModel] | None:
    """Return what each section is where there may be several, each with a name of its own."""
    kinds = [kind for kind in getattr(field.annotation, "__args__", ()) if isinstance(kind, type)]
    return next((kind for kind in kinds if issubclass(kind, BaseModel)), None)


def _told(model: type[BaseModel]) -> dict[str, tuple[str, str]]:
    """Return, for each field, its type and its docstring as they are written in the source."""
    [defined] = ast.parse(inspect.getsource(model)).body
    assert isinstance(defined, ast.ClassDef)
    told: dict[str, tuple[str, str]] = {}
    latest = ""
    for statement in defined.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            latest = statement.target.id
            told[latest] = (ast.unparse(_named(statement.annotation)), "")
        elif isinstance(statement, ast.Expr) and latest:
            assert isinstance(statement.value, ast.Constant)
            told[latest] = (told[latest][0], " ".join(str(statement.value.value).split()))
    return told


def _named(annotation: ast.expr) -> ast.expr:
    """Return what a name of settings stands for when it lists the values that are allowed."""
    meant = getattr(settings, annotation.id, None) if isinstance(annotation, ast.Name) else None
    values = getattr(meant, "__args__", None)
    return annotation if values is None else ast.Name(" or ".join(f"`{value}`" for value in values))


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        for name, sign in _BOUNDS.items():
            if (value := getattr(bound, name, None)) is not None:
                yield f"{sign} {value:,}"


def _default(value: object) -> str:
    if value is None:
        return "unset"
    return "empty" if value == "" else f"`{str(value).lower() if value is False else value}`"


def pages() -> dict[Path, str]:
    """Return every page that is written from code, by its file."""
    return {
        SETTINGS: settings_page(),
        FOLDER / "commands.md": commands_page(),
        FOLDER / "order-states.md": states_page(),
        FOLDER / "routes.md": routes_page(document()),
    }


if __name__ == "__main__":
    for file, page in pages().items():
        file.write_text(page)
