"""What whoever signs in is answered, whichever way they came: tokens, cookies, or the second step.

A browser that asks for cookies gets the session in one that no script can read, beside one that
its own pages read and send back (X-CSRF-Token). The edge adds `Secure` to them over TLS.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from fastapi.responses import Response

from quantdesk.access.model import Account, FactorNeeded, SignedIn
from quantdesk.api.given import CSRF, REFRESH, SESSION
from quantdesk.core.clock import iso
from quantdesk.engines.orders.wire import encode

REFRESH_PATH: Final = "/api/auth/refresh"
"""The one path a browser sends its refresh token to."""
_YEAR_S: Final = 365 * 86_400


class UserView(msgspec.Struct, frozen=True, rename="camel"):
    """A user of the desk."""

    user_id: str
    name: str
    role: str
    email: str | None
    email_verified: bool
    disabled: bool
    kyc: str
    plan: str
    created_at: str


class FactorView(msgspec.Struct, frozen=True, rename="camel"):
    """The second factor that is still needed: one of `methods`, with the ticket."""

    ticket: str
    methods: list[str]
    expires_at: str


class SignedInView(msgspec.Struct, frozen=True, rename="camel"):
    """A session that was opened; with `"cookie": true` the refresh token is in a cookie alone.

    Where a second factor is needed there is `factorNeeded` and nothing else.
    """

    token: str | None = None
    refresh_token: str | None = None
    expires_at: str | None = None
    user: UserView | None = None
    factor_needed: FactorView | None = None


def user_view(account: Account) -> UserView:
    """Return an account as its owner and admins see it."""
    return UserView(
        user_id=str(account.id),
        name=account.name,
        role=account.role,
        email=account.email,
        email_verified=account.email_verified,
        disabled=account.disabled,
        kyc=account.kyc,
        plan=account.plan,
        created_at=iso(account.created_ms),
    )


def answered(
    outcome: SignedIn | FactorNeeded,
    *,
    cookie: bool = False,
    more: Mapping[str, Any] | None = None,
    shown: bool = True,
) -> Response:
    """Return the answer to a sign-in: `more` stands beside what every way answers.

    Not `shown`: the token is in the cookie alone, where a script that got into a page could ask.
    """
    if isinstance(outcome, FactorNeeded):
        factor = FactorView(outcome.ticket, list(outcome.methods), iso(outcome.expires_ms))
        return _unstored({"factorNeeded": factor})
    told: dict[str, Any] = {
        "token": outcome.token,
        "refreshToken": outcome.refresh,
        "expiresAt": iso(outcome.expires_ms),
        "user": user_view(outcome.account),
        **(more or {}),
    }
    if cookie:
        del told["refreshToken"]
    if not shown:
        del told["token"]
    response = _unstored(told)
    if cookie:
        put_cookies(response, outcome)
    return response


def put_cookies(response: Response, opened: SignedIn) -> None:
    """Give a browser its session, the token its pages send back, and what renews both."""
    response.set_cookie(
        SESSION, opened.token, max_age=_YEAR_S, path="/", httponly=True, samesite="strict"
    )
    response.set_cookie(CSRF, opened.csrf, max_age=_YEAR_S, path="/", samesite="strict")
    response.set_cookie(
        REFRESH,
        opened.refresh,
        max_age=_YEAR_S,
        path=REFRESH_PATH,
        httponly=True,
        samesite="strict",
    )


def drop_cookies(response: Response) -> None:
    """Take a browser's session away."""
    for name, path, hidden in (
        (SESSION, "/", True),
        (CSRF, "/", False),
        (REFRESH, REFRESH_PATH, True),
    ):
        response.delete_cookie(name, path=path, httponly=hidden, samesite="strict")


def _unstored(told: Mapping[str, Any]) -> Response:
    body = encode(told)
    return Response(body, 200, {"cache-control": "no-store"}, media_type="application/json")
