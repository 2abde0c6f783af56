"""Writes the page on HTTP routes from the OpenAPI document of the desk: `make docs`."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from quantdesk.api.problems import CODES

_HEAD = """\
# HTTP routes
Written by `make docs` from the desk's own OpenAPI document; do not edit. A running desk serves the
document at `/api/openapi.json`, and a page of it at `/api/docs`.

Bodies are JSON; a field that is not known is refused. Money is decimal strings, in the order shapes
decimal numbers. Every error is an `application/problem+json` with `code`, `detail` and `retryable`.
"""
_CODES_HEAD = """
## Codes of errors whose status is not that of their kind

| Status | Codes |
|---|---|
"""
_CODES_FOOT = """
Any other refusal is 422; what is unavailable 503 with `Retry-After`; a fault of the desk's, 500.
"""
_METHODS = ("get", "post", "put", "patch", "delete")
_REF = "#/components/schemas/"


def routes_page(document: Mapping[str, Any]) -> str:
    """Return the page on routes as Markdown."""
    told = [
        (path.split("/")[2] if path.startswith("/api/") else "besides", method, path, paths[method])
        for path, paths in document["paths"].items()
        for method in _METHODS
        if method in paths
    ]
    told.sort(
        key=lambda route: (route[0] == "besides", route[0], route[2], _METHODS.index(route[1]))
    )
    sections = (
        f"\n## {name}\n| Route | What it does | Needs | Answer |\n|---|---|---|---|\n"
        + "".join(_row(method, path, route) for _, method, path, route in routes)
        for name, routes in groupby(told, key=lambda route: route[0])
    )
    return _HEAD + "".join(sections) + _codes()


def _row(method: str, path: str, route: Mapping[str, Any]) -> str:
    needs = route.get("x-permission", "")
    answers = [_shape(answer) for code, answer in route["responses"].items() if code[0] == "2"]
    shapes = ", ".join(dict.fromkeys(shape for shape in answers if shape))
    return f"| `{method.upper()} {path}` | {route.get('summary', '')} | {needs} | {shapes} |\n"


def _shape(answer: Mapping[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").removeprefix(_REF)
    return f"`{name}`" if name else ""


def _codes() -> str:
    rows = [
        f"| {status} | {', '.join(f'`{code}`' for code in codes.split())} |\n"
        for status, codes in CODES.items()
    ]
    return _CODES_HEAD + "".join(rows) + _CODES_FOOT
