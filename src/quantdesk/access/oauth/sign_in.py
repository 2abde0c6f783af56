"""Sign-in by way of a provider: a request that one browser makes, and its one answer.

    begin ─▶ state, nonce, verifier ─ browser ─▶ provider ─ browser ─▶ finish ─▶ account

An identity is its issuer and subject, never its address: whoever controls a mailbox elsewhere gets
no account here by it. An address that an account has already is a refusal; its owner signs in the
old way and links the provider from there.
"""

import secrets
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from quantdesk.access import store as accounts_store
from quantdesk.access.accounts import register
from quantdesk.access.acts import Act
from quantdesk.access.audit.store import note
from quantdesk.access.model import Account, Origin, Registration
from quantdesk.access.oauth import store
from quantdesk.access.oauth.client import Asked, Client
from quantdesk.access.oauth.provider import Identity
from quantdesk.access.sealing import Sealer
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

OPEN_MS: Final = 10 * 60_000
"""How long somebody may take at the provider."""

_SECRET_BYTES: Final = 32
_VERIFIER_BYTES: Final = 48


class _Kept(msgspec.Struct, frozen=True):
    nonce: str
    verifier: str
    redirect_uri: str


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser goes, and what it must come back with as its cookie."""

    url: str
    browser: str


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """Who came back. `linked` says that a signed-in account was given this way to sign in."""

    account: Account
    cookie: bool
    linked: bool
    new: bool


class OAuth:
    """Every configured provider, by name."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        *,
        pools: Pools,
        sealer: Sealer,
        registration: Registration,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self.clients = clients
        self._pools = pools
        self._sealer = sealer
        self._registration = registration
        self._clock = clock
        self._new_id = new_id

    async def close(self) -> None:
        """Close all connections to providers."""
        for client in self.clients.values():
            await client.close()

    async def begin(
        self, provider: str, *, redirect_uri: str, cookie: bool, account_id: UUID | None = None
    ) -> Begun:
        """Return where to send a browser; with `account_id` the answer links instead.

        Raises `Refused` (`oauth.unknown`, `oauth.issuer`) or `Unavailable` (`oauth.unavailable`).
        """
        client = self._client(provider)
        state, browser = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(2))
        kept = _Kept(
            secrets.token_urlsafe(_SECRET_BYTES),
            secrets.token_urlsafe(_VERIFIER_BYTES),
            redirect_uri,
        )
        url = await client.authorize_url(_asked(state, kept))
        now_ms, state_hash = self._clock.now_ms(), _hash(state)
        waiting = store.Waiting(
            state_hash=state_hash,
            browser_hash=_hash(browser),
            provider=provider,
            sealed=self._sealer.seal(msgspec.json.encode(kept), about=_about(state_hash)),
            account_id=account_id,
            cookie=cookie,
            expires_ms=now_ms + OPEN_MS,
        )
        async with self._pools.write.transaction() as c:
            await store.wait(c, waiting, now_ms=now_ms)
        return Begun(url=url, browser=browser)

    async def finish(
        self,
        provider: str,
        *,
        state: str,
        code: str,
        issuer: str | None,
        browser: str,
        origin: Origin,
    ) -> Came:
        """Return the account of whoever came back with these words; they are good for once.

        Raises `Refused`: `oauth.state` (unknown, used, too old, or another browser's),
        `oauth.taken` (the identity or its address belongs to an account), `account.uninvited`, and
        as `Client.identity` does.
        """
        client = self._client(provider)
        async with self._pools.write.transaction() as c:
            waiting = await store.take(c, _hash(state))
        now_ms = self._clock.now_ms()
        if (
            waiting is None
            or waiting.provider != provider
            or waiting.expires_ms < now_ms
            or not compare_digest(waiting.browser_hash, _hash(browser))
        ):
            raise Refused(
                "this sign-in was not begun here, or is over: begin again", code="oauth.state"
            )
        opened = self._sealer.open(waiting.sealed, about=_about(waiting.state_hash))
        asked = _asked(state, msgspec.json.decode(opened, type=_Kept))
        identity = await client.identity(asked, code=code, issuer=issuer)
        try:
            async with self._pools.write.transaction() as c:
                return await self._came(c, waiting, identity, origin)
        except asyncpg.UniqueViolationError:
            raise _taken(identity) from None

    async def linked(self, account_id: UUID) -> list[store.Linked]:
        """Return the identities an account signs in with."""
        async with self._pools.read.connection() as c:
            return await store.linked(c, account_id)

    async def unlink(
        self, account_id: UUID, *, provider: str, subject: str, origin: Origin
    ) -> None:
        """Let an identity sign in no more; raise `Refused` (`identity.unknown`)."""
        async with self._pools.write.transaction() as c:
            if not await store.unlink(c, account_id, provider=provider, subject=subject):
                raise Refused("you have no such identity", code="identity.unknown")
            await note(c, self._act("oauth.unlinked", account_id, f"{provider}:{subject}", origin))

    async def _came(
        self, c: Connection, waiting: store.Waiting, identity: Identity, origin: Origin
    ) -> Came:
        account = await store.holder(c, identity)
        if waiting.account_id is not None:
            return await self._link(c, waiting, identity, origin, holder=account)
        if account is not None:
            return Came(account=account, cookie=waiting.cookie, linked=False, new=False)
        if identity.email and await accounts_store.account_by_email(c, identity.email):
            raise _taken(identity)
        account = await register(
            c,
            name=identity.name or identity.email or f"{waiting.provider} user",
            registration=self._registration,
            new_id=self._new_id,
            now_ms=self._clock.now_ms(),
        )
        await self._linked(c, account.id, waiting.provider, identity, origin)
        return Came(account=account, cookie=waiting.cookie, linked=False, new=True)

    async def _link(
        self,
        c: Connection,
        waiting: store.Waiting,
        identity: Identity,
        origin: Origin,
        *,
        holder: Account | None,
    ) -> Came:
        assert waiting.account_id is not None, "asked to link"
        if holder is not None and holder.id != waiting.account_id:
            raise _taken(identity)
        account = await accounts_store.account(c, waiting.account_id)
        assert account is not None, "accounts are never deleted"
        if holder is None:
            await self._linked(c, account.id, waiting.provider, identity, origin)
        return Came(account=account, cookie=waiting.cookie, linked=True, new=False)

    async def _linked(
        self, c: Connection, account_id: UUID, provider: str, identity: Identity, origin: Origin
    ) -> None:
        now_ms = self._clock.now_ms()
        await store.link(c, account_id, identity, provider=provider, at_ms=now_ms)
        await note(
            c, self._act("oauth.linked", account_id, f"{provider}:{identity.subject}", origin)
        )

    def _act(self, action: str, account_id: UUID, about: str, origin: Origin) -> Act:
        return Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action=action,
            origin=origin,
            account_id=account_id,
            about=f"identity:{about}",
        )

    def _client(self, provider: str) -> Client:
        client = self.clients.get(provider)
        if client is None:
            raise Refused(f"there is no provider {provider[:40]!r} here", code="oauth.unknown")
        return client


def _asked(state: str, kept: _Kept) -> Asked:
    return Asked(
        state=state, nonce=kept.nonce, verifier=kept.verifier, redirect_uri=kept.redirect_uri
    )


def _about(state_hash: bytes) -> str:
    return f"oauth:{state_hash.hex()}"


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _taken(identity: Identity) -> Refused:
    return Refused(
        f"{identity.email or 'this identity'} belongs to an account already: sign in to it, then"
        " link the provider there",
        code="oauth.taken",
    )
