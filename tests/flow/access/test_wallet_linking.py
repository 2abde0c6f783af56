"""The wallets of an account: its owner adds and takes them away, and nobody else does."""

import asyncio
from uuid import UUID

import pytest
from tests.flow.access.wallet_stage import BROWSER, HERE, HOST, Person, Stage, code

from quantdesk.access.model import Origin, Principal, Role
from quantdesk.access.wallets.linked import WALLETS_MAX
from quantdesk.access.wallets.model import Proof, Site
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Pools
from quantdesk.testing.wallets import AnyWallet, EvmWallet, SolanaWallet

pytestmark = pytest.mark.anyio

SITE = Site(HOST, HERE)
FIRST, SECOND, THIRD = SolanaWallet(1), EvmWallet(2), SolanaWallet(3)


@pytest.fixture
def stage(pools: Pools) -> Stage:
    return Stage(pools)


async def entered(stage: Stage, person: Person, wallet: AnyWallet = FIRST) -> UUID:
    """Sign in with a wallet; the next requests come from that session."""
    answer = await person.signs_in(wallet)
    account_id = UUID(answer.json()["user"]["userId"])
    stage.as_session(account_id)
    return account_id


def addresses(answer: object) -> list[str]:
    return [each["address"] for each in answer.json()["wallets"]]  # type: ignore[attr-defined]


async def test_a_linked_wallet_signs_in_to_the_same_account(stage: Stage) -> None:
    async with stage.client() as person:
        account_id = await entered(stage, person)
        await stage.clock.advance(1)
        linked = await person.links(SECOND)
        listed = await person.http.get("/api/wallets")
        again = await person.signs_in(SECOND)

    assert linked.status_code == 201
    assert linked.json() == {
        "chain": "evm",
        "address": SECOND.address,
        "addedAt": "2023-11-14T22:13:21.000Z",
    }
    assert addresses(listed) == [FIRST.address, SECOND.address]
    assert again.json()["user"]["userId"] == str(account_id)
    act = (await stage.acts())[-1]
    assert (act["action"], act["account_id"]) == ("wallet.linked", str(account_id))
    assert (act["session_id"], act["about"]) == (str(UUID(int=9)), f"wallet:evm:{SECOND.address}")


async def test_linking_needs_a_fresh_proof_and_the_wallets_own_signature(stage: Stage) -> None:
    async with stage.client() as person:
        account_id = await entered(stage, person)
        stage.as_session(account_id, proven=False)
        assert code(await person.links(SECOND)) == "proof.needed"
        stage.as_session(account_id)
        forged = await person.links(SECOND, signature=EvmWallet(9).sign("x"))
        assert code(forged) == "signature.wrong"
        message = (await person.asked(SECOND))["message"]
        body = {"address": SECOND.address, "signature": SECOND.sign(message), "message": message}
        assert code(await person.post("/api/wallets", body)) == "nonce.purpose"
        stage.principal = None
        assert code(await person.links(SECOND)) == "request.unauthenticated"
        stage.principal = Principal(account_id=account_id, role=Role.TRADER, may=frozenset())
        assert code(await person.links(SECOND)) == "request.forbidden"
    assert await stage.count("wallets") == 1
    assert [(act.action, act.code) for act in stage.told] == [
        ("request.refused", "signature.wrong"),
        ("request.refused", "nonce.purpose"),
    ]


async def test_a_text_of_another_browser_links_nothing(stage: Stage) -> None:
    """A thief's signed text, posted by the victim's browser, would hand the account over."""
    async with stage.client() as thief, stage.client() as victim:
        await entered(stage, victim)
        message = (await thief.asked(SECOND, purpose="link", headers=BROWSER))["message"]
        body = {"address": SECOND.address, "signature": SECOND.sign(message), "message": message}
        assert code(await victim.post("/api/wallets", body)) == "nonce.browser"
    assert await stage.count("wallets") == 1


async def test_a_wallet_is_one_accounts_only(stage: Stage) -> None:
    async with stage.client() as person:
        await entered(stage, person, SECOND)
        mine = await person.links(SECOND)
        await entered(stage, person, FIRST)
        taken = await person.links(SECOND)

    assert (taken.status_code, code(taken), code(mine)) == (409, "wallet.taken", "wallet.taken")
    assert "yours already" in mine.json()["detail"]
    assert "another account's" in taken.json()["detail"]


