"""Promise: a v0 transaction with lookups is run and told of as on a cluster."""

import base64
from dataclasses import dataclass

import pytest
from solders.account_decoder import ParsedAccount
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from tests.conformance.solana_rpc.chain import SOL, Chain, Confirmed, Json, pay, until
from tests.unit.localnet.table_program import create, deactivate, extend, read

AT_CONFIRMED = {"commitment": "confirmed"}
V0 = {"maxSupportedTransactionVersion": 0}
PARSED = {"encoding": "jsonParsed", **AT_CONFIRMED, **V0}


@dataclass
class Table:
    """A table on a chain: two accounts to pay to, and one to read."""

    address: Pubkey
    paid: list[Pubkey]
    read: Pubkey

    @property
    def entries(self) -> list[Pubkey]:
        """Return what it holds."""
        return [*self.paid, self.read]


async def a_table(chain: Chain, payer: Keypair) -> Table:
    """Make one by its program, and wait until it is usable."""
    slot = await chain.result("getSlot", {"commitment": "finalized"})
    address, creation = create(payer.pubkey(), slot)
    table = Table(address, [Keypair().pubkey() for _ in range(2)], Keypair().pubkey())
    await chain.landed([creation, extend(address, payer.pubkey(), table.entries)], payer)
    made = await chain.result("getSlot", {"commitment": "processed"})

    async def later() -> bool | None:
        return True if await chain.result("getSlot", AT_CONFIRMED) > made else None

    await until(later)
    return table


async def paying(chain: Chain, payer: Keypair, table: Table) -> VersionedTransaction:
    """Return a transaction that pays a SOL to each, and names the one to be read."""
    named = AccountMeta(table.read, is_signer=False, is_writable=False)
    steps = [pay(payer, to, SOL) for to in table.paid]
    steps[0] = Instruction(steps[0].program_id, steps[0].data, [*steps[0].accounts, named])
    tables = [read(table.address, table.entries)]
    message = MessageV0.try_compile(payer.pubkey(), steps, tables, await chain.blockhash())
    assert len(message.account_keys) == 2
    return VersionedTransaction(message, [payer])


async def paid(chain: Chain, payer: Keypair, table: Table) -> str:
    """Pay by the table and return the signature once it is confirmed."""
    async with chain.client() as client:
        transaction = await paying(chain, payer, table)
        signature = (await client.send_transaction(transaction)).value
    await chain.confirmed(signature)
    return str(signature)


def loaded(transaction: Json, table: Table) -> tuple[list[str], list[str]]:
    """Return the addresses a transaction's lookups name, in their order."""
    (lookup,) = transaction["message"]["addressTableLookups"]
    assert lookup["accountKey"] == str(table.address)
    picked = (lookup["writableIndexes"], lookup["readonlyIndexes"])
    writable, readonly = ([str(table.entries[at]) for at in places] for places in picked)
    assert sorted(writable) == sorted(map(str, table.paid))
    assert readonly == [str(table.read)]
    return writable, readonly


async def test_that_accounts_are_static_then_writable_then_readonly(
    chain: Chain, payer: Keypair
) -> None:
    table = await a_table(chain, payer)
    found = await chain.result("getTransaction", await paid(chain, payer, table), AT_CONFIRMED | V0)
    meta = found["meta"]
    writable, readonly = loaded(found["transaction"], table)
    assert meta["err"] is None
    assert meta["loadedAddresses"] == {"writable": writable, "readonly": readonly}
    assert len(found["transaction"]["message"]["accountKeys"]) == 2
    assert meta["preBalances"][1:] == [1, 0, 0, 0]
    assert meta["postBalances"][1:] == [1, SOL, SOL, 0]


