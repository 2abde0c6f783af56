"""A chain under test: its urls, raw calls, and the few deeds every case begins with."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Processed
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from spl.token import instructions as token
from spl.token import models
from spl.token.constants import TOKEN_PROGRAM_ID

Json = Any
PATIENCE_S = 20
SOL = 1_000_000_000


@dataclass
class Chain:
    """One running cluster."""

    name: str
    rpc: str
    ws: str

    def client(self) -> AsyncClient:
        """Return an unmodified solana-py client that reads at `processed`."""
        return AsyncClient(self.rpc, Processed)

    async def post(self, body: Json) -> Json:
        """Post a body (text or JSON) and return the parsed answer."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = {"content-type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.rpc, data=data, headers=headers) as response,
        ):
            return json.loads(await response.read())

    async def call(self, method: str, *params: Json) -> Json:
        """Return the whole answer of one call."""
        return await self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    async def result(self, method: str, *params: Json) -> Json:
        """Return the result of one call that must not fail."""
        answer = await self.call(method, *params)
        assert "result" in answer, answer
        return answer["result"]

    async def fund(self, to: Pubkey, lamports: int = 10 * SOL) -> None:
        """Give lamports and wait until they are confirmed."""
        signature = await self.result("requestAirdrop", str(to), lamports)
        await self.confirmed(signature)

    async def confirmed(self, signature: Json, level: str = "confirmed") -> Json:
        """Wait until a signature has this commitment and return its status."""
        levels = {"confirmed": ("confirmed", "finalized"), "finalized": ("finalized",)}[level]

        async def status() -> Json:
            options = {"searchTransactionHistory": True}
            answer = await self.result("getSignatureStatuses", [str(signature)], options)
            found = answer["value"][0]
            return found if found and found["confirmationStatus"] in levels else None

        return await until(status)

    async def blockhash(self, commitment: str = "processed") -> Hash:
        """Return the newest blockhash at a commitment."""
        found = await self.result("getLatestBlockhash", {"commitment": commitment})
        return Hash.from_string(found["value"]["blockhash"])

    async def signed(self, instructions: list[Instruction], *signers: Keypair) -> Json:
        """Return a signed transaction on a fresh blockhash; the first signer pays."""
        blockhash = await self.blockhash()
        message = MessageV0.try_compile(signers[0].pubkey(), instructions, [], blockhash)
        return VersionedTransaction(message, list(signers))

    async def landed(self, instructions: list[Instruction], *signers: Keypair) -> Signature:
        """Send and wait until confirmed."""
        transaction = await self.signed(instructions, *signers)
        async with self.client() as client:
            signature = (await client.send_transaction(transaction)).value
        await self.confirmed(signature)
        return signature

    async def token(self, owner: Keypair, *, amount: int, decimals: int = 6) -> "Coin":
        """Make a mint and give its owner some."""
        mint = Keypair()
        account = token.get_associated_token_address(owner.pubkey(), mint.pubkey())
        rent = await self.result("getMinimumBalanceForRentExemption", 82)
        made = [
            create_account(
                CreateAccountParams(
                    from_pubkey=owner.pubkey(),
                    to_pubkey=mint.pubkey(),
                    lamports=rent,
                    space=82,
                    owner=TOKEN_PROGRAM_ID,
                )
            ),
            token.initialize_mint(
                models.InitializeMintParams(
                    decimals=decimals,
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint.pubkey(),
                    mint_authority=owner.pubkey(),
                )
            ),
            token.create_associated_token_account(owner.pubkey(), owner.pubkey(), mint.pubkey()),
            token.mint_to(
                models.MintToParams(
                    program_id=TOKEN_PROGRAM_ID,
                    mint=mint.pubkey(),
                    dest=account,
                    mint_authority=owner.pubkey(),
                    amount=amount,
                )
            ),
        ]
        signature = await self.landed(made, owner, mint)
        return Coin(mint.pubkey(), account, signature)


@dataclass
class Coin:
    """A token made for a case."""

    mint: Pubkey
    account: Pubkey
    signature: Signature


def pay(source: Keypair, to: Pubkey, lamports: int) -> Instruction:
    """Return a transfer of lamports."""
    return transfer(TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=lamports))


async def until(ask: Callable[[], Awaitable[Json]]) -> Json:
    """Ask again and again until there is an answer."""

    async def asking() -> Json:
        while (found := await ask()) is None:  # noqa: ASYNC110  another process: no event of ours
            await asyncio.sleep(0.01)
        return found

    return await asyncio.wait_for(asking(), PATIENCE_S)


def started(name: str, command: list[str]) -> tuple[Chain, "subprocess.Popen[str]"]:
    """Start a chain's process and wait for its urls."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            urls = json.loads(line)
            return Chain(name, urls["rpc"], urls["ws"]), process
    code = stopped(process)
    raise RuntimeError(f"{name} ended with {code}")


def stopped(process: "subprocess.Popen[str]") -> int:
    """Let a chain end by closing its standard input."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        return process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.stdout.close()


__all__ = ["SOL", "Chain", "Coin", "Confirmed", "Json", "pay", "started", "stopped", "until"]
