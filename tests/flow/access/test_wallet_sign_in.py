"""Whoever holds a wallet signs in with it: a text of the desk's, signed, once; then a session."""

import asyncio
from collections.abc import Mapping

import httpx2
import pytest
from tests.flow.access.wallet_stage import BROWSER, HERE, Stage, code

from quantdesk.access.model import Role
from quantdesk.access.wallets.model import ChainName
from quantdesk.chains.evm.contract_wallets import ContractWallets
from quantdesk.chains.evm.rpc import Rpc
from quantdesk.core.errors import Unavailable
from quantdesk.store.pool import Pools
from quantdesk.testing.evm import EvmNode, owned_by
from quantdesk.testing.wallets import AnyWallet, EvmWallet, SolanaWallet

pytestmark = pytest.mark.anyio

WALLETS: list[AnyWallet] = [SolanaWallet(), EvmWallet()]


@pytest.fixture
def stage(pools: Pools) -> Stage:
    return Stage(pools)


@pytest.mark.parametrize("wallet", WALLETS, ids=["solana", "evm"])
async def test_a_wallet_signs_in_and_is_the_same_user_the_next_time(
    stage: Stage, wallet: AnyWallet
) -> None:
    async with stage.client() as person:
        first = await person.signs_in(wallet)
        second = await person.signs_in(wallet)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["user"]["userId"] == second.json()["user"]["userId"]
    assert [account.role for account in stage.door.welcomed] == [Role.TRADER] * 2
    assert (await stage.count("accounts"), await stage.count("wallets")) == (1, 1)
    acts = await stage.acts()
    assert [act["action"] for act in acts] == ["user.added", "wallet.linked"]
    assert {act["about"] for act in acts} == {f"wallet:{wallet.chain}:{wallet.address}"}
    assert {act["account_id"] for act in acts} == {first.json()["user"]["userId"]}
    assert stage.told == []


async def test_a_text_says_what_is_signed_and_until_when(stage: Stage) -> None:
    wallet = SolanaWallet()
    async with stage.client() as person:
        asked = await person.asked(wallet)

    assert asked["expiresAt"] == "2023-11-14T22:18:20.000Z"
    assert asked["message"].splitlines() == [
        "desk.example.com wants you to sign in with your Solana account:",
        wallet.address,
        "",
        "Sign in to this QuantDesk. Nothing is sent to a chain and nothing is paid.",
        "",
        f"URI: {HERE}",
        "Version: 1",
        "Chain ID: solana:mainnet",
        f"Nonce: {asked['nonce']}",
        "Issued At: 2023-11-14T22:13:20.000Z",
        "Expiration Time: 2023-11-14T22:18:20.000Z",
    ]


async def test_an_evm_text_names_its_chain_and_writes_the_address_out(stage: Stage) -> None:
    wallet = EvmWallet()
    async with stage.client() as person:
        asked = await person.asked(wallet, chainId=137, address=wallet.address.lower())
        signed = await person.shows(wallet, asked["message"])

    assert "\nChain ID: 137\n" in asked["message"]
    assert f":\n{wallet.address}\n" in asked["message"]
    assert signed.status_code == 200


async def test_nothing_secret_of_a_nonce_is_stored(stage: Stage) -> None:
    async with stage.client() as person:
        asked = await person.asked(SolanaWallet(), headers=BROWSER)
        cookie = person.http.cookies["qd_nonce"]

    async with stage.pools.read.connection() as c:
        (row,) = await c.fetch("select w::text as whole from wallet_nonces w")
    assert asked["nonce"] not in row["whole"]
    assert cookie not in row["whole"]


async def test_a_browser_keeps_half_of_it_in_a_cookie(stage: Stage) -> None:
    wallet = SolanaWallet()
    async with stage.client() as person:
        answer = await person.post(
            "/api/auth/nonce", {"address": wallet.address, "chain": "solana"}, BROWSER
        )
        cookie = answer.headers["set-cookie"].lower()
        signed = await person.shows(wallet, answer.json()["message"], cookie=True)

    assert cookie.startswith("qd_nonce=")
    assert {"httponly", "path=/api", "samesite=strict", "max-age=300"} <= set(cookie.split("; "))
    assert answer.headers["cache-control"] == "no-store"
    assert signed.status_code == 200
    assert signed.cookies["qd_session"] == signed.json()["token"]
    assert "qd_nonce" not in person.http.cookies


async def test_a_program_needs_no_cookie(stage: Stage) -> None:
    async with stage.client() as person:
        await person.asked(SolanaWallet())
        assert not person.http.cookies