async def test_that_parsed_keys_say_where_they_come_from(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    found = await chain.result("getTransaction", await paid(chain, payer, table), PARSED)
    writable, readonly = loaded(found["transaction"], table)
    keys = found["transaction"]["message"]["accountKeys"]
    assert [row["pubkey"] for row in keys[2:]] == [*writable, *readonly]
    assert [row["source"] for row in keys] == ["transaction"] * 2 + ["lookupTable"] * 3
    assert [row["writable"] for row in keys[2:]] == [True, True, False]
    assert "loadedAddresses" not in found["meta"]
    first = found["transaction"]["message"]["instructions"][0]["parsed"]
    assert first["info"]["destination"] == str(table.paid[0])


async def test_that_the_client_reads_it_in_each_encoding(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    signature = Signature.from_string(await paid(chain, payer, table))
    async with chain.client() as client:
        for encoding in ("json", "jsonParsed", "base64", "base58"):
            found = (
                await client.get_transaction(
                    signature, encoding, Confirmed, max_supported_transaction_version=0
                )
            ).value
            assert found is not None
            assert found.transaction.meta is not None
            assert found.transaction.meta.err is None


@pytest.mark.surfpool_differs("its blocks leave them out")
async def test_that_a_block_tells_its_lookups(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    signature = await paid(chain, payer, table)
    slot = (await chain.confirmed(signature))["slot"]
    block = await chain.result("getBlock", slot, {**AT_CONFIRMED, **V0})
    (row,) = [
        row for row in block["transactions"] if row["transaction"]["signatures"] == [signature]
    ]
    writable, readonly = loaded(row["transaction"], table)
    assert row["meta"]["loadedAddresses"] == {"writable": writable, "readonly": readonly}
    assert row["meta"]["postBalances"][1:] == [1, SOL, SOL, 0]


@pytest.mark.surfpool_differs("its trials tell neither, as nodes before Agave 3.0")
async def test_that_a_trial_tells_what_it_loads_and_moves(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    transaction = await paying(chain, payer, table)
    raw = base64.b64encode(bytes(transaction)).decode()
    options = {"encoding": "base64", "commitment": "processed"}
    value = (await chain.result("simulateTransaction", raw, options))["value"]
    assert value["err"] is None
    assert sorted(value["loadedAddresses"]["writable"]) == sorted(map(str, table.paid))
    assert value["loadedAddresses"]["readonly"] == [str(table.read)]
    assert value["fee"] == 5000
    assert value["preBalances"][1:] == [1, 0, 0, 0]
    assert value["postBalances"][1:] == [1, SOL, SOL, 0]
    assert value["preBalances"][0] - value["postBalances"][0] == 2 * SOL + 5000
    assert (value["preTokenBalances"], value["postTokenBalances"]) == ([], [])


async def test_that_a_table_reads_as_one(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    async with chain.client() as client:
        account = (await client.get_account_info_json_parsed(table.address, Confirmed)).value
    assert account is not None
    assert isinstance(account.data, ParsedAccount)
    found = await chain.result(
        "getAccountInfo", str(table.address), {"encoding": "jsonParsed", **AT_CONFIRMED}
    )
    data = found["value"]["data"]
    assert data["program"] == "address-lookup-table"
    assert data["parsed"]["type"] == "lookupTable"
    info = data["parsed"]["info"]
    assert info["addresses"] == list(map(str, table.entries))
    assert info["authority"] == str(payer.pubkey())
    assert info["deactivationSlot"] == str(2**64 - 1)


async def test_that_a_lookup_past_the_end_is_refused(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    wider = Table(table.address, [Keypair().pubkey() for _ in range(4)], table.read)
    steps = [pay(payer, wider.paid[3], SOL)]
    tables = [read(table.address, wider.entries)]
    message = MessageV0.try_compile(payer.pubkey(), steps, tables, await chain.blockhash())
    raw = base64.b64encode(bytes(VersionedTransaction(message, [payer]))).decode()
    options = {"encoding": "base64", "commitment": "processed"}
    answer = await chain.call("simulateTransaction", raw, options)
    assert "InvalidAddressLookupTableIndex" in str(answer) or "invalid index" in str(answer)


async def test_that_a_table_being_dropped_still_works(chain: Chain, payer: Keypair) -> None:
    table = await a_table(chain, payer)
    await chain.landed([deactivate(table.address, payer.pubkey())], payer)
    await paid(chain, payer, table)
    balance = await chain.result("getBalance", str(table.paid[1]), AT_CONFIRMED)
    assert balance["value"] == SOL
