"""Promise: a transaction is tried, sent, confirmed and told of as on a cluster."""

import base64

import pytest
from solana.rpc.models import TxOpts
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction, VersionedTransaction
from tests.conformance.solana_rpc.chain import SOL, Chain, Confirmed, pay, until

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
AT_CONFIRMED = {"commitment": "confirmed"}
V0 = {"maxSupportedTransactionVersion": 0}


def memo(text: str) -> Instruction:
    return Instruction(MEMO, text.encode(), [])


async def test_that_a_payment_is_confirmed_by_the_client_s_own_means(
    chain: Chain, payer: Keypair
) -> None:
    to = Keypair().pubkey()
    transaction = await chain.signed([pay(payer, to, SOL)], payer)
    async with chain.client() as client:
        signature = (await client.send_transaction(transaction)).value
        assert signature == transaction.signatures[0]
        statuses = await client.confirm_transaction(signature, Confirmed, sleep_seconds=0.01)
        assert statuses.value[0] is not None
        assert statuses.value[0].err is None
        assert (await client.get_balance(to, Confirmed)).value == SOL


@pytest.mark.surfpool_differs("it shows the fee without priority")
async def test_that_a_landed_transaction_is_told_in_full(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    price = [set_compute_unit_limit(50_000), set_compute_unit_price(1_000_000)]
    signature = await chain.landed([*price, memo("qd:1:1"), pay(payer, to, SOL)], payer)
    found = await chain.result("getTransaction", str(signature), {**AT_CONFIRMED, **V0})
    meta, message = found["meta"], found["transaction"]["message"]
    assert meta["err"] is None
    assert meta["status"] == {"Ok": None}
    assert meta["fee"] == 5000 + 50_000
    assert found["version"] == 0
    keys = message["accountKeys"]
    at = keys.index(str(to))
    assert meta["postBalances"][at] - meta["preBalances"][at] == SOL
    assert meta["preBalances"][0] - meta["postBalances"][0] == SOL + meta["fee"]
    assert meta["computeUnitsConsumed"] > 0
    assert any("qd:1:1" in line for line in meta["logMessages"])
    assert meta["loadedAddresses"] == {"writable": [], "readonly": []}
    assert isinstance(found["blockTime"], int)


@pytest.mark.parametrize("encoding", ["json", "jsonParsed", "base64", "base58"])
async def test_that_the_client_reads_a_transaction_in_each_encoding(
    chain: Chain, payer: Keypair, encoding: str
) -> None:
    coin = await chain.token(payer, amount=1_000)
    async with chain.client() as client:
        found = (
            await client.get_transaction(
                coin.signature, encoding, Confirmed, max_supported_transaction_version=0
            )
        ).value
        assert found is not None
        assert found.transaction.meta is not None
        assert found.transaction.meta.err is None
        after = found.transaction.meta.post_token_balances
        assert after is not None
        assert [row.ui_token_amount.amount for row in after] == ["1000"]
        assert after[0].owner == payer.pubkey()
        assert found.transaction.meta.inner_instructions


async def test_that_instructions_are_parsed_by_name(chain: Chain, payer: Keypair) -> None:
    coin = await chain.token(payer, amount=1_000)
    options = {"encoding": "jsonParsed", **AT_CONFIRMED, **V0}
    found = await chain.result("getTransaction", str(coin.signature), options)
    steps = found["transaction"]["message"]["instructions"]
    assert [step["parsed"]["type"] for step in steps] == [
        "createAccount",
        "initializeMint",
        "create",
        "mintTo",
    ]
    assert steps[0]["program"] == "system"
    assert steps[0]["parsed"]["info"]["space"] == 82
    assert steps[3]["parsed"]["info"] == {
        "mint": str(coin.mint),
        "account": str(coin.account),
        "mintAuthority": str(payer.pubkey()),
        "amount": "1000",
    }
    keys = found["transaction"]["message"]["accountKeys"]
    assert keys[0] == {
        "pubkey": str(payer.pubkey()),
        "signer": True,
        "writable": True,
        "source": "transaction",
    }


async def test_that_a_memo_is_parsed_and_listed(chain: Chain, payer: Keypair) -> None:
    signature = await chain.landed([memo("qd:42:1")], payer)
    options = {"encoding": "jsonParsed", **AT_CONFIRMED, **V0}
    found = await chain.result("getTransaction", str(signature), options)
    step = found["transaction"]["message"]["instructions"][0]
    assert (step["program"], step["parsed"]) == ("spl-memo", "qd:42:1")


async def test_that_a_legacy_transaction_needs_no_version(chain: Chain, payer: Keypair) -> None:
    blockhash = await chain.blockhash()
    message = Message.new_with_blockhash([pay(payer, payer.pubkey(), 5)], payer.pubkey(), blockhash)
    transaction = Transaction([payer], message, blockhash)
    raw = base64.b64encode(bytes(transaction)).decode()
    options = {"encoding": "base64", "preflightCommitment": "processed"}
    signature = await chain.result("sendTransaction", raw, options)
    await chain.confirmed(signature)
    found = await chain.result("getTransaction", signature, AT_CONFIRMED)
    assert found["transaction"]["signatures"] == [signature]


@pytest.mark.surfpool_differs("it shows it")
async def test_that_a_versioned_transaction_is_refused_to_a_client_of_before(
    chain: Chain, payer: Keypair
) -> None:
    signature = await chain.landed([pay(payer, payer.pubkey(), 5)], payer)
    answer = await chain.call("getTransaction", str(signature), AT_CONFIRMED)
    assert answer["error"]["code"] == -32015


async def test_that_an_address_s_signatures_are_newest_first(chain: Chain, payer: Keypair) -> None:
    made = [str(await chain.landed([memo(f"n{n}")], payer)) for n in range(3)]
    address = str(payer.pubkey())
    rows = await chain.result("getSignaturesForAddress", address, {"limit": 3, **AT_CONFIRMED})
    assert [row["signature"] for row in rows] == made[::-1]
    assert all(row["err"] is None for row in rows)
    older = await chain.result(
        "getSignaturesForAddress", address, {"before": made[1], "limit": 1, **AT_CONFIRMED}
    )
    assert [row["signature"] for row in older] == made[:1]
    newer = await chain.result(
        "getSignaturesForAddress", address, {"until": made[1], **AT_CONFIRMED}
    )
    assert [row["signature"] for row in newer] == made[2:]
    async with chain.client() as client:
        read = await client.get_signatures_for_address(payer.pubkey(), commitment=Confirmed)
        assert str(read.value[0].signature) == made[2]


@pytest.mark.surfpool_differs("its block is its own parent")
async def test_that_a_block_holds_its_transactions(chain: Chain, payer: Keypair) -> None:
    signature = await chain.landed([memo("in a block")], payer)
    status = await chain.confirmed(signature, "finalized")
    slot = status["slot"]
    block = await chain.result("getBlock", slot, {"transactionDetails": "signatures", **V0})
    assert str(signature) in block["signatures"]
    assert block["parentSlot"] < slot
    async with chain.client() as client:
        full = (
            await client.get_block(slot, max_supported_transaction_version=0, commitment=Confirmed)
        ).value
        assert full is not None
        assert full.transactions
        assert slot in (await client.get_blocks(slot, slot + 2)).value
        assert (await client.get_block_time(slot)).value == block["blockTime"]


async def test_that_a_trial_shows_logs_units_and_accounts(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    transaction = await chain.signed([memo("try"), pay(payer, to, SOL)], payer)
    async with chain.client() as client:
        trial = (await client.simulate_transaction(transaction, sig_verify=True)).value
        assert trial.err is None
        assert trial.units_consumed
        assert any("try" in line for line in trial.logs or [])
    raw = base64.b64encode(bytes(transaction)).decode()
    accounts = {"addresses": [str(to)], "encoding": "base64"}
    options = {"encoding": "base64", "accounts": accounts, "commitment": "processed"}
    answer = await chain.result("simulateTransaction", raw, options)
    assert answer["value"]["accounts"][0]["lamports"] == SOL
    balance = await chain.result("getBalance", str(to), {"commitment": "processed"})
    assert balance["value"] == 0


async def test_that_a_trial_can_bring_its_own_blockhash(chain: Chain, payer: Keypair) -> None:
    stale = (await chain.signed([memo("later")], payer)).message
    blank = VersionedTransaction.populate(
        type(stale).try_compile(payer.pubkey(), [memo("later")], [], stale.recent_blockhash),
        [payer.sign_message(b"other")],
    )
    raw = base64.b64encode(bytes(blank)).decode()
    options = {"encoding": "base64", "replaceRecentBlockhash": True, "commitment": "processed"}
    answer = await chain.result("simulateTransaction", raw, options)
    assert answer["value"]["err"] is None
    assert answer["value"]["replacementBlockhash"]["lastValidBlockHeight"] > 0


async def test_that_a_failed_transaction_without_preflight_lands_with_its_error(
    chain: Chain, payer: Keypair
) -> None:
    transaction = await chain.signed([pay(payer, Keypair().pubkey(), 10**15)], payer)
    async with chain.client() as client:
        signature = (
            await client.send_transaction(transaction, opts=TxOpts(skip_preflight=True))
        ).value
    status = await chain.confirmed(signature)
    assert status["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert status["status"] == {"Err": status["err"]}
    async with chain.client() as client:
        read = (await client.get_signature_statuses([signature])).value[0]
        assert read is not None
        assert read.err is not None


@pytest.mark.surfpool_differs("it refuses the second")
async def test_that_sending_twice_without_preflight_lands_once(
    chain: Chain, payer: Keypair
) -> None:
    to = Keypair().pubkey()
    transaction = await chain.signed([pay(payer, to, SOL)], payer)
    raw = base64.b64encode(bytes(transaction)).decode()
    options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
    first = await chain.result("sendTransaction", raw, options)
    await chain.confirmed(first)
    assert await chain.result("sendTransaction", raw, options) == first

    async def settled() -> int | None:
        balance = await chain.result("getBalance", str(to), AT_CONFIRMED)
        return balance["value"] or None

    assert await until(settled) == SOL
