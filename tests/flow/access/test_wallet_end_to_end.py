"""From a wallet's signature to a session that the desk's own edge knows, and back out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import msgspec
import pytest
from tests.flow.access.served import Answer, Browser, Served, served
from tests.flow.access.wallet_stage import HOST, Stage
from tests.flow.access.world import World

from quantdesk.access.policy import FRESH_MS
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.wallets import AnyWallet, EvmWallet, SolanaWallet

pytestmark = pytest.mark.anyio

FIRST, SECOND = SolanaWallet(1), EvmWallet(2)


class Two:
    """Accounts that have a second factor."""

    async def methods(self, _: UUID) -> tuple[str, ...]:
        """Return that there is one."""
        return ("totp",)


@asynccontextmanager
async def running(desk: World) -> AsyncIterator[tuple[Served, Stage]]:
    """Serve wallet sign-in with the desk's own sessions, clock and edge."""
    assert isinstance(desk.clock, ManualClock)
    stage = Stage(desk.pools, clock=desk.clock)
    async with served(desk, stage.routes(desk.entrance).routes()) as here:
        yield here, stage


async def ask(browser: Browser, method: str, path: str, body: object = None, **more: str) -> Answer:
    return await browser.ask(method, path, body, Host=HOST, **more)


async def signed(browser: Browser, wallet: AnyWallet, **more: object) -> dict[str, str]:
    """Return a text of the desk's, signed."""
    wish = {"address": wallet.address, "chain": wallet.chain, **more}
    message = (await ask(browser, "POST", "/api/auth/nonce", wish)).body["message"]
    return {"address": wallet.address, "signature": wallet.sign(message), "message": message}


async def test_a_program_signs_in_and_links_and_takes_away(desk: World) -> None:
    assert isinstance(desk.clock, ManualClock)
    async with running(desk) as (here, _), here.browser() as person:
        entered = await ask(person, "POST", "/api/auth/wallet", await signed(person, FIRST))
        bearer = {"Authorization": f"Bearer {entered.body['token']}"}
        body = await signed(person, SECOND, purpose="link")
        linked = await ask(person, "POST", "/api/wallets", body, **bearer)
        listed = await ask(person, "GET", "/api/wallets", **bearer)
        await desk.clock.advance(FRESH_MS / 1000 + 1)
        await desk.known.catch_up()
        path = f"/api/wallets/evm/{SECOND.address}"
        stale = await ask(person, "DELETE", path, **bearer)
        again = await ask(person, "POST", "/api/auth/wallet", await signed(person, SECOND))
        bearer = {"Authorization": f"Bearer {again.body['token']}"}
        left = await ask(person, "DELETE", path, **bearer)
        nobody = await ask(person, "GET", "/api/wallets")

    assert (entered.status, linked.status) == (200, 201)
    assert entered.body["user"]["role"] == "trader"
    assert entered.body["balances"] is None
    assert {wallet["chain"] for wallet in listed.body["wallets"]} == {"solana", "evm"}
    assert (stale.status, stale.code) == (403, "proof.needed")
    assert again.body["user"] == entered.body["user"]
    assert (left.status, len(left.body["wallets"])) == (200, 1)
    assert (nobody.status, nobody.code) == (401, "request.unauthenticated")
    assert await desk.acts() == [
        "user.added",
        "wallet.linked",
        "session.opened",
        "wallet.linked",
        "session.opened",
        "wallet.unlinked",
    ]


async def test_a_browser_signs_in_for_cookies(desk: World) -> None:
    own = {"Origin": f"http://{HOST}"}
    async with running(desk) as (here, _), here.browser() as person:
        wish = {"address": FIRST.address, "chain": "solana"}
        asked = await ask(person, "POST", "/api/auth/nonce", wish, **own)
        message = asked.body["message"]
        body = {"address": FIRST.address, "signature": FIRST.sign(message), "message": message}
        entered = await ask(person, "POST", "/api/auth/wallet", {**body, "cookie": True}, **own)
        csrf = {"X_CSRF_Token": person.cookies["qd_csrf"]}
        link = await signed(person, SECOND, purpose="link")
        forged = await ask(person, "POST", "/api/wallets", link, **own)
        link = await signed(person, SECOND, purpose="link")
        linked = await ask(person, "POST", "/api/wallets", link, **own, **csrf)

    assert asked.cookies["qd_nonce"]["httponly"]
    assert entered.status == 200, entered
    assert entered.cookies["qd_session"]["httponly"]
    assert (forged.status, forged.code) == (403, "request.csrf")
    assert linked.status == 201, linked


async def test_a_disabled_account_and_a_second_factor(desk: World) -> None:
    async with running(desk) as (here, _), here.browser() as person:
        await ask(person, "POST", "/api/auth/wallet", await signed(person, FIRST))
        async with desk.pools.write.connection() as c:
            await c.execute("update accounts set disabled_at = now()")
        refused = await ask(person, "POST", "/api/auth/wallet", await signed(person, FIRST))
        async with desk.pools.write.connection() as c:
            await c.execute("update accounts set disabled_at = null")
    two = replace(desk, entrance=desk.entrance.__class__(
        pools=desk.pools, sessions=desk.sessions, tickets=desk.tickets, factors=Two(),
        known=desk.known,
    ))  # fmt: skip
    async with running(two) as (here, _), here.browser() as person:
        waits = await ask(person, "POST", "/api/auth/wallet", await signed(person, FIRST))

    assert (refused.status, refused.code) == (403, "account.disabled")
    assert waits.body["factorNeeded"]["methods"] == ["totp"]
    assert "token" not in waits.body


async def test_the_document_tells_of_the_routes(desk: World) -> None:
    async with running(desk) as (here, _), here.browser() as person:
        document = (await person.ask("GET", "/api/openapi.json")).body

    paths = document["paths"]
    assert paths["/api/auth/nonce"]["post"]["x-permission"] == "public"
    assert paths["/api/auth/wallet"]["post"]["x-permission"] == "public"
    assert paths["/api/wallets"]["get"]["x-permission"] == "account:read"
    assert paths["/api/wallets"]["post"]["x-permission"] == "account:write"
    assert paths["/api/wallets/{chain}/{address}"]["delete"]["x-permission"] == "account:write"
    assert b"NonceBody" in msgspec.json.encode(paths["/api/auth/nonce"])
