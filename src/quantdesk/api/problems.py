"""Errors as RFC 9457 problem details: a status, a stable code, and words a person can act on."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from quantdesk.core.errors import Corrupt, DeskError, Unavailable

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

_STATUS: Mapping[str, int] = {
    "request.malformed": 400,
    "news.cursor": 400,
    "request.unauthenticated": 401,
    "request.forbidden": 403,
    "request.not_found": 404,
    "order.unknown": 404,
    "market.unknown": 404,
    "message.unknown": 404,
    "price.unknown": 404,
    "source.unknown": 404,
    "wallet.unknown": 404,
    "request.method": 405,
    "idempotency.conflict": 409,
    "order.too_late": 409,
    "quote.expired": 409,
    "request.slow": 408,
    "request.too_large": 413,
    "request.not_json": 415,
}
"""Codes whose status is not that of their kind."""


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """The body of every error."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    request_id: str


def status_of(problem: DeskError) -> int:
    """Return the HTTP status of an error: its code's, else its kind's."""
    if problem.code in _STATUS:
        return _STATUS[problem.code]
    if isinstance(problem, Unavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(problem, Corrupt):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return HTTPStatus.UNPROCESSABLE_ENTITY


def body(problem: DeskError, *, request_id: str) -> tuple[int, bytes]:
    """Return the status and the JSON body of an error."""
    status = status_of(problem)
    view = Problem(
        type=f"urn:quantdesk:{problem.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=problem.detail,
        code=problem.code,
        retryable=problem.retryable,
        request_id=request_id,
    )
    return status, msgspec.json.encode({**msgspec.to_builtins(view), **problem.extension})
