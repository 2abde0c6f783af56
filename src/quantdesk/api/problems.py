"""Errors as RFC 9457 problem details: a status, a stable code, and words a person can act on."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from quantdesk.access.limits.refusing import TooMany
from quantdesk.core.errors import Corrupt, DeskError, Unavailable
from quantdesk.telemetry.redaction import redaction

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

CODES: Mapping[int, str] = {
    400: "limit.invalid limit.unknown link.invalid news.cursor request.malformed",
    401: (
        "factor.wrong message.changed nonce.browser nonce.expired nonce.purpose "
        "nonce.site nonce.unknown nonce.used nonce.wallet oauth.issuer oauth.refused "
        "oauth.state oauth.token refresh.invalid request.unauthenticated sign_in.failed "
        "signature.wrong ticket.invalid"
    ),
    403: (
        "account.disabled account.uninvited email.unverified origin.foreign "
        "proof.factor_needed proof.needed proof.wrong proxy.bypassed request.blocked "
        "request.csrf request.forbidden request.wider request.origin session.needed user.protected "
        "user.role"
    ),
    404: (
        "account.unknown api_key.unknown audit.unknown block.unknown factor.unknown "
        "identity.unknown localnet.absent market.unknown message.unknown oauth.unknown "
        "order.unknown price.unknown request.not_found session.unknown source.unknown user.unknown "
        "wallet.unknown"
    ),
    405: "request.method",
    408: "request.slow",
    409: (
        "email.verified factor.exists idempotency.conflict identity.last "
        "notice.testing oauth.taken order.too_late quote.expired trading.halted_by_settings "
        "trading.not_halted user.exists wallet.last wallet.taken"
    ),
    413: "request.too_large",
    415: "request.not_json",
    421: "host.foreign site.unknown",
    429: ("connections.too_many factor.locked nonce.too_many request.too_many sign_in.throttled"),
    431: "request.head_too_large",
}
"""Codes whose status is not that of their kind, by that status."""

_STATUS: Mapping[str, int] = {
    code: status for status, codes in CODES.items() for code in codes.split()
}


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """The body of every error."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    request_id: str


def headers(problem: DeskError) -> tuple[tuple[bytes, bytes], ...]:
    """Return the header fields that go out with an error: when to come back, and what is left."""
    if isinstance(problem, TooMany):
        return (b"retry-after", b"%d" % problem.retry_after_s), *problem.fields
    return ((b"retry-after", b"%d" % RETRY_AFTER_S),) if problem.retryable else ()


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
        detail=redaction.text(problem.detail),
        code=problem.code,
        retryable=problem.retryable,
        request_id=request_id,
    )
    return status, msgspec.json.encode({**msgspec.to_builtins(view), **problem.extension})
