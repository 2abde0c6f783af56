"""Promise: what is wrong is refused with the cluster's own code and shape, and harms nothing."""

import base64

import pytest
from solana.rpc.core import RPCException
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from tests.conformance.solana_rpc.chain import SOL, Chain, Json, pay

PROCESSED = {"encoding": "base64", "preflightCommitment": "processed"}


def encoded(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


async def refused(chain: Chain, transaction: VersionedTransaction) -> Json:
    answer = await chain.call("sendTransaction", encoded(transaction), PROCESSED)
    assert "error" in answer, answer
    return answer["error"]


async def test_that_a_failing_preflight_says_why(chain: Chain, payer: Keypair) -> None:
    transaction = await chain.signed([pay(payer, Keypair().pubkey(), 10**15)], payer)
    error = await refused(chain, transaction)
    assert error["code"] == -32002
    assert error["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert any("insufficient lamports" in line for line in error["data"]["logs"])
    async with chain.client() as client:
        with pytest.raises(RPCException):
            await client.send_transaction(transaction)


async def test_that_an_unknown_blockhash_is_refused(chain: Chain, payer: Keypair) -> None:
    message = MessageV0.try_compile(
        payer.pubkey(), [pay(payer, payer.pubkey(), 1)], [], Hash(bytes(range(32)))
    )
    error = await refused(chain, VersionedTransaction(message, [payer]))
    assert error["code"] == -32002
    assert error["data"]["err"] == "BlockhashNotFound"
    assert error["message"].endswith("Blockhash not found")


@pytest.mark.surfpool_differs("its error has no data")
async def test_that_a_landed_transaction_is_known_to_preflight(
    chain: Chain, payer: Keypair
) -> None:
    transaction = await chain.signed([pay(payer, payer.pubkey(), 1)], payer)
    signature = await chain.result("sendTransaction", encoded(transaction), PROCESSED)
    await chain.confirmed(signature)
    error = await refused(chain, transaction)
    assert error["code"] == -32002
    assert error["data"]["err"] == "AlreadyProcessed"


@pytest.mark.surfpool_differs("it answers -32002")
async def test_that_a_foreign_signature_is_refused(chain: Chain, payer: Keypair) -> None:
    good = await chain.signed([pay(payer, payer.pubkey(), 1)], payer)
    forged = VersionedTransaction.populate(good.message, [payer.sign_message(b"another")])
    error = await refused(chain, forged)
    assert error["code"] == -32003
    assert error["message"] == "Transaction signature verification failure"


async def test_that_a_payer_without_funds_is_refused(chain: Chain) -> None:
    poor = Keypair()
    transaction = await chain.signed([pay(poor, Keypair().pubkey(), SOL)], poor)
    error = await refused(chain, transaction)
    assert error["code"] == -32002
    assert error["data"]["err"] == "AccountNotFound"


SURFPOOL_DIFFERS = {  # by method and number of parameters
    ("getBalance", 2): "it takes an unknown commitment",
    ("getMultipleAccounts", 1): "it has no limit of 100",
    ("getSignaturesForAddress", 2): "it has no limit of 1000",
    ("getBlock", 1): "it answers null for a block to come",
}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("getNothing", [], -32601),
        ("getBalance", [], -32602),
        ("getBalance", ["short"], -32602),
        ("getBalance", [42], -32602),
        ("getBalance", [str(Pubkey.default()), {"commitment": "sure"}], -32602),
        ("getAccountInfo", [str(Pubkey.default()), {"encoding": "morse"}], -32602),
        ("getMultipleAccounts", [[str(Pubkey.default())] * 101], -32602),
        ("getTokenAccountBalance", [str(Pubkey.default())], -32602),
        ("getTokenSupply", [str(Pubkey.default())], -32602),
        ("getSignaturesForAddress", [str(Pubkey.default()), {"limit": 1001}], -32602),
        ("getSignatureStatuses", [["nope"]], -32602),
        ("getSignatureStatuses", [[str(Pubkey.default())] * 257], -32602),
        ("getTransaction", ["nope"], -32602),
        ("sendTransaction", ["!!", {"encoding": "base64"}], -32602),
        ("sendTransaction", ["AAAA", {"encoding": "base64"}], -32602),
        ("sendTransaction", [], -32602),
        ("simulateTransaction", ["%%%", {"encoding": "base64"}], -32602),
        ("isBlockhashValid", ["0"], -32602),
        ("getMinimumBalanceForRentExemption", [-1], -32602),
        ("getBlock", [10**12], -32004),
    ],
)
async def test_that_a_bad_call_gets_the_cluster_s_code(
    chain: Chain, method: str, params: list[Json], code: int
) -> None:
    if chain.name == "surfpool" and (reason := SURFPOOL_DIFFERS.get((method, len(params)))):
        pytest.xfail(reason)
    answer = await chain.call(method, *params)
    assert answer["error"]["code"] == code, answer
    assert answer["id"] == 1
    assert isinstance(answer["error"]["message"], str)
    assert (await chain.call("getHealth"))["result"] == "ok"


@pytest.mark.surfpool_differs("it knows no batches")
async def test_that_a_batch_is_answered_in_order(chain: Chain) -> None:
    calls = [
        {"jsonrpc": "2.0", "id": "a", "method": "getHealth"},
        {"jsonrpc": "2.0", "id": 7, "method": "getNothing"},
    ]
    answers = await chain.post(calls)
    assert [answer["id"] for answer in answers] == ["a", 7]
    assert answers[0]["result"] == "ok"
    assert answers[1]["error"]["code"] == -32601


async def test_that_broken_json_is_a_parse_error(chain: Chain) -> None:
    answer = await chain.post('{"jsonrpc": "2.0", "method":')
    assert answer["error"]["code"] == -32700
