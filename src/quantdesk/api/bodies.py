"""Bodies of ordinary routes: JSON read strictly into a struct, bounded by the edge."""

from typing import Annotated, TypeVar

import msgspec
from starlette.requests import Request

from quantdesk.api.malformed import cut
from quantdesk.core.errors import Refused

Token = Annotated[str, msgspec.Meta(max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]
"""A refresh token, a ticket: whatever the desk made up."""
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A name that people choose."""

Body = TypeVar("Body", bound=msgspec.Struct)


async def body(request: Request, shape: type[Body]) -> Body:
    """Return the JSON body of a request; `shape` forbids unknown fields.

    Raises `Refused` (`request.not_json`, `request.malformed`).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused("send Content-Type: application/json", code="request.not_json")
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except msgspec.DecodeError as problem:
        raise Refused(cut(str(problem)), code="request.malformed") from None