async def test_a_wallet_linked_twice_at_once_is_one_accounts(stage: Stage) -> None:
    async with stage.client() as person:
        await entered(stage, person)
        answers = await asyncio.gather(*(person.links(SECOND) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await stage.count("wallets") == 2


async def test_an_account_has_so_many_wallets_and_no_more(stage: Stage) -> None:
    async with stage.client() as person:
        await entered(stage, person)
        for number in range(100, 99 + WALLETS_MAX):
            assert (await person.links(SolanaWallet(number))).status_code == 201
        refused = await person.links(SECOND)

    assert code(refused) == "wallet.too_many"
    assert await stage.count("wallets") == WALLETS_MAX


async def test_a_wallet_is_taken_away_and_signs_in_as_somebody_new(stage: Stage) -> None:
    async with stage.client() as person:
        account_id = await entered(stage, person)
        await person.links(SECOND)
        left = await person.http.delete(f"/api/wallets/evm/{SECOND.address.lower()}")
        acts = await stage.acts()
        other = await person.signs_in(SECOND)

    assert (left.status_code, addresses(left)) == (200, [FIRST.address])
    assert (acts[-1]["action"], acts[-1]["account_id"]) == ("wallet.unlinked", str(account_id))
    assert other.json()["user"]["userId"] != str(account_id)


async def test_the_last_way_to_sign_in_stays(stage: Stage) -> None:
    async with stage.client() as person:
        await entered(stage, person)
        path = f"/api/wallets/solana/{FIRST.address}"
        refused = await person.http.delete(path)
        stage.other_ways = True
        done = await person.http.delete(path)

    assert (refused.status_code, code(refused)) == (409, "wallet.last")
    assert (done.status_code, addresses(done)) == (200, [])


async def test_two_wallets_taken_away_at_once_leave_one(stage: Stage) -> None:
    async with stage.client() as person:
        await entered(stage, person)
        await person.links(SECOND)
        answers = await asyncio.gather(
            person.http.delete(f"/api/wallets/solana/{FIRST.address}"),
            person.http.delete(f"/api/wallets/evm/{SECOND.address}"),
        )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await stage.count("wallets") == 1


@pytest.mark.parametrize(
    "path",
    [
        f"solana/{THIRD.address}",
        f"evm/{FIRST.address}",
        f"bitcoin/{FIRST.address}",
        "solana/0",
        "evm/%00",
    ],
)
async def test_a_wallet_that_is_not_ones_own_is_not_found(stage: Stage, path: str) -> None:
    async with stage.client() as person:
        await entered(stage, person, THIRD)
        await entered(stage, person, FIRST)
        answer = await person.http.delete(f"/api/wallets/{path}")

    assert (answer.status_code, code(answer)) == (404, "wallet.unknown")
    assert await stage.count("wallets") == 2


async def test_taking_away_needs_a_fresh_proof(stage: Stage) -> None:
    async with stage.client() as person:
        account_id = await entered(stage, person)
        stage.as_session(account_id, proven=False)
        answer = await person.http.delete(f"/api/wallets/solana/{FIRST.address}")

    assert code(answer) == "proof.needed"
    assert await stage.count("wallets") == 1


async def test_a_wallet_proves_that_its_owner_is_there(stage: Stage) -> None:
    async def proves(person: Person, wallet: AnyWallet, purpose: str = "prove") -> str:
        message = (await person.asked(wallet, purpose=purpose))["message"]
        proof = Proof(
            address=wallet.address, signature=wallet.sign(message), message=message, site=SITE
        )
        assert stage.principal is not None
        try:
            await stage.wallets.prove(stage.principal.account_id, proof, origin=Origin(ip=stage.ip))
        except Refused as refused:
            return refused.code
        return "proven"

    async with stage.client() as person:
        await entered(stage, person)
        assert await proves(person, FIRST) == "proven"
        assert await proves(person, SECOND) == "wallet.unknown"
        assert await proves(person, FIRST, "sign-in") == "nonce.purpose"
        await entered(stage, person, THIRD)
        assert await proves(person, FIRST) == "wallet.unknown"
