"""What the desk writes to those who sign in by email: texts, and the links in them.

An errand says only which address asked for what. Whether there is such an account is found out
here, long after the request was answered, so that no answer can tell.

Links point to the desk's public address of its settings, never to a request's Host header, and hold
their token behind a `#`: a browser sends that to no server, no log and no other page.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from quantdesk.access import store as accounts
from quantdesk.access.links.links import Links
from quantdesk.access.links.model import Link, Purpose
from quantdesk.access.mail.model import Errand, Letter
from quantdesk.access.mail.outbox import Write
from quantdesk.access.model import Account
from quantdesk.core.clock import iso
from quantdesk.store.pool import Pools

VERIFY: Final = "verify"
RESET: Final = "reset"
TAKEN: Final = "taken"
CHANGED: Final = "changed"

_SUBJECTS: Final = {
    VERIFY: "Confirm your email address",
    RESET: "Choose a new password",
    TAKEN: "Somebody registered with your email address",
    CHANGED: "Your password was changed",
}

_VERIFY = """\
Please confirm that this mailbox is yours by opening this link:

    {link}

It works once, until {until}. Other programs send the code in it:

    POST {url}/api/auth/verify {{"token": "{token}"}}

If you did not register at {url}, do nothing: nobody can prove this address without the link.
"""

_RESET = """\
Somebody, probably you, asked for a new password at {url}. Choose it here:

    {link}

The link works once, until {until}. Other programs send the code in it:

    POST {url}/api/auth/reset/confirm {{"token": "{token}", "password": "..."}}

If it was not you, do nothing: your password stays as it is.
"""

_TAKEN = """\
Somebody, perhaps you, tried to register at {url} with this address. You have an account there
already, and nothing about it was changed. Sign in with your password, or ask for a new one if you
do not remember it.

If it was not you, do nothing.
"""

_CHANGED = """\
The password of your account at {url} was changed at {at}, and other sessions were ended.

If it was not you, ask for a new password at once, and tell whoever runs the desk.
"""


class Letters:
    """Writes the letters of passwords."""

    def __init__(self, pools: Pools, *, links: Links, url: str) -> None:
        self._pools = pools
        self._links = links
        self._url = url.rstrip("/")

    def writers(self) -> Mapping[str, Write]:
        """Return who writes which kind of letter."""
        return MappingProxyType(
            {
                VERIFY: self._verify,
                RESET: self._reset,
                TAKEN: self._taken,
                CHANGED: self._changed,
            }
        )

    async def _verify(self, errand: Errand) -> Letter | None:
        account = await self._account(errand)
        if account is None or account.email_verified:
            return None
        return await self._with_link(errand, account, Purpose.VERIFY, _VERIFY)

    async def _reset(self, errand: Errand) -> Letter | None:
        account = await self._account(errand)
        if account is None:
            return None
        return await self._with_link(errand, account, Purpose.RESET, _RESET)

    async def _taken(self, errand: Errand) -> Letter | None:
        return self._letter(errand, _TAKEN.format(url=self._url))

    async def _changed(self, errand: Errand) -> Letter | None:
        return self._letter(errand, _CHANGED.format(url=self._url, at=iso(errand.made_ms)))

    async def _account(self, errand: Errand) -> Account | None:
        """Return who an errand is about; those who may do nothing get no links."""
        async with self._pools.read.connection() as c:
            account = await accounts.account_by_email(c, errand.recipient)
        return None if account is None or account.disabled else account

    async def _with_link(
        self, errand: Errand, account: Account, purpose: Purpose, text: str
    ) -> Letter | None:
        link = Link(
            id=errand.id,
            purpose=purpose,
            account_id=account.id,
            email=errand.recipient,
            made_ms=errand.made_ms,
            expires_ms=errand.expires_ms,
        )
        async with self._pools.write.transaction() as c:
            token = await self._links.make(c, link)
        if token is None:
            return None
        filled = text.format(
            url=self._url,
            link=f"{self._url}/{purpose}#{token}",
            token=token,
            until=iso(errand.expires_ms),
        )
        return self._letter(errand, filled)

    def _letter(self, errand: Errand, text: str) -> Letter:
        return Letter(
            id=errand.id,
            recipient=errand.recipient,
            subject=_SUBJECTS[errand.kind],
            text=text,
            at_ms=errand.made_ms,
        )
