"""Promise: the audit is read by those who may, page by page; a pack by whose order it is."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import pytest
from tests.flow.access.audited import World

from quantdesk.access.keys import Keys, digest
from quantdesk.access.model import Role
from quantdesk.api.audit import AuditRoutes
from quantdesk.api.edge import Edge
from quantdesk.api.pages import pages
from quantdesk.ops import verify_evidence
from quantdesk.store.pool import Pools
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder
from quantdesk.testing.stage import Stage

pytestmark = pytest.mark.anyio

ADMIN, TRADER, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
async def stage(pools: Pools) -> AsyncIterator[Stage]:
    made = Stage(pools)
    made.account_id = TRADER
    yield made
    await made.clear()


@pytest.fixture
async def desk(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async def socket(*_: object) -> bool:
        return False

    metrics = Metrics()
    routes = AuditRoutes(pools=world.pools, signer=world.signer, clock=world.clock)
    edge = Edge(
        keys=Keys(
            {
                digest("qd_admin"): key_holder(ADMIN, Role.ADMIN),
                digest("qd_trader"): key_holder(TRADER, Role.TRADER),
                digest("qd_other"): key_holder(OTHER, Role.TRADER),
            }
        ),
        hot={},
        socket=socket,
        pages=pages([routes.routes()], version="1", metrics=metrics),
        metrics=metrics,
    )
    transport = httpx2.ASGITransport(app=edge)
    async with httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


async def ask(
    desk: httpx2.AsyncClient,
    path: str,
    who: str = "admin",
    **query: Any,  # noqa: ANN401
) -> tuple[int, dict[str, Any]]:
    answer = await desk.get(path, params=query, headers={"authorization": f"Bearer qd_{who}"})
    return answer.status_code, msgspec.json.decode(answer.content)


async def test_that_only_those_who_may_read_it(world: World, desk: httpx2.AsyncClient) -> None:
    for path in ("/api/audit", "/api/audit/roots"):
        assert (await ask(desk, path))[0] == 200
        assert (await ask(desk, path, "trader"))[0] == 403
        assert (await ask(desk, path, "nobody"))[0] == 401


async def test_that_filters_and_cursors_find_rows(world: World, desk: httpx2.AsyncClient) -> None:
    for number in range(5):
        await world.note(
            world.act("session.opened", account_id=TRADER),
            world.act("session_x.opened", account_id=OTHER, about=f"key:{number}"),
        )
        await world.keep(0)
        await world.clock.advance(60)

    async def seqs(**query: Any) -> list[int]:  # noqa: ANN401
        status, page = await ask(desk, "/api/audit", **query)
        assert status == 200, page
        return [row["seq"] for row in page["rows"]]

    assert await seqs() == list(range(11, 0, -1))
    assert await seqs(action="session.") == [10, 8, 6, 4, 2]
    assert await seqs(action="session_x") == [11, 9, 7, 5, 3]
    assert await seqs(account=str(OTHER)) == [11, 9, 7, 5, 3]
    assert await seqs(about="key:3") == [9]
    assert await seqs(**{"from": world.clock.now_ms() - 120_000}) == [11, 10, 9, 8]
    assert await seqs(to=world.clock.now_ms() - 240_000, action="session.") == [2]

    _, first = await ask(desk, "/api/audit", limit=6)
    _, second = await ask(desk, "/api/audit", limit=6, cursor=first["nextCursor"])
    assert [row["seq"] for row in first["rows"] + second["rows"]] == list(range(11, 0, -1))
    assert second["nextCursor"] is None
    row = first["rows"][0]
    assert (row["accountId"], row["ip"], row["requestId"]) == (str(OTHER), "192.0.2.7", "r-1")


async def test_that_whoever_reads_rows_can_hash_them(
    world: World, desk: httpx2.AsyncClient
) -> None:
    await world.note(*(world.act("key.made", about=f"key:{n}", after={"a": 1}) for n in range(4)))
    await world.keep(0)
    _, page = await ask(desk, "/api/audit")
    before = bytes(32)
    for row in reversed(page["rows"]):
        assert bytes.fromhex(row["prevHash"]) == before
        before = hashlib.sha256(before + row["body"].encode()).digest()
        assert row["hash"] == before.hex()
        assert msgspec.json.decode(row["body"])["seq"] == row["seq"]


@pytest.mark.parametrize(
    "query",
    [{"limit": 501}, {"limit": 0}, {"cursor": "x"}, {"cursor": 2**70}, {"account": "me"},
     {"action": "A%"}, {"about": "a\x00"}, {"from": "yesterday"}, {"unknown": 1}],
)  # fmt: skip
async def test_that_what_cannot_be_asked_is_refused(
    desk: httpx2.AsyncClient, query: dict[str, Any]
) -> None:
    status, problem = await ask(desk, "/api/audit", **query)
    assert (status, problem["code"]) == (400, "request.malformed")


async def test_that_a_pack_is_for_whose_order_it_is(
    world: World, desk: httpx2.AsyncClient, stage: Stage
) -> None:
    one = stage.desk()
    placed = await stage.place(one)
    assert await stage.run_until(stage.all_ended, within_s=60)
    path = f"/api/orders/{placed.order.id}/evidence/pack"

    status, problem = await ask(desk, path, "trader")
    assert (status, problem["code"], problem["retryable"]) == (503, "audit.pending", True)
    await world.keep(3)

    answer = await desk.get(path, headers={"authorization": "Bearer qd_trader"})
    assert answer.status_code == 200
    verify_evidence.verify(verify_evidence.read(answer.text), world.signer.public.public.hex())
    assert (await ask(desk, path, "admin"))[0] == 200
    for who, where in (("other", path), ("trader", "/api/orders/x/evidence/pack")):
        status, problem = await ask(desk, where, who)
        assert (status, problem["code"]) == (404, "order.unknown")


async def test_that_roots_come_with_their_keys(world: World, desk: httpx2.AsyncClient) -> None:
    keeper = world.keeper()
    for _ in range(2):
        await world.keep(2, keeper)
        await world.clock.advance(86_400)
    await world.keep(1, keeper)
    status, page = await ask(desk, "/api/audit/roots")
    assert status == 200
    assert [root["day"] for root in page["roots"]] == ["2023-11-15", "2023-11-16"]
    key = bytes.fromhex(page["keys"][0]["publicKey"])
    for root in page["roots"]:
        text = verify_evidence.PREFIX + root["statement"].encode()
        assert verify_evidence.signed_by(key, text, bytes.fromhex(root["signature"]))
