"""The door: HTTP and WebSocket on one port, and the task that makes slots."""

import asyncio
import contextlib
import ipaddress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import structlog
from aiohttp import WSMsgType, web

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.localnet.cluster import Cluster, open_cluster
from quantdesk.localnet.faults import Faults
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.node import Node
from quantdesk.localnet.params import Params
from quantdesk.localnet.pubsub import PubSub, Wire
from quantdesk.localnet.rpc import Caller, answer

BODY_BYTES_MAX = 50 * 1024  # of a request, as on the node, but admin writes carry programs' data
ADMIN_BODY_BYTES_MAX = 16 * 1024 * 1024
OUTBOX_MESSAGES_MAX = 4096
CONNECTIONS_MAX = 1000
HEARTBEAT_S = 30
SLOT_MS_MIN = 5
CORS = {  # explorers are web pages
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "*",
}
log = structlog.get_logger("localnet")


@dataclass(slots=True)
class Localnet:
    """A served cluster."""

    node: Node
    rpc_url: str
    ws_url: str
    runner: web.AppRunner
    tasks: tuple[asyncio.Task[None], ...]

    @property
    def cluster(self) -> Cluster:
        """Return the cluster behind the door."""
        return self.node.cluster

    async def close(self) -> None:
        """Stop taking calls, sync, close the files."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.runner.cleanup()
        self.cluster.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def serve(
    *, data_dir: Path, host: str, port: int, slot_ms: int, genesis: Genesis, clock: Clock
) -> Localnet:
    """Start the cluster of this folder and serve it; port 0 takes a free one.

    A folder that holds a cluster already goes on with it and leaves `genesis` aside. Raises
    Refused `localnet.genesis`, `localnet.running`, `localnet.slot`; Corrupt for a damaged folder;
    OSError when the port is taken.
    """
    if slot_ms < SLOT_MS_MIN:
        raise Refused(f"slots take at least {SLOT_MS_MIN} ms", code="localnet.slot")
    pubsub = PubSub()
    cluster = open_cluster(
        data_dir, genesis=genesis, now_ms=clock.now_ms(), slot_ms=slot_ms, tell=pubsub.tell
    )
    if cluster.bank.slot == 0:
        # Slot 0 is the founding, final from the start: nobody trades in it.
        cluster.tick(clock.now_ms())
    node = Node(cluster=cluster, clock=clock, faults=Faults())
    pubsub.node = node
    runner = web.AppRunner(
        _app(node, pubsub, is_loopback=_is_loopback(host)), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        cluster.close()
        raise
    bound = runner.addresses[0][1]
    tasks = (
        asyncio.create_task(cluster.sync_forever(), name="localnet.sync"),
        asyncio.create_task(_make_slots(node), name="localnet.slots"),
    )
    name = f"[{host}]" if ":" in host else host
    for task in tasks:
        task.add_done_callback(lambda done: _report(cluster, done))
    return Localnet(node, f"http://{name}:{bound}", f"ws://{name}:{bound}", runner, tasks)


def _report(cluster: Cluster, task: "asyncio.Task[None]") -> None:
    if task.cancelled() or task.exception() is None:
        return
    cluster.trouble = f"{task.get_name()} died: {task.exception()!r}"
    log.error("localnet.task_died", task=task.get_name(), exc_info=task.exception())


async def _make_slots(node: Node) -> None:
    due = node.clock.monotonic()
    while True:
        due += node.cluster.slot_ms / 1000
        late = node.clock.monotonic() - due
        if late > 1:
            due += late  # after a stall go on from now: slots are not made up for
        await node.clock.sleep(max(0.0, -late))
        if node.ticking:
            node.cluster.tick(node.clock.now_ms())


def _app(node: Node, pubsub: PubSub, *, is_loopback: bool) -> web.Application:
    app = web.Application(client_max_size=ADMIN_BODY_BYTES_MAX)
    wires: set[Wire] = set()

    def is_operator(request: web.Request) -> bool:
        # A browser names the page it runs: no web page may roll a user's cluster back.
        return is_loopback and "Origin" not in request.headers

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        if len(body) > BODY_BYTES_MAX and b'"localnet_' not in body[:512]:
            raise web.HTTPRequestEntityTooLarge(BODY_BYTES_MAX, len(body))
        found = await answer(node, body, Caller(is_operator=is_operator(request)))
        return web.Response(body=found, content_type="application/json", headers=CORS)

    async def get(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise web.HTTPMethodNotAllowed("GET", ["POST"])
        if len(wires) >= CONNECTIONS_MAX:
            raise web.HTTPServiceUnavailable(text="too many connections")
        door = _Door(node, pubsub, wires, is_operator(request))
        return await door.talk(request)

    app.router.add_get("/health", partial(_health, node))
    app.router.add_post("/", post)
    app.router.add_get("/", get)
    app.router.add_options("/", _options)
    return app


async def _health(node: Node, _: web.Request) -> web.Response:
    return web.Response(text="unhealthy" if node.cluster.health else "ok")


async def _options(_: web.Request) -> web.Response:
    return web.Response(headers=CORS)


@dataclass(frozen=True, slots=True)
class _Door:
    """One WebSocket connection."""

    node: Node
    pubsub: PubSub
    wires: set[Wire]
    is_operator: bool

    async def talk(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=BODY_BYTES_MAX)
        await socket.prepare(request)
        outbox: asyncio.Queue[bytes] = asyncio.Queue(OUTBOX_MESSAGES_MAX)
        wire = Wire(send=lambda message: self.put(outbox, message, wire, request))
        writer = asyncio.create_task(_write(socket, outbox))
        self.wires.add(wire)
        try:
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    await self.reply(wire, message.data)
        finally:
            self.wires.discard(wire)
            self.pubsub.leave(wire)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    async def reply(self, wire: Wire, body: bytes | str) -> None:
        made: list[int] = []

        def own(name: str, params: Params) -> object:
            result = self.pubsub.call(wire, name, params)
            if name.endswith("Subscribe"):
                made.append(result)
            return result

        found = await answer(self.node, body, Caller(is_operator=self.is_operator, own=own))
        if found:
            wire.send(found)
        for ident in made:
            self.pubsub.catch_up(wire, ident)

    def put(
        self, outbox: asyncio.Queue[bytes], message: bytes, wire: Wire, request: web.Request
    ) -> None:
        try:
            outbox.put_nowait(message)
        except asyncio.QueueFull:
            # It does not keep up: better gone than behind.
            self.pubsub.leave(wire)
            self.node.count("slow_subscribers_dropped")
            if request.transport is not None:
                request.transport.abort()


async def _write(socket: web.WebSocketResponse, outbox: asyncio.Queue[bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_str((await outbox.get()).decode())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