async def test_balances_and_their_worth_come_with_the_session(stage: Stage) -> None:
    async def read(address: str) -> Mapping[str, int]:
        assert address == SolanaWallet().address
        return {"SOL": 2_500_000_000, "USDC": 10_000_001, "BTC": 0, "ETH": 5}

    stage.readers[ChainName.SOLANA] = read
    async with stage.client() as person:
        told = (await person.signs_in(SolanaWallet())).json()

    assert told["balances"] == {"SOL": "2.5", "USDC": "10.000001", "BTC": "0", "ETH": "0.00000005"}
    assert told["portfolio"] == {
        "valueUsd": "385.64",
        "assets": [
            {"symbol": "SOL", "amount": "2.5", "priceUsd": "150.255", "valueUsd": "375.64"},
            {"symbol": "USDC", "amount": "10.000001", "priceUsd": "1", "valueUsd": "10.00"},
            {"symbol": "ETH", "amount": "0.00000005", "priceUsd": None, "valueUsd": None},
        ],
        "unpriced": ["ETH"],
    }
    assert told["note"] is None


async def test_a_chain_that_does_not_answer_keeps_nobody_out(stage: Stage) -> None:
    async def read(_: str) -> Mapping[str, int]:
        raise Unavailable("the node does not answer", code="rpc.unavailable")

    stage.readers[ChainName.SOLANA] = read
    async with stage.client() as person:
        solana = await person.signs_in(SolanaWallet())
        evm = await person.signs_in(EvmWallet())

    assert (solana.status_code, evm.status_code) == (200, 200)
    assert (solana.json()["balances"], solana.json()["portfolio"]) == (None, None)
    assert "the node does not answer" in solana.json()["note"]
    assert evm.json()["note"] == "this desk reads no balances of evm wallets"


async def test_a_second_factor_is_asked_for_before_anything_is_shown(stage: Stage) -> None:
    async def read(_: str) -> Mapping[str, int]:
        raise AssertionError("not signed in yet")

    stage.readers[ChainName.SOLANA] = read
    stage.door.asks_for_factor = True
    async with stage.client() as person:
        answer = await person.signs_in(SolanaWallet())

    assert answer.json() == {
        "factorNeeded": {
            "ticket": "ticket",
            "methods": ["totp"],
            "expiresAt": "1970-01-01T00:00:00.001Z",
        }
    }


async def test_a_contract_wallet_signs_in_when_its_chain_says_so(stage: Stage) -> None:
    owner, contract = EvmWallet(1), "0x" + "c0" * 20
    async with EvmNode() as node, Rpc(url=node.url) as rpc:
        stage.contracts = ContractWallets(rpc, chain_id=1)
        node.contracts[contract] = owned_by(owner.address)
        async with stage.client() as person:
            answer = await _of_contract(person, contract, owner)
            other = await _of_contract(person, contract, EvmWallet(2))
            on_another_chain = await _of_contract(person, contract, owner, chainId=10)
            nothing_there = await _of_contract(person, "0x" + "c1" * 20, owner)
            node.chain_id = 5
            moved = await _of_contract(person, contract, owner)
            node.chain_id = 1
        gone = node.url
    async with Rpc(url=gone) as rpc:
        stage.contracts = ContractWallets(rpc, chain_id=1)
        async with stage.client() as person:
            unreachable = await _of_contract(person, contract, owner)
    stage.contracts = None
    async with stage.client() as person:
        unknown = await _of_contract(person, contract, owner)

    assert answer.status_code == 200
    assert code(other) == code(on_another_chain) == code(nothing_there) == "signature.wrong"
    assert (moved.status_code, code(moved)) == (503, "evm.chain")
    assert (unreachable.status_code, code(unreachable)) == (503, "evm.unavailable")
    assert code(unknown) == "signature.wrong"
    assert len(stage.door.welcomed) == 1


async def _of_contract(
    person: object, contract: str, owner: EvmWallet, **more: object
) -> httpx2.Response:
    asked = await person.asked(owner, address=contract, **more)  # type: ignore[attr-defined]
    answer: httpx2.Response = await person.shows(owner, asked["message"], address=contract)  # type: ignore[attr-defined]
    return answer


async def test_a_wallet_that_signs_in_twice_at_once_the_first_time_is_one_user(
    stage: Stage,
) -> None:
    wallet = EvmWallet(3)
    async with stage.client() as one, stage.client() as two:
        texts = [(await person.asked(wallet))["message"] for person in (one, two)]
        answers = await asyncio.gather(one.shows(wallet, texts[0]), two.shows(wallet, texts[1]))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["user"]["userId"] == answers[1].json()["user"]["userId"]
    assert (await stage.count("accounts"), await stage.count("wallets")) == (1, 1)
