"""API keys: shown once, narrowed by scopes, addresses and time; rotated and revoked at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.flow.access.served import Browser, Served, served
from tests.flow.access.world import World

from quantdesk.access.api_keys.api_keys import NOTE_USES_S, ApiKeys
from quantdesk.access.keys import digest
from quantdesk.access.model import Account, Role
from quantdesk.access.plans import PLANS
from quantdesk.api.keys import KeyRoutes
from quantdesk.core.clock import iso
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

READ = {"name": "bot", "scopes": ["market:read", "account:read"]}
TRADE = {"name": "bot", "scopes": ["account:read", "orders:write"]}


@pytest.fixture
def keys(desk: World) -> ApiKeys:
    made = ApiKeys(pools=desk.pools, known=desk.known, clock=desk.clock, new_id=desk.new_id)
    desk.callers.on_use(made.used)
    return made


@pytest.fixture
async def site(desk: World, keys: ApiKeys) -> AsyncIterator[Served]:
    async with served(desk, KeyRoutes(keys=keys, clock=desk.clock).routes()) as serving:
        yield serving


@pytest.fixture
async def browser(site: Served) -> AsyncIterator[Browser]:
    async with site.browser() as opened:
        yield opened


async def bearer(desk: World, account: Account) -> dict[str, str]:
    """Return the header of a fresh session."""
    return {"Authorization": f"Bearer {(await desk.sign_in(account)).token}"}


def by(key: str) -> dict[str, str]:
    """Return the header of a key."""
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(browser: Browser, desk: World) -> None:
    who = await bearer(desk, await desk.account())

    made = await browser.ask("POST", "/api/keys", READ, **who)
    listed = (await browser.ask("GET", "/api/keys", **who)).body["keys"]

    assert made.status == 201
    assert set(made.body) == {"keyId", "key"}
    key = made.body["key"]
    assert [(k["keyId"], k["prefix"]) for k in listed] == [(made.body["keyId"], key[:11])]
    assert key not in str(listed)
    async with desk.pools.read.connection() as c:
        stored = await c.fetch("select api_keys::text as row, hash from api_keys")
        noted = await c.fetch("select act::text from acts")
    assert [row["hash"] for row in stored] == [digest(key)]
    assert key[11:] not in str(stored) + str(noted)
    assert (await desk.acts())[-1] == "key.made"


async def test_a_key_does_what_its_scopes_say_and_no_more(browser: Browser, desk: World) -> None:
    who = await bearer(desk, await desk.account())
    reads = (await browser.ask("POST", "/api/keys", READ, **who)).body["key"]
    trades = (await browser.ask("POST", "/api/keys", TRADE, **who)).body["key"]

    assert (await browser.ask("POST", "/echo", {}, **by(trades))).status == 201
    refused = await browser.ask("POST", "/echo", {}, **by(reads))
    assert (refused.status, refused.code) == (403, "request.forbidden")
    for key in (reads, trades):
        assert (await browser.ask("GET", "/api/keys", **by(key))).status == 200
        again = await browser.ask("POST", "/api/keys", READ, **by(key))
        assert (again.status, again.code) == (403, "request.forbidden")
        assert (await browser.ask("DELETE", "/api/sessions", **by(key))).status == 403


async def test_a_key_is_nothing_as_a_cookie_or_a_ticket(browser: Browser, desk: World) -> None:
    who = await bearer(desk, await desk.account())
    key = (await browser.ask("POST", "/api/keys", READ, **who)).body["key"]
    browser.cookies["qd_session"] = key

    assert (await browser.ask("GET", "/api/keys")).status == 401
    assert (await browser.ask("GET", f"/api/keys?ticket={key}")).status == 401


async def test_no_key_makes_keys_but_the_desks_own(
    browser: Browser, desk: World, keys: ApiKeys
) -> None:
    who = await bearer(desk, await desk.account(Role.ADMIN))
    admin = {"name": "all", "scopes": ["admin"]}
    key = (await browser.ask("POST", "/api/keys", admin, **who)).body["key"]

    refused = await browser.ask("POST", "/api/keys", READ, **by(key))
    assert (refused.status, refused.code) == (403, "proof.needed")
    async with desk.pools.write.transaction() as c:
        await c.execute("update api_keys set local = true, scopes = null")
    await desk.known.load()

    assert (await browser.ask("POST", "/api/keys", READ, **by(key))).status == 201
    own = next(
        k for k in (await browser.ask("GET", "/api/keys", **by(key))).body["keys"] if k["local"]
    )
    kept = await browser.ask("DELETE", f"/api/keys/{own['keyId']}", **by(key))
    assert (kept.status, kept.code) == (422, "api_key.local")


async def test_a_key_of_money_takes_a_fresh_proof(
    browser: Browser, desk: World, clock: ManualClock
) -> None:
    who = await bearer(desk, await desk.account())
    made = (await browser.ask("POST", "/api/keys", TRADE, **who)).body
    await clock.advance(301)
    await desk.known.catch_up()

    refused = await browser.ask("POST", "/api/keys", TRADE, **who)
    rotated = await browser.ask("POST", f"/api/keys/{made['keyId']}/rotate", **who)
    reading = await browser.ask("POST", "/api/keys", READ, **who)

    assert (refused.status, refused.code) == (403, "proof.needed")
    assert "methods" in refused.body
    assert (rotated.status, rotated.code) == (403, "proof.needed")
    assert reading.status == 201


async def test_a_key_works_from_its_networks_alone(browser: Browser, desk: World) -> None:
    who = await bearer(desk, await desk.account())
    near = (
        await browser.ask("POST", "/api/keys", {**READ, "allowIps": ["127.0.0.0/8"]}, **who)
    ).body
    far = (
        await browser.ask("POST", "/api/keys", {**READ, "allowIps": ["192.0.2.0/24"]}, **who)
    ).body

    assert (await browser.ask("GET", "/api/keys", **by(near["key"]))).status == 200
    assert (await browser.ask("GET", "/api/keys", **by(far["key"]))).status == 401
    hot = await browser.ask("POST", "/echo", {}, **by(far["key"]))
    assert hot.status == 401
    forwarded = {"X_Forwarded_For": "192.0.2.1", **by(far["key"])}
    assert (await browser.ask("GET", "/api/keys", **forwarded)).status == 401


async def test_a_key_ends_when_it_says(browser: Browser, desk: World, clock: ManualClock) -> None:
    who = await bearer(desk, await desk.account())
    ends = iso(clock.now_ms() + 60_000)
    key = (await browser.ask("POST", "/api/keys", {**READ, "expiresAt": ends}, **who)).body["key"]
    assert (await browser.ask("GET", "/api/keys", **by(key))).status == 200

    await clock.advance(60)

    assert (await browser.ask("GET", "/api/keys", **by(key))).status == 401
    assert (await browser.ask("GET", "/api/keys", **who)).body["keys"] == []


async def test_rotation_overlaps_and_then_ends_the_key_before(
    browser: Browser, desk: World, clock: ManualClock
) -> None:
    who = await bearer(desk, await desk.account())
    old = (await browser.ask("POST", "/api/keys", READ, **who)).body
    rotated = await browser.ask("POST", f"/api/keys/{old['keyId']}/rotate", {"overlapS": 60}, **who)

    assert rotated.status == 201
    assert rotated.body["key"] != old["key"]
    for key in (old["key"], rotated.body["key"]):
        assert (await browser.ask("GET", "/api/keys", **by(key))).status == 200
    await clock.advance(60)
    assert (await browser.ask("GET", "/api/keys", **by(old["key"]))).status == 401
    listed = (await browser.ask("GET", "/api/keys", **by(rotated.body["key"]))).body["keys"]
    assert [(k["name"], k["scopes"]) for k in listed] == [("bot", READ["scopes"])]


async def test_a_revoked_key_is_over_at_once(browser: Browser, desk: World) -> None:
    who = await bearer(desk, await desk.account())
    made = (await browser.ask("POST", "/api/keys", READ, **who)).body
    async with browser.socket("/ws", **by(made["key"])) as socket:
        await socket.receive(timeout=60)

        revoked = await browser.ask("DELETE", f"/api/keys/{made['keyId']}", **who)

        assert (revoked.status, revoked.body["revoked"]) == (200, True)
        await socket.receive(timeout=60)
        assert socket.close_code == 4401
    assert (await browser.ask("GET", "/api/keys", **by(made["key"]))).status == 401
    again = await browser.ask("DELETE", f"/api/keys/{made['keyId']}", **who)
    assert (again.status, again.code) == (404, "api_key.unknown")
    assert [act for act in await desk.acts() if act.startswith("key.")] == [
        "key.made",
        "key.revoked",
    ]


async def test_whose_key_it_is_not_finds_none(browser: Browser, desk: World) -> None:
    mine = await bearer(desk, await desk.account(Role.ADMIN))
    theirs = (
        await browser.ask("POST", "/api/keys", READ, **await bearer(desk, await desk.account()))
    ).body

    for path in (theirs["keyId"], str(desk.new_id()), "nobody", "1%20or%201=1"):
        for method, more in (("DELETE", ""), ("POST", "/rotate")):
            answer = await browser.ask(method, f"/api/keys/{path}{more}", **mine)
            assert (answer.status, answer.code) == (404, "api_key.unknown")
    assert (await browser.ask("GET", "/api/keys", **by(theirs["key"]))).status == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"accountId": "00000000-0000-0000-0000-000000000001"}, "request.malformed"),
        ({"local": True}, "request.malformed"),
        ({"key": "qd_mine"}, "request.malformed"),
        ({"scopes": ["everything"]}, "request.malformed"),
        ({"scopes": []}, "request.malformed"),
        ({"name": "a\nb"}, "request.malformed"),
        ({"name": ""}, "request.malformed"),
        ({"expiresAt": "2030-01-01"}, "request.malformed"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "key.expiry"),
        ({"expiresAt": "9999-12-31T23:59:59-23:59"}, "key.expiry"),
        ({"expiresAt": "0001-01-01T00:00:00+23:59"}, "key.expiry"),
        ({"name": "a\x00b"}, "request.malformed"),
        ({"allowIps": ["everywhere"]}, "key.network"),
        ({"scopes": ["admin"]}, "key.scope"),
    ],
    ids=str,
)
async def test_a_key_takes_nothing_else(
    browser: Browser, desk: World, change: dict[str, Any], code: str
) -> None:
    who = await bearer(desk, await desk.account())

    answer = await browser.ask("POST", "/api/keys", {**READ, **change}, **who)

    assert (answer.status, answer.code) == (400 if code == "request.malformed" else 422, code)
    assert (await browser.ask("GET", "/api/keys", **who)).body["keys"] == []


async def test_a_viewer_makes_no_key_that_trades(browser: Browser, desk: World) -> None:
    who = await bearer(desk, await desk.account(Role.VIEWER))

    refused = await browser.ask("POST", "/api/keys", TRADE, **who)

    assert (refused.status, refused.code) == (422, "key.scope")


async def test_keys_follow_their_account(browser: Browser, desk: World) -> None:
    account = await desk.account()
    who = await bearer(desk, account)
    key = (await browser.ask("POST", "/api/keys", TRADE, **who)).body["key"]
    async with desk.pools.write.transaction() as c:
        await c.execute("update accounts set role = 'viewer' where id = $1", account.id)
    await desk.known.catch_up()

    assert (await browser.ask("POST", "/echo", {}, **by(key))).status == 403
    async with desk.pools.write.transaction() as c:
        await c.execute("update accounts set disabled_at = now() where id = $1", account.id)
    await desk.known.catch_up()
    assert (await browser.ask("POST", "/echo", {}, **by(key))).status == 401


async def test_a_plan_bounds_keys_also_when_many_are_made_at_once(
    browser: Browser, desk: World
) -> None:
    who = await bearer(desk, await desk.account())
    most = PLANS["free"].keys_max

    answers = await asyncio.gather(
        *(browser.ask("POST", "/api/keys", READ, **who) for _ in range(most + 5))
    )

    assert sorted(answer.status for answer in answers) == [201] * most + [422] * 5
    assert {answer.code for answer in answers if answer.status != 201} == {"plan.keys"}


async def test_uses_are_written_once_a_minute(
    browser: Browser, desk: World, keys: ApiKeys, clock: ManualClock
) -> None:
    who = await bearer(desk, await desk.account())
    key = (await browser.ask("POST", "/api/keys", READ, **who)).body["key"]
    running = asyncio.get_running_loop().create_task(keys.run())
    await clock.asleep(1)
    await clock.advance(10)
    for _ in range(3):
        await browser.ask("GET", "/api/keys", **by(key))
    used = iso(clock.now_ms())
    assert (await browser.ask("GET", "/api/keys", **who)).body["keys"][0]["lastUsedAt"] is None

    await clock.advance(NOTE_USES_S)
    await clock.asleep(1)
    running.cancel()

    assert (await browser.ask("GET", "/api/keys", **who)).body["keys"][0]["lastUsedAt"] == used
