"""Answers of ordinary routes: msgspec encodes them, and OpenAPI learns their shape."""

from typing import Any

import msgspec
from fastapi.responses import Response

from quantdesk.api.problems import CONTENT_TYPE
from quantdesk.engines.orders.wire import encode

SCHEMA = "#/components/schemas/{name}"


def json(view: msgspec.Struct, *, status: int = 200) -> Response:
    """Return a view as a JSON response; decimals are numbers exactly as written."""
    return Response(encode(view), status_code=status, media_type="application/json")


def returns(view: type[msgspec.Struct], *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of a route's responses: this view, or a problem."""
    return {
        status: {"description": view.__doc__, "content": content(view)},
        "default": {
            "description": "What went wrong.",
            "content": {CONTENT_TYPE: {"schema": {"$ref": SCHEMA.format(name="Problem")}}},
        },
    }


def content(view: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a JSON body of this shape in OpenAPI's words."""
    return {"application/json": {"schema": {"$ref": SCHEMA.format(name=view.__name__)}}}
