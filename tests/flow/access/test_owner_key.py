"""Promise: the owner's key opens a browser on the desk's own machine, and nothing else like it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import pytest
from pyotp import TOTP
from tests.flow.access.factors.ground import SEALER, SITE, Door
from tests.flow.access.served import Browser, Served, served
from tests.flow.access.world import HERE, World, world

from quantdesk.access import store
from quantdesk.access.acts import Act
from quantdesk.access.api_keys.api_keys import ApiKeys, Wanted
from quantdesk.access.factors.challenges import open_challenges
from quantdesk.access.factors.enrolment import Enrolment
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.port import Means, Outside
from quantdesk.access.factors.prover import Prover
from quantdesk.access.factors.signing_in import PasskeySignIn, SecondStep
from quantdesk.access.factors.step_up import StepUp
from quantdesk.access.keys import new_key
from quantdesk.access.limits.throttle import Throttle
from quantdesk.access.model import Account, Principal, Role
from quantdesk.access.owner import ensure_owner
from quantdesk.access.owner_key import OwnerKey
from quantdesk.access.policy import FRESH_MS, granted
from quantdesk.api.keys import KeyRoutes
from quantdesk.api.needs import fresh
from quantdesk.api.sign_in.factors import FactorRoutes
from quantdesk.api.sign_in.owner_keys import OwnerKeyRoutes
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

FAR = "198.51.100.9"


@dataclass
class Stage:
    """A desk with its owner, whose key is `key`; `told` is what the audit was told of failures."""

    site: Served
    desk: World
    clock: ManualClock
    key: str
    enrolment: Enrolment
    told: list[Act] = field(default_factory=list)

    async def post(self, path: str, body: Mapping[str, object], *, ip: str = "127.0.0.1") -> Any:  # noqa: ANN401 - an answer
        """Return the answer to a POST below /api/auth from an address, without its request's id."""
        transport = httpx2.ASGITransport(app=self.site.edge, client=(ip, 1))
        async with httpx2.AsyncClient(transport=transport, base_url=self.site.url) as client:
            answer = await client.post(f"/api/auth{path}", json=dict(body))
        told = answer.json()
        told.pop("requestId", None)
        return answer.status_code, told

    async def owner(self) -> Account:
        """Return the owner's account."""
        async with self.desk.pools.read.connection() as c:
            found = await store.owner(c)
            assert found is not None
            account = await store.account(c, found)
        assert account is not None
        return account

    async def made_key(self, account: Account, *scopes: str) -> str:
        """Return a key that somebody made for a program."""
        keys = ApiKeys(
            pools=self.desk.pools, known=self.desk.known, clock=self.clock, new_id=self.desk.new_id
        )
        holder = Principal(account_id=account.id, role=account.role, may=granted(account.role))
        _, secret = await keys.make(holder, Wanted(name="bot", scopes=scopes), origin=HERE)
        return secret

    async def replaced(self) -> str:
        """Return the key of another start, that did not find the old one."""
        key = await ensure_owner(
            self.desk.pools, known_key=None, clock=self.clock, new_id=self.desk.new_id
        )
        assert key is not None
        await self.desk.known.catch_up()
        return key


