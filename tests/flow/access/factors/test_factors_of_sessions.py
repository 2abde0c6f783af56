"""Second factors with the desk's real sessions, tickets and edge: the whole way over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from pyotp import TOTP
from tests.flow.access.factors.ground import SEALER, SITE, Door
from tests.flow.access.served import Browser, Served, served
from tests.flow.access.world import World, world

from quantdesk.access.factors.challenges import open_challenges
from quantdesk.access.factors.enrolment import Enrolment
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.port import Means, Outside
from quantdesk.access.factors.prover import Prover
from quantdesk.access.factors.signing_in import PasskeySignIn, SecondStep
from quantdesk.access.factors.step_up import StepUp
from quantdesk.access.model import Account, Origin, Principal
from quantdesk.access.policy import FRESH_MS
from quantdesk.access.sessions.sessions import Ending
from quantdesk.api.needs import fresh
from quantdesk.api.sign_in.factor_changes import FactorChangeRoutes
from quantdesk.api.sign_in.factors import FactorRoutes
from quantdesk.store.pool import Connection, Pools
from quantdesk.testing.authenticator import Authenticator
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


@dataclass
class Person:
    """A browser that is signed in, and whose."""

    browser: Browser
    account: Account
    clock: ManualClock

    async def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return what a route below /api/auth answers."""
        own = self.browser.own()
        return (await self.browser.ask("POST", f"/api/auth{path}", body, **own)).body

    def code(self, seed: str) -> str:
        """Return the app's code now."""
        return TOTP(seed).at(self.clock.now_ms() // 1000)


@asynccontextmanager
async def desk_of(pools: Pools, clock: ManualClock) -> AsyncIterator[Served]:
    """Serve a desk whose sessions are real; passwords and the throttle are not looked at here."""
    known = KnownFactors(pools)
    desk = await world(pools, clock, factors=known)
    door = Door(clock, known)

    async def end_others(c: Connection, principal: Principal, origin: Origin) -> None:
        ending = Ending(principal.account_id, "second factors changed", spare=principal.session_id)
        await desk.sessions.end_in(c, ending, by=principal, origin=origin)

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
        tell=door.told.append,
        throttle=door,
        fresh=fresh,
        end_others=end_others,
        felt=desk.known.felt,
        proven=proven,
        password_right=door.password_right,
        wallet_right=door.wallet_right,
        key_right=door.key_right,
    )
    prover, welcome = Prover(means), desk.entrance
    showing = FactorRoutes(
        second_step=SecondStep(means=means, outside=outside, prover=prover, welcome=welcome),
        passkeys=PasskeySignIn(means=means, outside=outside, prover=prover, welcome=welcome),
        step_up=StepUp(means=means, outside=outside, prover=prover),
    )
    changing = FactorChangeRoutes(known=known, enrolment=Enrolment(means=means, outside=outside))
    async with served(desk, showing.routes(), changing.routes()) as running:
        yield running


@asynccontextmanager
async def signed_in(running: Served, account: Account) -> AsyncIterator[Person]:
    """Open a browser and sign in with a first factor."""
    async with running.browser() as browser:
        await browser.sign_in(account.id)
        assert isinstance(running.desk.clock, ManualClock)
        yield Person(browser, account, running.desk.clock)


async def with_app(person: Person) -> tuple[str, list[str]]:
    """Add an app; return its seed and the recovery codes."""
    seed: str = (await person.post("/factors/totp"))["secret"]
    added = await person.post("/factors/totp/confirm", {"code": person.code(seed)})
    await person.clock.advance(30)
    return seed, added["recoveryCodes"]


async def test_adding_an_app_ends_other_sessions_and_asks_for_it_from_then_on(
    pools: Pools, clock: ManualClock
) -> None:
    async with desk_of(pools, clock) as running:
        desk: World = running.desk
        ann = await desk.account()
        elsewhere = await desk.sign_in(ann)
        async with signed_in(running, ann) as person:
            seed, codes = await with_app(person)

            assert desk.caller(elsewhere.token) is None, "felt at once"
            assert (await person.browser.ask("GET", "/api/auth/factors")).status == 200
            ticket = (await desk.waits(ann)).ticket
            wrong = await person.post("/mfa", {"ticket": ticket, "recoveryCode": "aaaa"})
            assert wrong["code"] == "factor.wrong"
            shown = {"ticket": ticket, "code": person.code(seed)}
            opened = await person.post("/mfa", shown)
            caller = desk.caller(opened["token"])
            assert caller is not None
            assert caller.account_id == ann.id
            assert (await person.post("/mfa", shown))["code"] == "ticket.invalid"
            other = {"ticket": (await desk.waits(ann)).ticket, "recoveryCode": codes[0]}
            assert desk.caller((await person.post("/mfa", other))["token"]) is not None
        assert (await desk.acts()).count("session.closed") == 1


async def test_five_minutes_later_a_change_takes_a_proof_by_the_second_factor(
    pools: Pools, clock: ManualClock
) -> None:
    async with desk_of(pools, clock) as running:
        ann = await running.desk.account()
        async with signed_in(running, ann) as person:
            seed, _ = await with_app(person)
            await clock.advance(FRESH_MS / 1000)
            await running.desk.known.catch_up()
            remove = ("DELETE", "/api/auth/factors/totp")
            refusal = await person.browser.ask(*remove, **person.browser.own())
            assert (refusal.status, refusal.code) == (403, "proof.needed")
            assert refusal.body["methods"] == ["totp", "recovery"]

            password = await person.post("/proof", {"password": "right"})
            assert password["code"] == "proof.factor_needed"
            assert password["methods"] == ["totp", "recovery"]
            assert (await person.browser.ask(*remove, **person.browser.own())).status == 403
            proof = await person.post("/proof", {"code": person.code(seed)})
            assert "freshUntil" in proof

            assert (await person.browser.ask(*remove, **person.browser.own())).status == 204
        await running.desk.sign_in(ann)  # a first factor is enough again


async def test_a_passkey_alone_opens_a_real_session(pools: Pools, clock: ManualClock) -> None:
    async with desk_of(pools, clock) as running:
        ann = await running.desk.account()
        authenticator = Authenticator(algorithm="Ed25519")
        async with signed_in(running, ann) as person:
            options = (await person.post("/factors/passkeys/options"))["publicKey"]
            made = {"name": "laptop", "passkey": authenticator.create(options)}
            await person.post("/factors/passkeys", made)
        async with running.browser() as stranger:
            asked = await stranger.ask("POST", "/api/auth/passkey/options", Origin=running.url)
            answer = {"passkey": authenticator.get(asked.body["publicKey"]), "cookie": True}
            opened = await stranger.ask("POST", "/api/auth/passkey", answer, Origin=running.url)
            assert opened.body["user"]["userId"] == str(ann.id)

            assert (await stranger.ask("GET", "/api/auth/factors")).body["methods"] == [
                "passkey",
                "recovery",
            ]
            again = await stranger.ask("POST", "/api/auth/passkey", answer, **stranger.own())
            assert again.code == "factor.wrong"
