"""An EVM node for tests: answers `eth_chainId` and `eth_call` over HTTP as go-ethereum does.

Contracts live at addresses: a wallet that takes the signature of its owner's key (ERC-1271), one
that reverts, one that answers whatever it is told to. Where nothing lives, a call returns no bytes;
at 0x04 the identity precompile returns what it was sent. Shapes:
https://ethereum.github.io/execution-apis and go-ethereum 1.16's errors (code 3 with the revert's
data; -32000 for others).
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import msgspec
from aiohttp import web
from eth_abi.abi import decode, encode
from eth_account import Account
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from quantdesk.testing.serving import Serving

_MAGIC = bytes.fromhex("1626ba7e")
_SIGNATURE_BYTES = 65
_IDENTITY = "0x0000000000000000000000000000000000000004"

Contract = Callable[[bytes], bytes]
"""Returns what a call's data brings; raises `Revert`."""


class Revert(Exception):
    """The contract refuses."""


def owned_by(owner: str) -> Contract:
    """Return a contract wallet that takes its owner's plain signature of the hash."""

    def run(data: bytes) -> bytes:
        if data[:4] != _MAGIC:
            raise Revert
        digest, signature = decode(["bytes32", "bytes"], data[4:])
        if len(signature) != _SIGNATURE_BYTES:
            raise Revert
        try:
            signer = Account._recover_hash(digest, signature=signature)  # noqa: SLF001
        except (ValueError, BadSignature, ValidationError):
            raise Revert from None
        return encode(["bytes4"], [_MAGIC if signer == owner else b"\xff" * 4])

    return run


def reverting(_: bytes) -> bytes:
    """Refuse every call."""
    raise Revert


class EvmNode:
    """Serves one chain; `contracts` by lower-case address; `spoil` may change an answer's body."""

    def __init__(self, *, chain_id: int = 1) -> None:
        self.chain_id = chain_id
        self.contracts: dict[str, Contract] = {_IDENTITY: lambda data: data}
        self.asked: list[dict[str, Any]] = []
        self.spoil: Callable[[dict[str, Any]], web.StreamResponse | None] = lambda _: None
        self.url = ""
        self.hang = asyncio.Event()
        self.hangs = False
        self._serving = Serving()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._answer)
        place = await self._serving.begin(app)
        self.url = f"http://{place}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang.set()
        await self._serving.end()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        question = msgspec.json.decode(await request.read())
        self.asked.append(question)
        if self.hangs:
            await self.hang.wait()
        spoiled = self.spoil(question)
        if spoiled is not None:
            return spoiled
        return web.json_response({"jsonrpc": "2.0", "id": question["id"], **self._said(question)})

    def _said(self, question: dict[str, Any]) -> dict[str, Any]:
        if question["method"] == "eth_chainId":
            return {"result": hex(self.chain_id)}
        if question["method"] != "eth_call":
            missing = f"the method {question['method']} does not exist/is not available"
            return {"error": {"code": -32601, "message": missing}}
        call, block = question["params"]
        assert block == "latest"
        contract = self.contracts.get(call["to"].lower())
        if contract is None:
            return {"result": "0x"}
        try:
            return {"result": "0x" + contract(bytes.fromhex(call["data"][2:])).hex()}
        except Revert:
            return {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}