@pytest.fixture
async def stage(pools: Pools, clock: ManualClock) -> AsyncIterator[Stage]:
    known = KnownFactors(pools)
    desk = await world(pools, clock, factors=known)
    key = await ensure_owner(pools, known_key=None, clock=clock, new_id=desk.new_id)
    assert key is not None
    await desk.known.catch_up()
    door, told = Door(clock, known), []  # type: tuple[Door, list[Act]]
    throttle = Throttle(pools=pools, clock=clock)
    owner_key = OwnerKey(
        pools=pools,
        clock=clock,
        new_id=desk.new_id,
        tell=told.append,
        throttle=throttle,
        welcome=desk.entrance,
    )

    async def proven(session_id: UUID, _: int) -> None:
        await desk.sessions.prove(session_id)

    means = Means(
        pools=pools,
        sealer=SEALER,
        site=SITE,
        challenges=await open_challenges(pools, sealer=SEALER, clock=clock),
        clock=clock,
        new_id=desk.new_id,
    )
    outside = Outside(
        tell=told.append,
        throttle=throttle,
        fresh=fresh,
        end_others=door.end_others,
        felt=desk.known.felt,
        proven=proven,
        password_right=door.password_right,
        wallet_right=door.wallet_right,
        key_right=owner_key.right,
    )
    prover, welcome = Prover(means), desk.entrance
    factors = FactorRoutes(
        second_step=SecondStep(means=means, outside=outside, prover=prover, welcome=welcome),
        passkeys=PasskeySignIn(means=means, outside=outside, prover=prover, welcome=welcome),
        step_up=StepUp(means=means, outside=outside, prover=prover),
    )
    async with pools.write.connection() as c:  # as `Door.end_others` wants it
        await c.execute("create table ended (number serial, account_id uuid, kept uuid)")
    keys = ApiKeys(pools=pools, known=desk.known, clock=clock, new_id=desk.new_id)
    routes = (OwnerKeyRoutes(owner_key).routes(), factors.routes(), _keys(keys, clock))
    async with served(desk, *routes) as site:
        yield Stage(site, desk, clock, key, Enrolment(means=means, outside=outside), told)


def _keys(keys: ApiKeys, clock: ManualClock) -> Any:  # noqa: ANN401 - a router
    return KeyRoutes(keys=keys, clock=clock).routes()


async def signed_in(stage: Stage, browser: Browser) -> None:
    """Sign in with the owner's key for cookies."""
    body = {"key": stage.key, "cookie": True}
    answer = await browser.ask("POST", "/api/auth/key", body, Origin=browser.url)
    assert answer.status == 200, answer


async def test_the_owners_key_opens_a_session_of_a_browser(stage: Stage) -> None:
    owner = await stage.owner()
    async with stage.site.browser() as browser:
        body = {"key": stage.key, "cookie": True}
        answer = await browser.ask("POST", "/api/auth/key", body, Origin=browser.url)

        assert answer.status == 200
        assert (answer.body["user"]["userId"], answer.body["user"]["role"]) == (
            str(owner.id), "owner",
        )  # fmt: skip
        assert "refreshToken" not in answer.body
        assert set(answer.cookies) == {"qd_session", "qd_csrf", "qd_refresh"}
        assert answer.cookies["qd_session"]["httponly"]
        assert stage.key not in str(answer.body) + str(answer.cookies)
        (session,) = (await browser.ask("GET", "/api/sessions")).body["sessions"]
        assert (session["method"], session["ip"]) == ("key", "127.0.0.1")
        assert (await browser.ask("GET", "/api/keys")).status == 200
        # What a browser sends by itself is not enough to do anything with.
        blind = await browser.ask("POST", "/echo", {}, Origin=browser.url)
        assert (blind.status, blind.code) == (403, "request.csrf")
        assert (await browser.ask("POST", "/echo", {}, **browser.own())).status == 201
    assert await stage.desk.acts() == ["session.opened"]
    assert stage.told == []


async def test_a_client_gets_tokens_like_any_other(stage: Stage) -> None:
    status, told = await stage.post("/key", {"key": stage.key})

    assert status == 200
    caller = stage.desk.caller(told["token"])
    assert caller is not None
    assert (caller.role, caller.local, caller.key_id) == (Role.OWNER, False, None)


