"""Whatever a node answers becomes a value or a `DeskError` with a stable code."""

import asyncio

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.chains.solana.scripted import Json, ScriptedNode, Told

from quantdesk.chains.solana.rpc import Preflight, Rpc
from quantdesk.core.errors import DeskError, Refused, Unavailable

pytestmark = pytest.mark.anyio


def _tells(code: int, data: Json = None) -> Json:
    def tell() -> Json:
        raise Told(code, data=data)

    return tell


async def test_returns_the_answer_in_the_type_asked_for(node: ScriptedNode, rpc: Rpc) -> None:
    node.says["getSlot"] = lambda: 7

    assert await rpc.ask("getSlot", answer=int) == 7


async def test_tells_null_from_no_answer(node: ScriptedNode, rpc: Rpc) -> None:
    node.says["getTransaction"] = lambda: None

    assert bytes(await rpc.ask("getTransaction", answer=msgspec.Raw)) == b"null"


async def test_asks_in_one_request_what_is_asked_in_one_turn(node: ScriptedNode, rpc: Rpc) -> None:
    node.says["echo"] = lambda value: value

    answers = await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(60)))

    assert answers == list(range(60))
    assert sorted(node.requests) == [10, 25, 25]


async def test_asks_one_by_one_once_a_node_refuses_batches(node: ScriptedNode, rpc: Rpc) -> None:
    node.takes_batches = False
    node.says["echo"] = lambda value: value

    first = await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(3)))
    again = await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(2)))

    assert (first, again) == ([0, 1, 2], [0, 1])
    assert node.requests == [3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("status", [400, 403, 413])
async def test_asks_one_by_one_once_a_batch_is_turned_away_by_its_status(
    node: ScriptedNode, rpc: Rpc, status: int
) -> None:
    node.batch_status = status
    node.says["echo"] = lambda value: value

    first = await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(3)))
    again = await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(2)))

    assert (first, again) == ([0, 1, 2], [0, 1])
    assert node.requests == [3, 1, 1, 1, 1, 1]


async def test_goes_on_with_batches_after_a_node_had_too_much_to_do(
    node: ScriptedNode, rpc: Rpc
) -> None:
    node.batch_status = 429
    node.says["echo"] = lambda value: value
    with pytest.raises(Unavailable):
        await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(3)))
    node.batch_status = 200

    again = await asyncio.gather(*(rpc.ask("echo", n, answer=int) for n in range(2)))

    assert (again, node.requests) == ([0, 1], [3, 2])


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        (-32005, Unavailable, "rpc.unavailable"),
        (-32004, Unavailable, "rpc.unavailable"),
        (-32016, Unavailable, "rpc.unavailable"),
        (-32603, Unavailable, "rpc.unavailable"),
        (429, Unavailable, "rpc.unavailable"),
        (-32601, Refused, "rpc.method"),
        (-32602, Refused, "rpc.invalid"),
        (-32003, Refused, "rpc.signature"),
        (-32011, Refused, "rpc.history"),
        (-32002, Refused, "rpc.preflight"),
    ],
)
async def test_sorts_errors_by_their_code(
    node: ScriptedNode, rpc: Rpc, code: int, kind: type[DeskError], expected: str
) -> None:
    node.says["getSlot"] = _tells(code)

    with pytest.raises(kind) as caught:
        await rpc.ask("getSlot", answer=int)

    assert caught.value.code == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Node is behind by 300 slots", "rpc.behind"),
        ("Node is unhealthy", "rpc.behind"),
        ("Too many requests", "rpc.unavailable"),
    ],
)
async def test_tells_a_node_that_is_behind_from_one_that_has_had_enough(
    node: ScriptedNode, rpc: Rpc, words: str, expected: str
) -> None:
    def tell() -> Json:
        raise Told(-32005, words)

    node.says["getHealth"] = tell

    with pytest.raises(Unavailable) as caught:
        await rpc.ask("getHealth", answer=str)

    assert caught.value.code == expected


async def test_passes_on_what_preflight_saw(node: ScriptedNode, rpc: Rpc) -> None:
    node.says["sendTransaction"] = _tells(-32002, data={"err": "AlreadyProcessed"})

    with pytest.raises(Preflight) as caught:
        await rpc.ask("sendTransaction", answer=str)

    assert msgspec.json.decode(caught.value.data) == {"err": "AlreadyProcessed"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (429, "rpc.unavailable"),
        (500, "rpc.unavailable"),
        (503, "rpc.unavailable"),
        (401, "rpc.unauthorized"),
        (403, "rpc.unauthorized"),
    ],
)
async def test_reads_no_answer_into_an_http_error(
    node: ScriptedNode, rpc: Rpc, status: int, code: str
) -> None:
    node.status = status

    with pytest.raises(Unavailable) as caught:
        await rpc.ask("getSlot", answer=int)

    assert caught.value.code == code


async def test_says_unavailable_when_nobody_listens(node: ScriptedNode, rpc: Rpc) -> None:
    await node.stop()

    with pytest.raises(Unavailable) as caught:
        await rpc.ask("getSlot", answer=int)

    assert caught.value.code == "rpc.unavailable"


async def test_says_unavailable_when_the_node_takes_too_long() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the asker gives up
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async with server, Rpc(url=f"http://127.0.0.1:{port}", timeout_s=0.05) as rpc:
        with pytest.raises(Unavailable) as caught:
            await rpc.ask("getSlot", answer=int)

    assert caught.value.code == "rpc.unavailable"
    assert caught.value.detail == "the node does not answer: nothing came within 0.05 s"


async def test_refuses_more_questions_than_may_wait(node: ScriptedNode) -> None:
    node.says["echo"] = lambda value: value

    async with Rpc(url=node.url, questions_max=2) as rpc:
        answers = await asyncio.gather(
            *(rpc.ask("echo", n, answer=int) for n in range(3)), return_exceptions=True
        )

    assert answers[:2] == [0, 1]
    assert isinstance(answers[2], Unavailable)


async def test_ends_open_questions_when_it_closes(node: ScriptedNode) -> None:
    node.says["echo"] = lambda value: value
    rpc = Rpc(url=node.url)
    question = asyncio.ensure_future(rpc.ask("echo", 1, answer=int))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    await rpc.close()

    with pytest.raises(Unavailable):
        await question


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"null",
        b'"x"',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","id":99,"result":5}',
        b'{"jsonrpc":"2.0","id":1,"result":"five"}',
        b'{"jsonrpc":"2.0","id":1,"result":{"a":1}}',
        b'{"jsonrpc":"2.0","id":1,"error":"bad"}',
        b'{"jsonrpc":"2.0","id":"1","result":5}',
        b'[{"jsonrpc":"2.0","id":2,"result":5}]',
        b'{"jsonrpc":"2.0","id":1,"result":5',
    ],
)
async def test_calls_an_odd_answer_unreadable(node: ScriptedNode, rpc: Rpc, body: bytes) -> None:
    node.body = body

    with pytest.raises(Unavailable) as caught:
        await rpc.ask("getSlot", answer=int)

    assert caught.value.code == "rpc.unreadable"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=40) | st.text(alphabet='{}[]":,0123id resulterror', max_size=60))
async def test_never_lets_anything_but_a_desk_error_out(
    node: ScriptedNode, rpc: Rpc, body: bytes | str
) -> None:
    node.body = body.encode() if isinstance(body, str) else body

    said = (await asyncio.gather(rpc.ask("getSlot", answer=int), return_exceptions=True))[0]

    assert isinstance(said, int | Unavailable | Refused)
