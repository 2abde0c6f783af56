"""Promise: an unmodified client reads accounts, tokens and the chain's course, as on a cluster."""

import pytest
from solana.rpc.models import TokenAccountOpts
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from tests.conformance.solana_rpc.chain import SOL, Chain, Confirmed, Json, pay, until

AT_CONFIRMED = {"commitment": "confirmed"}


async def test_that_the_node_names_itself_and_is_well(chain: Chain) -> None:
    async with chain.client() as client:
        assert await client.is_connected()
        assert (await client.get_version()).value.solana_core
        assert isinstance((await client.get_genesis_hash()).value, Hash)
        assert isinstance((await client.get_identity()).value.identity, Pubkey)


async def test_that_slots_heights_and_epochs_agree(chain: Chain) -> None:
    async with chain.client() as client:
        slot = (await client.get_slot()).value
        height = (await client.get_block_height()).value
        epoch = (await client.get_epoch_info()).value
        assert 0 <= height <= epoch.absolute_slot
        assert epoch.absolute_slot >= slot
        schedule = (await client.get_epoch_schedule()).value
        assert schedule.slots_per_epoch == epoch.slots_in_epoch


async def test_that_commitments_are_slots_apart(chain: Chain) -> None:
    await until(lambda: _past(chain, 40))
    finalized = await chain.result("getSlot", {"commitment": "finalized"})
    confirmed = await chain.result("getSlot", {"commitment": "confirmed"})
    processed = await chain.result("getSlot", {"commitment": "processed"})
    assert finalized < confirmed <= processed
    assert processed - finalized >= 31


async def test_that_a_blockhash_is_valid_for_150_blocks(chain: Chain) -> None:
    async with chain.client() as client:
        latest = (await client.get_latest_blockhash()).value
        height = (await client.get_block_height()).value
        assert height <= latest.last_valid_block_height <= height + 150
        assert (
            (await client.is_blockhash_valid(latest.blockhash)).value
            if hasattr(client, "is_blockhash_valid")
            else True
        )
    answer = await chain.result(
        "isBlockhashValid", str(latest.blockhash), {"commitment": "processed"}
    )
    assert answer["value"] is True
    never = await chain.result("isBlockhashValid", str(Pubkey.new_unique()), AT_CONFIRMED)
    assert never["value"] is False


@pytest.mark.surfpool_differs("its -32016 has no contextSlot below the one asked")
async def test_that_min_context_slot_is_honored(chain: Chain) -> None:
    answer = await chain.call("getSlot", {"minContextSlot": 10**15})
    assert answer["error"]["code"] == -32016
    assert answer["error"]["data"]["contextSlot"] < 10**15


async def test_that_rent_exemption_follows_the_size(chain: Chain) -> None:
    async with chain.client() as client:
        assert (await client.get_minimum_balance_for_rent_exemption(0)).value == 890_880
        assert (await client.get_minimum_balance_for_rent_exemption(165)).value == 2_039_280


async def test_that_an_account_reads_alike_in_every_encoding(chain: Chain, payer: Keypair) -> None:
    coin = await chain.token(payer, amount=123_456_789)
    async with chain.client() as client:
        account = (await client.get_account_info(coin.account, Confirmed)).value
        assert account is not None
        assert account.owner == TOKEN_PROGRAM_ID
        assert account.lamports == 2_039_280
        assert int.from_bytes(account.data[64:72], "little") == 123_456_789
        parsed = (await client.get_account_info_json_parsed(coin.account, Confirmed)).value
        assert parsed is not None
        many = (await client.get_multiple_accounts([coin.account, coin.mint], Confirmed)).value
        assert many[0] == account
    raw = await chain.result(
        "getAccountInfo", str(coin.account), {"encoding": "jsonParsed", **AT_CONFIRMED}
    )
    info = raw["value"]["data"]["parsed"]["info"]
    assert info["tokenAmount"]["uiAmountString"] == "123.456789"
    assert info["owner"] == str(payer.pubkey())


async def test_that_a_slice_of_data_is_a_slice(chain: Chain, payer: Keypair) -> None:
    coin = await chain.token(payer, amount=7)
    options = {"encoding": "base58", "dataSlice": {"offset": 0, "length": 32}, **AT_CONFIRMED}
    found = await chain.result("getAccountInfo", str(coin.account), options)
    assert found["value"]["data"] == [str(coin.mint), "base58"]
    assert found["value"]["space"] == 165


async def test_that_no_account_is_null_and_empty(chain: Chain) -> None:
    nobody = Keypair().pubkey()
    async with chain.client() as client:
        assert (await client.get_account_info(nobody)).value is None
        assert (await client.get_balance(nobody)).value == 0
        assert (await client.get_multiple_accounts([nobody])).value == [None]


async def test_that_tokens_add_up(chain: Chain, payer: Keypair) -> None:
    coin = await chain.token(payer, amount=5_000_000)
    async with chain.client() as client:
        held = (await client.get_token_account_balance(coin.account, Confirmed)).value
        assert (held.amount, held.decimals, held.ui_amount_string) == ("5000000", 6, "5")
        assert (await client.get_token_supply(coin.mint, Confirmed)).value.amount == "5000000"
        largest = (await client.get_token_largest_accounts(coin.mint, Confirmed)).value
        assert [row.address for row in largest] == [coin.account]
        for options in (
            TokenAccountOpts(mint=coin.mint),
            TokenAccountOpts(program_id=TOKEN_PROGRAM_ID),
        ):
            rows = (
                await client.get_token_accounts_by_owner(payer.pubkey(), options, Confirmed)
            ).value
            assert coin.account in [row.pubkey for row in rows]


@pytest.mark.parametrize("with_context", [False, True])
async def test_that_program_accounts_are_filtered(
    chain: Chain, payer: Keypair, *, with_context: bool
) -> None:
    coin = await chain.token(payer, amount=9)
    filters: list[Json] = [
        {"dataSize": 165},
        {"memcmp": {"offset": 0, "bytes": str(coin.mint)}},
    ]
    options = {"encoding": "base64", "filters": filters, "withContext": with_context}
    found = await chain.result("getProgramAccounts", str(TOKEN_PROGRAM_ID), options | AT_CONFIRMED)
    rows = found["value"] if with_context else found
    assert [row["pubkey"] for row in rows] == [str(coin.account)]
    filters[0]["dataSize"] = 82
    found = await chain.result("getProgramAccounts", str(TOKEN_PROGRAM_ID), options | AT_CONFIRMED)
    assert (found["value"] if with_context else found) == []


async def test_that_fees_are_quoted(chain: Chain, payer: Keypair) -> None:
    transaction = await chain.signed([pay(payer, payer.pubkey(), 1)], payer)
    async with chain.client() as client:
        assert (await client.get_fee_for_message(transaction.message)).value == 5000
        fees = (await client.get_recent_prioritization_fees([payer.pubkey()])).value
        assert all(fee.prioritization_fee >= 0 for fee in fees)


async def test_that_a_read_at_confirmed_lags_one_at_processed(chain: Chain, payer: Keypair) -> None:
    to = Keypair().pubkey()
    signature = await chain.landed([pay(payer, to, SOL)], payer)
    at_confirmed = await chain.result("getBalance", str(to), AT_CONFIRMED)
    assert at_confirmed["value"] == SOL
    await chain.confirmed(signature, "finalized")
    at_finalized = await chain.result("getBalance", str(to), {"commitment": "finalized"})
    assert at_finalized["value"] == SOL


async def _past(chain: Chain, slot: int) -> bool | None:
    return True if await chain.result("getSlot", {"commitment": "processed"}) > slot else None
