"""Whoever comes back from a provider is who the provider says, once, in the browser that left."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from quantdesk.access import store as accounts
from quantdesk.access.model import Account, Origin, Registration, Role
from quantdesk.access.oauth.client import Client
from quantdesk.access.oauth.provider import Provider, checked
from quantdesk.access.oauth.sign_in import OPEN_MS, Came, OAuth
from quantdesk.access.sealing import Sealer
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.ids import ids
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.oidc import CLIENT_ID, ISSUER, SECRET, Oidc

pytestmark = pytest.mark.anyio

HERE = "https://desk.test/api/auth/oauth/acme/callback"
ORIGIN = Origin(ip="192.0.2.1")
ACME = Provider(name="acme", issuer=ISSUER, client_id=CLIENT_ID, secret=SECRET)
PLAIN = Provider(
    name="plain", issuer=ISSUER, client_id=CLIENT_ID, secret=SECRET, scope="user",
    authorize_url=f"{ISSUER}/authorize", token_url=f"{ISSUER}/token",
    userinfo_url=f"{ISSUER}/user",
)  # fmt: skip


@dataclass
class World:
    """A desk with two ways to the same provider, and one person's browser."""

    pools: Pools
    registration: Registration = "open"
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.provider = Oidc(lambda: self.clock.now_ms() // 1000)
        self.new_id = ids(self.clock.now_ms)
        self.oauth = OAuth(
            {
                one.name: Client(one, clock=self.clock, transport=self.provider.transport)
                for one in (ACME, PLAIN)
            },
            pools=self.pools,
            sealer=Sealer({1: b"k" * 32}),
            registration=self.registration,
            clock=self.clock,
            new_id=self.new_id,
        )

    async def leave(self, name: str = "acme", account_id: UUID | None = None) -> tuple[str, str]:
        """Begin a sign-in; return the provider's address and the browser's cookie."""
        begun = await self.oauth.begin(name, redirect_uri=HERE, cookie=True, account_id=account_id)
        return begun.url, begun.browser

    async def come(
        self, back: dict[str, str], browser: str, name: str = "acme", issuer: str | None = None
    ) -> Came:
        """Come back with what the provider said."""
        return await self.oauth.finish(
            name, state=back["state"], code=back["code"], issuer=issuer, browser=browser,
            origin=ORIGIN,
        )  # fmt: skip

    async def sign_in(self, name: str = "acme", **claims: object) -> Came:
        """Leave, sign in there, come back."""
        url, browser = await self.leave(name)
        return await self.come(self.provider.visit(url, **claims), browser, name)


@pytest.fixture
async def world(pools: Pools) -> AsyncIterator[World]:
    made = World(pools)
    yield made
    await made.oauth.close()


async def code_of(signing_in: Awaitable[object]) -> str:
    with pytest.raises(DeskError) as refused:
        await signing_in
    return refused.value.code


async def test_that_the_same_person_comes_back_to_the_same_account(world: World) -> None:
    first = await world.sign_in(email="A@B.example", email_verified=True)
    again = await world.sign_in()
    other = await world.sign_in(sub="user-2")

    assert (first.new, again.new, other.new) == (True, False, True)
    assert first.account.role is Role.TRADER
    assert again.account.id == first.account.id != other.account.id
    (linked,) = await world.oauth.linked(first.account.id)
    assert (linked.provider, linked.issuer, linked.subject) == ("acme", ISSUER, "user-1")
    assert linked.email == "a@b.example"


async def test_that_an_answer_is_good_once_and_in_its_own_browser(world: World) -> None:
    url, browser = await world.leave()
    back = world.provider.visit(url)
    _, another = await world.leave()

    assert await code_of(world.come(back, another)) == "oauth.state"
    assert await code_of(world.come(back, browser)) == "oauth.state", "one try, whoever made it"

    url, browser = await world.leave()
    back = world.provider.visit(url)
    await world.come(back, browser)
    assert await code_of(world.come(back, browser)) == "oauth.state"


async def test_that_answers_self_made_late_or_of_another_provider_are_refused(world: World) -> None:
    url, browser = await world.leave()
    back = world.provider.visit(url)
    assert await code_of(world.come({**back, "state": "x" * 43}, browser)) == "oauth.state"
    assert await code_of(world.come(back, browser, name="plain")) == "oauth.state"

    url, browser = await world.leave()
    back = world.provider.visit(url)
    await world.clock.advance(OPEN_MS / 1000 + 1)
    assert await code_of(world.come(back, browser)) == "oauth.state"
    assert await code_of(world.leave("nobody")) == "oauth.unknown"


async def test_that_a_code_of_another_sign_in_cannot_be_slipped_in(world: World) -> None:
    url, _ = await world.leave()
    stolen = world.provider.visit(url)
    url, browser = await world.leave()
    mine = world.provider.visit(url)
    mixed = {"state": mine["state"], "code": stolen["code"]}
    assert await code_of(world.come(mixed, browser)) == "oauth.refused", "PKCE"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://another.test"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another client"]},
        {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"nonce": "another request"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": {"id": 1}},
        {"exp": 1},
        {"exp": None},
        {"iat": 32_503_680_000},
        {"iat": None},
        {"nbf": 32_503_680_000},
    ],
)
async def test_that_an_untrue_token_signs_nobody_in(world: World, claims: dict[str, Any]) -> None:
    assert await code_of(world.sign_in(**claims)) == "oauth.token"
    assert (await world.sign_in()).new, "nothing was left behind"


