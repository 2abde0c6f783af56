"""Promise: the client's own WebSocket is told of signatures, accounts, logs, slots and roots."""

import asyncio

import pytest
from solana.rpc.commitment import Confirmed, Processed
from solana.rpc.websocket_api import SolanaWsClient
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilterMentions
from spl.token.constants import TOKEN_PROGRAM_ID
from tests.conformance.solana_rpc.chain import PATIENCE_S, SOL, Chain, Json, pay
from tests.conformance.solana_rpc.test_sending import memo


async def next_of(socket: SolanaWsClient, kind: str) -> Json:
    """Return the next notification of a kind."""

    async def wanted() -> Json:
        while True:
            item = await socket.recv()
            if type(item).__name__ == kind:
                return item

    return await asyncio.wait_for(wanted(), PATIENCE_S)


async def test_that_a_signature_is_told_once_confirmed(chain: Chain, payer: Keypair) -> None:
    transaction = await chain.signed([pay(payer, Keypair().pubkey(), SOL)], payer)
    async with SolanaWsClient(chain.ws) as socket, chain.client() as client:
        await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Confirmed)
        await client.send_transaction(transaction)
        told = await next_of(socket, "SignatureNotification")
        assert told.result.value.err is None
        status = (await client.get_signature_statuses([transaction.signatures[0]])).value[0]
        assert status is not None
        assert str(status.confirmation_status).rsplit(".", 1)[-1] in {"Confirmed", "Finalized"}


async def test_that_an_account_is_told_when_it_changes(chain: Chain, payer: Keypair) -> None:
    to = Keypair()
    await chain.fund(to.pubkey(), SOL)
    async with SolanaWsClient(chain.ws) as socket, chain.client() as client:
        await socket.account_subscribe(pubkey=to.pubkey(), commitment=Processed)
        await client.send_transaction(await chain.signed([pay(payer, to.pubkey(), SOL)], payer))
        told = await next_of(socket, "AccountNotification")
        assert told.result.value.lamports == 2 * SOL


async def test_that_a_program_is_told_of_its_accounts(chain: Chain, payer: Keypair) -> None:
    async with SolanaWsClient(chain.ws) as socket:
        await socket.program_subscribe(program_id=TOKEN_PROGRAM_ID, commitment=Confirmed)
        coin = await chain.token(payer, amount=77)
        seen: set[Pubkey] = set()
        while coin.account not in seen:
            told = await next_of(socket, "ProgramNotification")
            seen.add(told.result.value.pubkey)


async def test_that_logs_are_told_to_whom_they_name(chain: Chain, payer: Keypair) -> None:
    async with SolanaWsClient(chain.ws) as socket, chain.client() as client:
        await socket.logs_subscribe(
            filter_=RpcTransactionLogsFilterMentions(payer.pubkey()), commitment=Processed
        )
        transaction = await chain.signed([memo("heard")], payer)
        await client.send_transaction(transaction)
        told = await next_of(socket, "LogsNotification")
        assert told.result.value.signature == transaction.signatures[0]
        assert any("heard" in line for line in told.result.value.logs)


async def test_that_slots_follow_each_other(chain: Chain) -> None:
    async with SolanaWsClient(chain.ws) as socket:
        await socket.slot_subscribe()
        first = await next_of(socket, "SlotNotification")
        second = await next_of(socket, "SlotNotification")
        assert second.result.slot > first.result.slot
        assert second.result.parent < second.result.slot


@pytest.mark.surfpool_differs("it has no rootSubscribe")
async def test_that_the_root_rises(chain: Chain) -> None:
    async with SolanaWsClient(chain.ws) as socket:
        await socket.root_subscribe()
        first = await next_of(socket, "RootNotification")
        second = await next_of(socket, "RootNotification")
        assert second.result > first.result


async def test_that_nothing_is_told_after_unsubscribing(chain: Chain) -> None:
    async with SolanaWsClient(chain.ws) as socket:
        old = await socket.slot_subscribe()
        await next_of(socket, "SlotNotification")
        await socket.unsubscribe(old)
        new = await socket.slot_subscribe()
        told = [await next_of(socket, "SlotNotification") for _ in range(3)]
        assert {item.subscription for item in told} == {new.subscription_id}
