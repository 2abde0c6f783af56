"""A contract's yes is the magic word of ERC-1271 from a node of its chain; all else is none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from eth_abi.abi import encode

from quantdesk.access.wallets.signatures import personal_hash
from quantdesk.chains.evm.contract_wallets import ContractWallets
from quantdesk.chains.evm.rpc import Rpc
from quantdesk.core.errors import Unavailable
from quantdesk.testing.evm import EvmNode, owned_by, reverting
from quantdesk.testing.wallets import EvmWallet

pytestmark = pytest.mark.anyio

OWNER = EvmWallet()
CONTRACT = "0x" + "c0" * 20
TEXT = "sign in"
DIGEST = personal_hash(TEXT.encode())
SIGNATURE = bytes.fromhex(OWNER.sign(TEXT)[2:])
MAGIC = bytes.fromhex("1626ba7e")
SECRET = "an-api-key-in-the-path"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def node() -> AsyncIterator[EvmNode]:
    async with EvmNode(chain_id=10) as running:
        running.contracts[CONTRACT] = owned_by(OWNER.address)
        yield running


async def accepts(node: EvmNode, *, at: str = CONTRACT, signature: bytes = SIGNATURE) -> bool:
    async with Rpc(url=node.url, timeout_s=2.0) as rpc:
        wallets = ContractWallets(rpc, chain_id=10)
        return await wallets.accepts(at, digest=DIGEST, signature=signature)


async def test_a_contract_takes_its_owners_signature(node: EvmNode) -> None:
    assert await accepts(node)


async def test_the_call_is_what_solidity_reads(node: EvmNode) -> None:
    for size in (0, 1, 31, 32, 33, 65, 4_096):
        signature = bytes(range(256)) * 16
        await accepts(node, signature=signature[:size])
        call = next(each for each in reversed(node.asked) if each["method"] == "eth_call")
        expected = MAGIC + encode(["bytes32", "bytes"], [DIGEST, signature[:size]])
        assert call["params"] == [{"to": CONTRACT, "data": "0x" + expected.hex()}, "latest"]


async def test_a_contract_refuses_anothers_signature(node: EvmNode) -> None:
    other = bytes.fromhex(EvmWallet(2).sign(TEXT)[2:])

    assert not await accepts(node, signature=other)
    assert not await accepts(node, signature=SIGNATURE[:-1])


@pytest.mark.parametrize(
    "at",
    [
        "0x" + "c1" * 20,
        "0x0000000000000000000000000000000000000004",
        "0x0000000000000000000000000000000000000000",
    ],
    ids=["nothing is there", "the precompile that echoes the call", "zero"],
)
async def test_where_no_contract_wallet_lives_nothing_is_accepted(node: EvmNode, at: str) -> None:
    assert not await accepts(node, at=at)


@pytest.mark.parametrize(
    "returned",
    [
        b"",
        MAGIC,
        MAGIC + bytes(27),
        MAGIC + bytes(27) + b"\1",
        bytes(28) + MAGIC,
        b"\xff" * 32,
        bytes(32),
        bytes.fromhex("20c13b0b") + bytes(28),  # the magic value of drafts, of other arguments
        bytes(31) + b"\1",
    ],
)
async def test_anything_but_the_magic_word_is_a_no(node: EvmNode, returned: bytes) -> None:
    node.contracts[CONTRACT] = lambda _: returned

    assert not await accepts(node)


async def test_a_revert_is_a_no(node: EvmNode) -> None:
    node.contracts[CONTRACT] = reverting

    assert not await accepts(node)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "execution reverted: GS026"),
        (-32000, "execution reverted"),
        (-32015, "VM execution error. Reverted 0x"),
    ],
)
async def test_a_revert_in_other_nodes_words_is_a_no(
    node: EvmNode, code: int, message: str
) -> None:
    node.spoil = _calls({"error": {"code": code, "message": message}})

    assert not await accepts(node)


def _calls(said: dict[str, Any]) -> Callable[[dict[str, Any]], web.StreamResponse | None]:
    def spoil(question: dict[str, Any]) -> web.StreamResponse | None:
        if question["method"] != "eth_call":
            return None
        return web.json_response({"jsonrpc": "2.0", "id": question["id"], **said})

    return spoil


def _text(body: str, status: int = 200, **headers: str) -> Callable[[Any], web.StreamResponse]:
    return lambda _: web.Response(text=body, status=status, headers=headers)


_YES = "0x" + (MAGIC + bytes(28)).hex()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_calls({"error": {"code": -32000, "message": "header not found"}}), "evm.unavailable"),
        (_calls({"error": {"code": -32005, "message": "limit exceeded"}}), "evm.unavailable"),
        (_calls({"error": {"code": -32601, "message": "no such method"}}), "evm.unavailable"),
        (_calls({"result": None}), "evm.unreadable"),
        (_calls({"result": 1}), "evm.unreadable"),
        (_calls({"result": _YES[2:]}), "evm.unreadable"),
        (_calls({"result": _YES + "\n"}), "evm.unreadable"),
        (_calls({"result": _YES + "0"}), "evm.unreadable"),
        (_calls({}), "evm.unreadable"),
        (_calls({"id": 99, "result": _YES}), "evm.unreadable"),
        (_calls({"id": None, "result": _YES}), "evm.unreadable"),
        (_text("<html>busy</html>"), "evm.unreadable"),
        (_text("["), "evm.unreadable"),
        (_text("[" * 100_000), "evm.unreadable"),
        (_text("{}"), "evm.unreadable"),
        (_text("", 500), "evm.unavailable"),
        (_text('{"jsonrpc":"2.0","id":1,"result":"' + _YES + '"}', 429), "evm.unavailable"),
        (_text("", 307, Location="http://127.0.0.1:1/"), "evm.unavailable"),
    ],
)
async def test_a_node_that_does_not_say_is_never_a_yes(
    node: EvmNode, spoil: Callable[[Any], web.StreamResponse | None], code: str
) -> None:
    node.spoil = spoil

    with pytest.raises(Unavailable) as problem:
        await accepts(node)
    assert problem.value.code == code
    assert len(problem.value.detail) < 300


async def test_an_answer_without_end_is_cut_off(node: EvmNode) -> None:
    node.spoil = _calls({"result": "0x" + "00" * 70_000})

    with pytest.raises(Unavailable, match="too long"):
        await accepts(node)


@pytest.mark.parametrize("told", ["0x1", "10", "0x", "0xg", "0x0a", "0x" + "f" * 40])
async def test_a_node_of_another_chain_is_never_a_yes(node: EvmNode, told: str) -> None:
    def spoil(question: dict[str, Any]) -> web.StreamResponse | None:
        if question["method"] == "eth_call":
            return None
        return web.json_response({"jsonrpc": "2.0", "id": question["id"], "result": told})

    node.spoil = spoil
    with pytest.raises(Unavailable) as problem:
        await accepts(node)
    assert problem.value.code == "evm.chain"


async def test_a_node_that_hangs_is_given_up_and_its_key_is_not_told(node: EvmNode) -> None:
    node.hangs = True
    async with Rpc(url=f"{node.url}?{SECRET}", timeout_s=0.05) as rpc:
        with pytest.raises(Unavailable) as problem:
            await ContractWallets(rpc, chain_id=10).accepts(
                CONTRACT, digest=DIGEST, signature=SIGNATURE
            )
    assert problem.value.code == "evm.unavailable"
    assert SECRET not in problem.value.detail


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[", "no url", "ftp://127.0.0.1/"])
async def test_a_node_that_is_not_there_is_said_to_be_away(url: str) -> None:
    async with Rpc(url=url + SECRET, timeout_s=2.0) as rpc:
        with pytest.raises(Unavailable) as problem:
            await rpc.ask("eth_chainId", answer=str)
    assert problem.value.code == "evm.unavailable"
    assert SECRET not in problem.value.detail


async def test_too_many_questions_are_turned_away_at_once(node: EvmNode) -> None:
    node.hangs = True
    async with Rpc(url=node.url, timeout_s=30.0) as rpc:
        waiting = [asyncio.ensure_future(rpc.ask("eth_chainId", answer=str)) for _ in range(64)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as problem:
            await rpc.ask("eth_chainId", answer=str)
        node.hangs = False
        node.hang.set()
        answers = await asyncio.gather(*waiting)
        assert await rpc.ask("eth_chainId", answer=str) == "0xa"
    assert problem.value.code == "evm.busy"
    assert answers == ["0xa"] * 64


async def test_a_redirect_is_not_followed(node: EvmNode) -> None:
    """It would carry the key in the address elsewhere, and somebody else would answer."""
    async with EvmNode(chain_id=10) as other:
        other.contracts[CONTRACT] = owned_by(OWNER.address)
        node.spoil = _text("", 307, Location=other.url)
        with pytest.raises(Unavailable):
            await accepts(node)
        assert other.asked == []
