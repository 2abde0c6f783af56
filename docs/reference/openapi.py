"""Writes the OpenAPI document of the API: `python -m docs.reference.openapi [FILE]`.

A route's shape does not depend on the parts that serve it, so the document is made without a desk:
every class of `quantdesk.api` that has routes declares them. A test holds it against what a running
desk serves. The page's types (`web/src/api/types.d.ts`) are generated from it.
"""

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter

import quantdesk.api
from quantdesk.api.pages import pages
from quantdesk.app.messages import MESSAGES
from quantdesk.telemetry.metrics import Metrics

WRITTEN = Path(__file__).parents[2] / "build" / "openapi.json"


def document() -> dict[str, Any]:
    """Return the document that a desk of this checkout serves."""
    app = pages(
        [routes(kind) for kind in kinds()],
        version=version("quantdesk"),
        metrics=Metrics(),
        messages=MESSAGES,
    )
    made: dict[str, Any] = app.openapi()
    return made


def kinds() -> Iterator[type]:
    """Yield the classes of the API that have routes, in the order of their names."""
    found = pkgutil.walk_packages(quantdesk.api.__path__, f"{quantdesk.api.__name__}.")
    for module in sorted(one.name for one in found):
        for _, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass):
            if kind.__module__ == module and hasattr(kind, "routes"):
                yield kind


def routes(kind: type) -> APIRouter:
    """Return the routes of a class without what it serves them by; nobody asks them anything."""
    declared: APIRouter = object.__new__(kind).routes()
    return declared


def written(made: dict[str, Any]) -> str:
    """Return a document as it is written: the same one is the same text."""
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the document; return the exit code."""
    place = Path(arguments[0]) if arguments else WRITTEN
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(written(document()))
    sys.stdout.write(f"{place}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
