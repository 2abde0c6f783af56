"""A desk turns away from the other mode's cluster, and shows nothing secret of a node's address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from quantdesk.app import cluster
from quantdesk.app import node as named
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.settings import BinanceSettings, Mode, Settings, SolanaSettings

pytestmark = pytest.mark.anyio
MAINNET = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
DEVNET = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
PRIVATE = "11111111111111111111111111111111"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def node(genesis: str) -> AsyncIterator[Rpc]:
    """Serve a node that knows only its genesis."""

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        assert asked["method"] == "getGenesisHash"
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": genesis})

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with Rpc(url=f"http://{host}:{port}/") as rpc:
            yield rpc
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("mode", "genesis"), [("devnet", MAINNET), ("mainnet", DEVNET)])
async def test_that_the_other_modes_cluster_is_refused(mode: str, genesis: str) -> None:
    async with node(genesis) as rpc:
        with pytest.raises(Refused) as refused:
            await named.check_cluster(rpc, mode)
    assert refused.value.code == "solana.cluster"


@pytest.mark.parametrize(
    ("mode", "genesis"),
    [("devnet", DEVNET), ("mainnet", MAINNET), ("devnet", PRIVATE), ("mainnet", PRIVATE)],
)
async def test_that_its_own_and_a_private_one_are_taken(mode: str, genesis: str) -> None:
    async with node(genesis) as rpc:
        await named.check_cluster(rpc, mode)


@pytest.mark.parametrize("url", ["", "HOST", "ftp://host", "https://"])
@pytest.mark.parametrize("mode", ["devnet", "mainnet"])
def test_that_a_node_must_be_named(mode: Mode, url: str) -> None:
    with pytest.raises(Refused) as refused:
        cluster._check(Settings(mode=mode, solana=SolanaSettings(rpc_url=url)))
    assert refused.value.code == "settings.invalid"


def test_that_devnet_takes_no_exchange_with_real_money() -> None:
    node_of = SolanaSettings(rpc_url="https://host")
    real = BinanceSettings(url="https://api.binance.com")
    with pytest.raises(Refused, match="real money"):
        cluster._check(Settings(mode="devnet", solana=node_of, binance=real))
    cluster._check(Settings(mode="mainnet", solana=node_of, binance=real))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        # pragma: allowlist nextline secret
        ("https://user:secret@host.example/secret?api-key=secret", "https://host.example"),
        ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
    ],
)
def test_that_only_the_host_of_a_node_is_shown(url: str, shown: str) -> None:
    assert named.shown(url) == shown


def test_that_the_socket_follows_from_the_node_unless_it_is_written_down() -> None:
    assert named.ws(Settings(solana=SolanaSettings(rpc_url="https://h/?k=1"))) == "wss://h/?k=1"
    written = SolanaSettings(rpc_url="https://h", ws_url="ws://other")
    assert named.ws(Settings(solana=written)) == "ws://other"


async def test_that_a_node_that_is_away_keeps_its_key_to_itself() -> None:
    async with Rpc(url="http://127.0.0.1:1/?api-key=secret") as rpc:
        with pytest.raises(Unavailable) as problem:
            await named.check_cluster(rpc, "devnet")
    assert "secret" not in problem.value.detail