async def test_that_only_the_providers_own_key_counts(world: World) -> None:
    world.provider.signs = world.provider.stranger
    assert await code_of(world.sign_in()) == "oauth.token"
    world.provider.signs = world.provider.key
    for algorithm in ("none", "HS256"):
        world.provider.header = {"alg": algorithm, "kid": "one"}
        assert await code_of(world.sign_in()) == "oauth.token", algorithm


async def test_that_new_keys_are_looked_for_but_not_all_the_time(world: World) -> None:
    await world.sign_in()
    await world.clock.advance(120)
    world.provider.key = world.provider.signs = world.provider.stranger
    await world.sign_in()
    assert world.provider.asked.count("keys") == 2
    world.provider.header = {"alg": "ES256", "kid": "unknown"}
    for _ in range(5):
        await code_of(world.sign_in())
    assert world.provider.asked.count("keys") == 2


async def test_that_another_providers_answer_is_no_answer(world: World) -> None:
    url, browser = await world.leave()
    back = world.provider.visit(url)
    assert await code_of(world.come(back, browser, issuer="https://evil.test")) == "oauth.issuer"

    await world.clock.advance(4_000)
    world.provider.metadata = {"authorization_response_iss_parameter_supported": True}
    url, browser = await world.leave()
    back = world.provider.visit(url)
    assert await code_of(world.come(back, browser)) == "oauth.issuer", "it promised to say"
    url, browser = await world.leave()
    back = world.provider.visit(url)
    assert (await world.come(back, browser, issuer=ISSUER)).new

    await world.clock.advance(4_000)
    world.provider.metadata = {"issuer": "https://evil.test"}
    assert await code_of(world.leave()) == "oauth.issuer"


async def test_that_an_address_elsewhere_opens_no_account_here(world: World) -> None:
    victim = Account(
        id=world.new_id(), name="V", role=Role.OWNER, email="v@example.com", email_verified=True
    )
    async with world.pools.write.transaction() as c:
        await accounts.add_account(c, victim)
    for verified in (True, False):
        refused = world.sign_in(email="V@example.com", email_verified=verified)
        assert await code_of(refused) == "oauth.taken"
    assert await world.oauth.linked(victim.id) == []


async def test_that_an_account_links_an_identity_once_and_no_other_can(world: World) -> None:
    mine = (await world.sign_in(sub="mine")).account
    theirs = (await world.sign_in(sub="theirs")).account
    url, browser = await world.leave(account_id=mine.id)
    linked = await world.come(world.provider.visit(url, sub="second"), browser)
    assert (linked.linked, linked.account.id) == (True, mine.id)
    assert (await world.sign_in(sub="second")).account.id == mine.id

    url, browser = await world.leave(account_id=theirs.id)
    taken = world.come(world.provider.visit(url, sub="second"), browser)
    assert await code_of(taken) == "oauth.taken"

    await world.oauth.unlink(mine.id, provider="acme", subject="second", origin=ORIGIN)
    gone = world.oauth.unlink(mine.id, provider="acme", subject="second", origin=ORIGIN)
    assert await code_of(gone) == "identity.unknown"
    not_mine = world.oauth.unlink(mine.id, provider="acme", subject="theirs", origin=ORIGIN)
    assert await code_of(not_mine) == "identity.unknown"


async def test_that_who_is_linked_is_in_the_audit(world: World) -> None:
    account = (await world.sign_in()).account
    async with world.pools.read.connection() as c:
        (act,) = [row["act"] for row in await c.fetch("select act from acts")]
    assert (act["action"], act["account_id"]) == ("oauth.linked", str(account.id))
    assert act["about"] == "identity:acme:user-1"


async def test_that_a_desk_by_invitation_takes_no_strangers(pools: Pools) -> None:
    world = World(pools, registration="invite")
    assert await code_of(world.sign_in()) == "account.uninvited"
    await world.oauth.close()


async def test_that_a_provider_without_openid_connect_names_people_by_number(world: World) -> None:
    came = await world.sign_in("plain")
    (linked,) = await world.oauth.linked(came.account.id)
    assert (linked.subject, linked.provider) == ("7", "plain")


async def test_that_a_provider_that_is_away_is_no_refusal(world: World) -> None:
    world.provider.away = True
    with pytest.raises(Unavailable) as away:
        await world.leave()
    assert away.value.code == "oauth.unavailable"
    world.provider.away = False
    assert (await world.sign_in()).new


def test_that_settings_that_cannot_be_safe_are_refused() -> None:
    assert checked(ACME) is ACME
    for wrong in (
        Provider(name="a/b", issuer=ISSUER, client_id="x"),
        Provider(name="a", issuer="http://provider.test", client_id="x"),
        Provider(name="a", issuer="https://u:p@provider.test", client_id="x"),
        Provider(name="a", issuer=ISSUER, client_id=""),
        Provider(name="a", issuer=ISSUER, client_id="x", token_url=ISSUER),
    ):
        with pytest.raises(Refused):
            checked(wrong)