async def test_every_other_key_is_refused_in_the_same_words(stage: Stage) -> None:
    owner, admin = await stage.owner(), await stage.desk.account(Role.ADMIN)
    old = stage.key
    shown = {
        "made up": new_key(),
        "no key": "x",
        "narrowed": await stage.made_key(owner, "market:read", "orders:write"),
        "narrowed to all": await stage.made_key(owner, "admin"),
        "an admin's": await stage.made_key(admin, "admin"),
        "a token": (await stage.desk.sign_in(admin)).token[:128],
        "almost": old[:-1] + ("A" if old[-1] != "A" else "B"),
        "with more": old + "=",
        "its hash": "qd_" + "0" * 43,
        "replaced": old,
    }
    fresh_key = await stage.replaced()

    told = {name: await stage.post("/key", {"key": key}) for name, key in shown.items()}
    far = await stage.post("/key", {"key": fresh_key}, ip=FAR)

    assert told["made up"][1]["code"] == "sign_in.failed"
    assert told["made up"][0] == 401
    assert set(map(str, told.values())) == {str(told["made up"])}
    assert far == told["made up"], "the right one on another machine"
    assert {(act.action, act.code, act.account_id) for act in stage.told} == {
        ("sign_in.failed", "sign_in.failed", None)
    }
    assert len(stage.told) == len(shown) + 1
    assert not any(key in repr(stage.told) for key in (*shown.values(), fresh_key) if len(key) > 9)
    assert (await stage.post("/key", {"key": fresh_key}))[0] == 200


@pytest.mark.parametrize("ip", [FAR, "10.0.0.8", "2001:db8::1", "::ffff:198.51.100.9", "", "127"])
async def test_it_counts_on_the_desks_own_machine_alone(stage: Stage, ip: str) -> None:
    assert (await stage.post("/key", {"key": stage.key}, ip=ip))[0] == 401
    assert await stage.desk.acts() == []


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_that_machine_has_several_names(stage: Stage, ip: str) -> None:
    assert (await stage.post("/key", {"key": stage.key}, ip=ip))[0] == 200


async def test_a_header_does_not_move_a_client_here(stage: Stage) -> None:
    transport = httpx2.ASGITransport(app=stage.site.edge, client=(FAR, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=stage.site.url) as client:
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP"):
            answer = await client.post(
                "/api/auth/key", json={"key": stage.key}, headers={name: "127.0.0.1"}
            )
            assert answer.status_code == 401


async def test_wrong_keys_are_locked_out_and_the_right_one_here_never(stage: Stage) -> None:
    for ip in (FAR, "127.0.0.1"):
        codes = [
            (await stage.post("/key", {"key": new_key()}, ip=ip))[1]["code"] for _ in range(12)
        ]
        assert codes == ["sign_in.failed"] * 10 + ["sign_in.throttled"] * 2
    # The right one over there is like any other: it is not told apart by not being locked.
    assert (await stage.post("/key", {"key": stage.key}, ip=FAR))[1]["code"] == "sign_in.throttled"

    assert (await stage.post("/key", {"key": stage.key}))[0] == 200
    assert len(stage.told) == 20, "what was not looked at is no failure"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": ""},
        {"key": None},
        {"key": 7},
        {"key": "q" * 129},
        {"key": ["qd_"]},
        {"key": "qd_x", "account": "owner"},
        {"key": "qd_x", "cookie": "yes"},
    ],
    ids=str,
)
async def test_it_takes_nothing_else(stage: Stage, body: dict[str, Any]) -> None:
    status, told = await stage.post("/key", body)

    assert (status, told["code"]) == (400, "request.malformed")
    assert "qd_" not in str(told)


