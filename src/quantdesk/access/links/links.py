"""Signed links for single use: what proves that somebody reads the mailbox of an account.

    token = HMAC-SHA-256(key of the desk, purpose ‖ link ‖ account ‖ address)   stored: its SHA-256

256 bits that nobody can guess. The table does not hold the token, so whoever reads it gets no link;
the token is signed, so whoever can write to the table gets none either; and it follows from the
link, so that a letter that must be sent again says the same. A link is for one purpose and one
address, it ends, and a newer one of its purpose voids it.
"""

import base64
import hashlib
import hmac
from typing import Final
from uuid import UUID

from quantdesk.access.links import store
from quantdesk.access.links.model import Link, Purpose
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection

KEY_BYTES: Final = 32
TOKEN_CHARS: Final = 43
"""Of 32 bytes in base64url without padding."""


class Links:
    """Makes links and takes them back; a changed key voids those that are out."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES, "a key of links is 32 bytes"
        self._key = key

    async def make(self, c: Connection, link: Link) -> str | None:
        """Make a link in this transaction, voiding older ones, and return its token.

        The same link can be made again. None when there is a newer one of its purpose.
        """
        token = self._token(link)
        await store.lock(c, link.account_id)
        if not await store.is_newest(c, link):
            return None
        await store.void(c, link.account_id, link.purpose, but=link.id)
        await store.put(c, link, token_hash=_hash(token))
        return token

    async def peek(self, c: Connection, token: str, purpose: Purpose, *, now_ms: int) -> Link:
        """Return a link that could be used; raise `Refused` (`link.invalid`)."""
        return self._genuine(token, await store.find(c, _hash(token), purpose, now_ms=now_ms))

    async def use(self, c: Connection, token: str, purpose: Purpose, *, now_ms: int) -> Link:
        """Use a link up in this transaction; of two at once one does.

        Raises `Refused` (`link.invalid`): unknown, used, void, expired or of another purpose.
        """
        link = await self.peek(c, token, purpose, now_ms=now_ms)
        await store.lock(c, link.account_id)  # in the order of `make`: neither waits for the other
        return self._genuine(token, await store.use(c, _hash(token), purpose, now_ms=now_ms))

    async def void(self, c: Connection, account_id: UUID, purpose: Purpose) -> None:
        """Void an account's links of a purpose."""
        await store.lock(c, account_id)
        await store.void(c, account_id, purpose)

    def _genuine(self, token: str, link: Link | None) -> Link:
        if link is None or not hmac.compare_digest(self._token(link).encode(), token.encode()):
            raise invalid()
        return link

    def _token(self, link: Link) -> str:
        signed = "\0".join((link.purpose, str(link.id), str(link.account_id), link.email))
        mac = hmac.digest(self._key, signed.encode(), "sha256")
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def invalid() -> Refused:
    """Return the refusal of every link that cannot be used: it never says why."""
    return Refused(
        "this link is not valid, or no longer: links are used once and end; ask for a new one",
        code="link.invalid",
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
