"""Users: added and changed by admins within what those may do; felt at once; nobody else sees."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.flow.access.served import Answer, Browser, Served, served
from tests.flow.access.world import World

from quantdesk.access import store
from quantdesk.access.model import Account, Role
from quantdesk.access.owner import ensure_owner
from quantdesk.access.users.kyc import AdminApproval
from quantdesk.access.users.users import Users
from quantdesk.api.users import UserRoutes
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.fixture
async def site(desk: World) -> AsyncIterator[Served]:
    users = Users(
        pools=desk.pools,
        known=desk.known,
        sessions=desk.sessions,
        kyc=AdminApproval(),
        clock=desk.clock,
        new_id=desk.new_id,
    )
    async with served(desk, UserRoutes(users=users, clock=desk.clock).routes()) as serving:
        yield serving


@pytest.fixture
async def browser(site: Served) -> AsyncIterator[Browser]:
    async with site.browser() as opened:
        yield opened


async def owner(desk: World) -> Account:
    """Return the owner, who is made at the first start."""
    await ensure_owner(desk.pools, known_key=None, clock=desk.clock, new_id=desk.new_id)
    await desk.known.catch_up()
    async with desk.pools.read.connection() as c:
        found = await store.owner(c)
        assert found is not None
        account = await store.account(c, found)
    assert account is not None
    return account


async def as_(desk: World, account: Account) -> dict[str, str]:
    """Return the header of a fresh session."""
    return {"Authorization": f"Bearer {(await desk.sign_in(account)).token}"}


async def change(browser: Browser, who: dict[str, str], user: Account, body: Any) -> Answer:  # noqa: ANN401 - JSON
    """Return the answer to a change of a user."""
    return await browser.ask("PATCH", f"/api/users/{user.id}", body, **who)


async def test_an_admin_adds_users_by_address(browser: Browser, desk: World) -> None:
    who = await as_(desk, await desk.account(Role.ADMIN))

    mailed = await browser.ask(
        "POST", "/api/users", {"email": " Ann@Example.org", "role": "trader"}, **who
    )
    walleted = await browser.ask(
        "POST", "/api/users", {"wallet": WALLET.lower(), "role": "viewer"}, **who
    )

    assert (mailed.status, mailed.body["email"], mailed.body["role"]) == (
        201, "ann@example.org", "trader",
    )  # fmt: skip
    assert mailed.body["emailVerified"] is False
    assert walleted.status == 201
    async with desk.pools.read.connection() as c:
        found = await store.account_by_wallet(c, chain="evm", address=WALLET)
    assert found is not None
    assert str(found.id) == walleted.body["userId"]
    for body in ({"email": "ANN@example.org"}, {"wallet": WALLET}):
        again = await browser.ask("POST", "/api/users", {**body, "role": "viewer"}, **who)
        assert (again.status, again.code) == (409, "user.exists")
    assert [act for act in await desk.acts() if act != "session.opened"] == ["user.added"] * 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"role": "viewer"}, "request.malformed"),
        ({"role": "viewer", "email": "a@b.ch", "wallet": WALLET}, "request.malformed"),
        ({"role": "emperor", "email": "a@b.ch"}, "request.malformed"),
        ({"role": "viewer", "email": "a@b.ch", "kyc": "approved"}, "request.malformed"),
        ({"role": "viewer", "email": "a@b.ch", "emailVerified": True}, "request.malformed"),
        ({"role": "viewer", "email": "a@b.ch", "userId": "x"}, "request.malformed"),
        ({"role": "viewer", "email": "a@b\r\nBcc: x@y.zz"}, "user.email"),
        ({"role": "viewer", "wallet": "nowhere"}, "wallet.address"),
        ({"role": "owner", "email": "a@b.ch"}, "user.role"),
    ],
    ids=str,
)
async def test_a_user_is_added_with_what_may_be_said_alone(
    browser: Browser, desk: World, body: object, code: str
) -> None:
    who = await as_(desk, await desk.account(Role.ADMIN))

    answer = await browser.ask("POST", "/api/users", body, **who)

    assert answer.code == code, answer
    async with desk.pools.read.connection() as c:
        assert await c.fetchval("select count(*) from accounts") == 1


@pytest.mark.parametrize(
    "body",
    [
        {"email": "x@y.zz"},
        {"id": "x"},
        {"createdAt": "x"},
        {"disabledAt": None},
        {"emailVerified": 1},
    ],
    ids=str,
)
async def test_a_change_takes_no_other_fields(browser: Browser, desk: World, body: object) -> None:
    who = await as_(desk, await desk.account(Role.ADMIN))

    answer = await change(browser, who, await desk.account(), body)

    assert (answer.status, answer.code) == (400, "request.malformed")


async def test_a_change_is_felt_at_once_and_told(browser: Browser, desk: World) -> None:
    who, user = await as_(desk, await desk.account(Role.ADMIN)), await desk.account(Role.TRADER)
    session = await desk.sign_in(user)

    changed = await change(
        browser, who, user, {"role": "viewer", "kyc": "approved", "plan": "pro", "name": "Ann"}
    )

    assert changed.status == 200
    told = {name: changed.body[name] for name in ("role", "kyc", "plan", "name")}
    assert told == {"role": "viewer", "kyc": "approved", "plan": "pro", "name": "Ann"}
    caller = desk.caller(session.token)
    assert caller is not None
    assert caller.role is Role.VIEWER
    async with desk.pools.read.connection() as c:
        act = await c.fetchval("select act from acts order by number desc limit 1")
    assert (act["action"], act["about"]) == ("user.changed", f"user:{user.id}")
    assert (act["before"]["role"], act["after"]["role"]) == ("trader", "viewer")


async def test_a_disabled_user_is_out_and_stays_signed_out(browser: Browser, desk: World) -> None:
    who, user = await as_(desk, await desk.account(Role.ADMIN)), await desk.account()
    session = await desk.sign_in(user)
    assert (await change(browser, who, user, {"disabled": True})).body["disabled"] is True
    assert desk.caller(session.token) is None

    assert (await change(browser, who, user, {"disabled": False})).body["disabled"] is False

    assert desk.caller(session.token) is None
    assert desk.caller((await desk.sign_in(user)).token) is not None


async def test_nobody_raises_anybody_above_themselves(browser: Browser, desk: World) -> None:
    admin = await desk.account(Role.ADMIN)
    who, user, boss = await as_(desk, admin), await desk.account(), await owner(desk)

    raised = await change(browser, who, user, {"role": "owner"})
    self_raised = await change(browser, who, admin, {"role": "owner"})
    approved = await change(browser, who, admin, {"kyc": "approved"})
    touched = [
        await change(browser, who, boss, body)
        for body in ({"role": "viewer"}, {"disabled": True}, {"name": "x"}, {"plan": "free"})
    ]

    assert [raised.code, self_raised.code, approved.code] == ["user.role", "user.role", "user.self"]
    assert {(answer.status, answer.code) for answer in touched} == {(403, "user.protected")}


async def test_the_last_owner_stays_whatever_happens_at_once(browser: Browser, desk: World) -> None:
    first = await owner(desk)
    who = await as_(desk, first)
    last = await change(browser, who, first, {"role": "admin"})
    assert (last.status, last.code) == (422, "user.last_owner")
    second = await desk.account()
    assert (await change(browser, who, second, {"role": "owner"})).status == 200

    answers = await asyncio.gather(
        change(browser, who, first, {"role": "viewer"}),
        change(browser, who, second, {"role": "viewer"}),
    )

    async with desk.pools.read.connection() as c:
        owners = await c.fetchval("select count(*) from accounts where role = 'owner'")
    assert owners == 1, answers


async def test_raising_takes_a_fresh_proof(
    browser: Browser, desk: World, clock: ManualClock
) -> None:
    who, user = await as_(desk, await desk.account(Role.ADMIN)), await desk.account(Role.VIEWER)
    await clock.advance(301)
    await desk.known.catch_up()

    refused = [
        await change(browser, who, user, {"role": "trader"}),
        await browser.ask("POST", "/api/users", {"email": "a@b.ch", "role": "trader"}, **who),
    ]
    lowered = await change(browser, who, user, {"role": "viewer", "name": "x"})
    added = await browser.ask("POST", "/api/users", {"email": "a@b.ch", "role": "viewer"}, **who)

    assert {(answer.status, answer.code) for answer in refused} == {(403, "proof.needed")}
    assert (lowered.status, added.status) == (200, 201)


async def test_users_are_listed_page_by_page(browser: Browser, desk: World) -> None:
    made = [await desk.account() for _ in range(4)]
    who = await as_(desk, await desk.account(Role.ADMIN))

    first = (await browser.ask("GET", "/api/users?limit=3", **who)).body
    rest = (await browser.ask("GET", f"/api/users?cursor={first['nextCursor']}", **who)).body

    found = [user["userId"] for user in first["users"] + rest["users"]]
    assert len(found) == 5
    assert set(found) >= {str(account.id) for account in made}
    assert rest["nextCursor"] is None
    for query in ("limit=0", "limit=501", "cursor=x", "limit=x"):
        assert (await browser.ask("GET", f"/api/users?{query}", **who)).status == 400


async def test_unknown_users_and_plans_are_refused(browser: Browser, desk: World) -> None:
    who = await as_(desk, await desk.account(Role.ADMIN))

    for path in (desk.new_id(), "nobody"):
        answer = await browser.ask("PATCH", f"/api/users/{path}", {"role": "viewer"}, **who)
        assert (answer.status, answer.code) == (404, "user.unknown")
    refused = await change(browser, who, await desk.account(), {"plan": "platinum"})
    assert (refused.status, refused.code) == (422, "plan.unknown")


async def test_whoever_is_no_admin_sees_themselves_alone(browser: Browser, desk: World) -> None:
    for role in (Role.VIEWER, Role.TRADER, Role.APPROVER):
        account = await desk.account(role)
        who = await as_(desk, account)
        answers = [
            await browser.ask("GET", "/api/users", **who),
            await browser.ask("POST", "/api/users", {"email": "a@b.ch", "role": "viewer"}, **who),
            await change(browser, who, account, {"role": "admin"}),
        ]
        assert {(answer.status, answer.code) for answer in answers} == {(403, "request.forbidden")}
        me = (await browser.ask("GET", "/api/me", **who)).body
        assert me["user"]["userId"] == str(account.id)
        assert me["entitlements"]["keysMax"] == 10


async def test_kyc_waits_for_an_admin_who_is_somebody_else(browser: Browser, desk: World) -> None:
    user = await desk.account()
    mine, admin = await as_(desk, user), await as_(desk, await desk.account(Role.ADMIN))

    begun = await browser.ask("POST", "/api/me/kyc", **mine)
    assert begun.body["kyc"] == "pending"
    assert (await change(browser, mine, user, {"kyc": "approved"})).status == 403
    assert (await change(browser, admin, user, {"kyc": "approved"})).status == 200

    again = await browser.ask("POST", "/api/me/kyc", **mine)
    assert again.body["kyc"] == "approved"