async def test_who_has_a_second_factor_is_asked_for_it(stage: Stage) -> None:
    owner = await stage.owner()
    session = await stage.desk.sign_in(owner)
    caller = stage.desk.caller(session.token)
    assert caller is not None
    seed = (await stage.enrolment.begin_totp(caller)).secret
    code = TOTP(seed).at(stage.clock.now_ms() // 1000)
    await stage.enrolment.confirm_totp(caller, code, HERE)
    await stage.clock.advance(30)
    code = TOTP(seed).at(stage.clock.now_ms() // 1000)

    status, told = await stage.post("/key", {"key": stage.key, "cookie": True})

    assert (status, set(told)) == (200, {"factorNeeded"})
    assert told["factorNeeded"]["methods"] == ["totp", "recovery"]
    shown = {"ticket": told["factorNeeded"]["ticket"], "code": code}
    assert (await stage.post("/mfa", shown))[0] == 200
    assert (await stage.post("/mfa", shown))[1]["code"] == "ticket.invalid", "good once"
    assert (await stage.desk.acts())[-1] == "session.opened"
    methods = [s.method for s in await stage.desk.sessions.of_account(owner.id)]
    assert methods == ["key+totp", "test"]


async def test_the_key_proves_that_its_holder_is_there(stage: Stage) -> None:
    more = {"name": "bot", "scopes": ["orders:write"]}
    async with stage.site.browser() as browser:
        await signed_in(stage, browser)
        await stage.clock.advance(FRESH_MS / 1000 + 1)
        await stage.desk.known.catch_up()
        refused = await browser.ask("POST", "/api/keys", more, **browser.own())
        assert (refused.status, refused.code) == (403, "proof.needed")

        for wrong in (new_key(), await stage.made_key(await stage.owner(), "admin")):
            answer = await browser.ask("POST", "/api/auth/proof", {"key": wrong}, **browser.own())
            assert (answer.status, answer.code) == (403, "proof.wrong")
        refused = await browser.ask("POST", "/api/keys", more, **browser.own())
        assert refused.code == "proof.needed", "a wrong one proves nothing"
        proof = await browser.ask("POST", "/api/auth/proof", {"key": stage.key}, **browser.own())

        assert (proof.status, set(proof.body)) == (200, {"provenAt", "freshUntil"})
        assert (await browser.ask("POST", "/api/keys", more, **browser.own())).status == 201
    assert (await stage.desk.acts())[-2:] == ["proof.given", "key.made"]


async def test_it_proves_nobody_elses_presence_nor_that_of_anybody_elsewhere(stage: Stage) -> None:
    owner = await stage.desk.sign_in(await stage.owner())
    other = await stage.desk.sign_in(await stage.desk.account(Role.ADMIN))
    for token, ip in ((other.token, "127.0.0.1"), (owner.token, FAR)):
        transport = httpx2.ASGITransport(app=stage.site.edge, client=(ip, 1))
        async with httpx2.AsyncClient(transport=transport, base_url=stage.site.url) as client:
            answer = await client.post(
                "/api/auth/proof",
                json={"key": stage.key},
                headers={"Authorization": f"Bearer {token}"},
            )
        assert (answer.status_code, answer.json()["code"]) == (403, "proof.wrong")
    assert "proof.given" not in await stage.desk.acts()


async def test_with_the_key_go_the_sessions_it_opened_and_no_others(stage: Stage) -> None:
    owner = await stage.owner()
    by_wallet = await stage.desk.sign_in(owner, method="wallet")
    _, by_key = await stage.post("/key", {"key": stage.key})
    _, by_both = await stage.post("/key", {"key": stage.key})
    async with stage.desk.pools.write.connection() as c:
        await c.execute(
            "update sessions set method = 'key+totp' where id = $1",
            _session(stage, by_both["token"]),
        )

    await stage.replaced()

    assert stage.desk.caller(by_key["token"]) is None
    assert stage.desk.caller(by_both["token"]) is None
    assert stage.desk.caller(by_wallet.token) is not None
    status, told = await stage.post("/refresh", {"refreshToken": by_key["refreshToken"]})
    assert (status, told["code"]) == (401, "refresh.invalid")
    assert (await stage.desk.acts()).count("session.closed") == 2


async def test_a_sign_in_that_waits_for_its_second_factor_ends_with_the_key(stage: Stage) -> None:
    owner = await stage.owner()
    begun, expires_ms = await stage.desk.tickets.give_factor(owner, method="key")
    kept, _ = await stage.desk.tickets.give_factor(owner, method="wallet")
    assert expires_ms > stage.clock.now_ms()

    await stage.replaced()

    assert (await stage.post("/mfa/options", {"ticket": begun}))[1]["code"] == "ticket.invalid"
    assert (await stage.post("/mfa/options", {"ticket": kept}))[0] == 200


def _session(stage: Stage, token: str) -> UUID:
    caller = stage.desk.caller(token)
    assert caller is not None
    assert caller.session_id is not None
    return caller.session_id
