"""Promise: who may change what, at once and with an act; a stop is easy, its end is not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.flow.guard.asking import Answer, Asking, fresh, session
from tests.flow.guard.conftest import ANNA, BERT, SETTINGS, Office

from quantdesk.access.model import Permission, Principal, Role
from quantdesk.api.limits import LimitRoutes
from quantdesk.api.trading import TradingRoutes
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.guard.book import LimitBook
from quantdesk.testing.stage import Desk, Stage, Wish

pytestmark = pytest.mark.anyio
S = OrderStatus

TRADER = session(ANNA)
ADMIN = session(BERT, Role.ADMIN)
PROVEN = session(BERT, Role.ADMIN, proven=True)


class World:
    """A stage with a desk, its book and its routes."""

    def __init__(self, office: Office, stage: Stage, book: LimitBook) -> None:
        self.office = office
        self.stage = stage
        self.book = book
        stage.account_id = ANNA
        self.desk: Desk = stage.desk(rules=replace(stage.rules, halts=book.halts))
        self.orders = self.desk.orders
        more: dict[str, Any] = {
            "book": book, "fresh": fresh, "clock": office.clock, "new_id": stage.new_id,
        }  # fmt: skip
        self._ask = Asking(
            LimitRoutes(**more).routes(), TradingRoutes(orders=self.orders, **more).routes()
        )

    async def get(self, who: Principal, path: str) -> Answer:
        """Look at something."""
        return await self._ask(who, "GET", path)

    async def put(self, who: Principal, **limits: object) -> Answer:
        """Set limits."""
        return await self._ask(who, "PUT", "/api/limits", limits)

    async def halt(self, who: Principal, scope: str = "new", **more: object) -> Answer:
        """Stop trading."""
        body = {"scope": scope, "reason": "a drill", **more}
        return await self._ask(who, "POST", "/api/trading/halt", body)

    async def resume(self, who: Principal, **body: object) -> Answer:
        """Let trading go on."""
        return await self._ask(who, "POST", "/api/trading/resume", body)

    async def acts(self) -> list[dict[str, Any]]:
        """Return the acts noted so far."""
        async with self.office.pools.read.connection() as c:
            return [row["act"] for row in await c.fetch("select act from acts order by number")]


@pytest.fixture
async def world(office: Office) -> AsyncIterator[World]:
    stage = Stage(office.pools)
    yield World(office, stage, await office.book())
    await stage.clear()


def limit(answer: Answer, name: str) -> dict[str, Any]:
    assert answer.status == 200, answer
    return next(one for one in answer.body["limits"] if one["name"] == name)


async def test_that_everybody_sees_their_own_limits_and_who_says_so(world: World) -> None:
    await world.put(ADMIN, open_orders_max=9, order_notional_usd_max=500)
    await world.put(ADMIN, account=str(ANNA), open_orders_max=3)
    found = await world.get(TRADER, "/api/limits")
    assert found.body["account"] == str(ANNA)
    assert limit(found, "open_orders_max") == {
        "name": "open_orders_max", "value": 3, "source": "account",
        "settings": None, "desk": 9, "account": 3,
    }  # fmt: skip
    notional = limit(found, "order_notional_usd_max")
    assert (notional["value"], notional["source"]) == ("500", "desk")
    assert (notional["settings"], notional["account"]) == ("1000", None)
    assert limit(found, "pairs")["source"] is None
    assert [(o["account"], o["name"], o["after"]) for o in found.body["history"]] == [
        (str(ANNA), "open_orders_max", 3),
        (None, "open_orders_max", 9),
        (None, "order_notional_usd_max", "500"),
    ]
    assert limit(await world.get(ADMIN, "/api/limits"), "open_orders_max")["value"] == 9


async def test_that_anybody_lowers_their_own_and_nobody_elses(world: World) -> None:
    assert (await world.put(TRADER, account=str(ANNA), open_orders_max=2)).status == 200
    assert world.book.of(ANNA).open_orders_max == 2
    assert (await world.put(TRADER, account=str(ANNA), open_orders_max=3)).code == ("request.wider")
    assert (await world.put(TRADER, account=str(ANNA), open_orders_max=None)).status == 403
    assert (await world.put(TRADER, open_orders_max=2)).status == 403
    for answer in (
        await world.put(TRADER, account=str(BERT), open_orders_max=1),
        await world.get(TRADER, f"/api/limits?account={BERT}"),
        await world.get(TRADER, f"/api/limits/history?account={BERT}"),
        await world.halt(TRADER, account=str(BERT)),
        await world.put(ADMIN, account=str(UUID(int=77)), open_orders_max=1),
    ):
        assert (answer.status, answer.code) == (404, "account.unknown")
    assert world.book.of(BERT) == SETTINGS
    assert world.book.of(ANNA).open_orders_max == 2
    assert len(await world.acts()) == 1


async def test_that_raising_needs_a_proof_and_lowering_does_not(world: World) -> None:
    assert (await world.put(ADMIN, order_notional_usd_max=100)).status == 200
    refused = await world.put(ADMIN, order_notional_usd_max=200, open_orders_max=1)
    assert refused.code == "proof.needed"
    assert world.book.desk.order_notional_usd_max == 100
    assert world.book.desk.open_orders_max is None, "nothing of it was changed"
    assert (await world.put(PROVEN, order_notional_usd_max="200.50")).status == 200
    assert world.book.of(ANNA).order_notional_usd_max == Decimal("200.5")
    assert (await world.put(PROVEN, order_notional_usd_max=1_001)).code == "limit.above_settings"


async def test_that_each_change_is_an_act_in_the_same_transaction(world: World) -> None:
    await world.put(ADMIN, account=str(ANNA), open_orders_max=3, pairs=["SOL-USDC"])
    acts = await world.acts()
    assert [(a["action"], a["about"], a["before"], a["after"]) for a in acts] == [
        ("limit.changed", f"limit:open_orders_max:{ANNA}", None, 3),
        ("limit.changed", f"limit:pairs:{ANNA}", None, ["SOL-USDC"]),
    ]
    assert acts[0]["account_id"] == str(BERT)
    assert acts[0]["session_id"] == str(ADMIN.session_id)
    assert acts[0]["origin"] == {"ip": "203.0.113.7", "agent": "test", "request_id": "r1"}
    assert len({act["id"] for act in acts}) == 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"order_notional_max": 5}, "order_notional_max"),
        ({"open_orders_max": "5"}, "open_orders_max"),
        ({"order_notional_usd_max": "NaN"}, "order_notional_usd_max"),
        ({"order_notional_usd_max": -1}, "order_notional_usd_max"),
        ({"pairs": "SOL-USDC"}, "pairs"),
        ({"pairs": ["SOL-EUR"]}, "SOL-EUR"),
        ({"account": "anna"}, "account"),
        ({"halted": True}, "halted"),
        ({"open_orders_max": 10**30}, "open_orders_max"),
        ({"open_orders_max": 1.5}, "open_orders_max"),
        ({"\0": 1}, "none of the desk"),
        ({"account": str(ANNA), "price_band_bps_max": 5}, "price_band_bps_max"),
    ],
)
async def test_that_what_is_unknown_or_wrong_is_refused_by_its_name(
    world: World, body: dict[str, object], named: str
) -> None:
    answer = await world.put(PROVEN, **body)
    assert answer.status == 400
    assert named in answer.body["detail"]
    assert world.book.desk == SETTINGS


async def test_that_history_is_read_page_by_page(world: World) -> None:
    for value in (5, 4, 3):
        await world.put(ADMIN, open_orders_max=value)
    first = (await world.get(TRADER, "/api/limits/history?limit=2")).body
    assert [one["after"] for one in first["changes"]] == [3, 4]
    rest = await world.get(TRADER, f"/api/limits/history?limit=2&before={first['nextBefore']}")
    assert [one["after"] for one in rest.body["changes"]] == [5]
    assert rest.body["nextBefore"] is None


async def test_that_the_kill_switch_stops_cancels_and_says_what_it_could_not(
    world: World,
) -> None:
    resting = await world.stage.place(world.desk, Wish(limit_price=Decimal(99)))
    await world.stage.run_for(1)
    signed = await world.stage.place(world.desk)

    async def submitted() -> bool:
        return (await world.stage.stored())[1].status is S.SUBMITTED

    assert await world.stage.run_until(submitted, within_s=10)

    refused = await world.halt(TRADER, "all")
    assert (refused.status, refused.code) == (403, "request.wider"), "it would stop others too"
    done = await world.halt(ADMIN, "all")
    assert done.status == 200, done
    assert done.body["cancelled"] == [str(resting.order.id)]
    assert done.body["left"] == [{"orderId": str(signed.order.id), "status": "SUBMITTED"}]
    assert (done.body["cancelledCount"], done.body["leftCount"]) == (1, 1)
    assert done.body["trading"]["trading"] is False
    assert done.body["trading"]["desk"]["reason"] == "a drill"
    assert world.book.of(BERT).halted

    assert await world.stage.run_until(world.stage.all_ended, within_s=30)
    assert {o.id: o.status for o in await world.stage.stored()} == {
        signed.order.id: S.CONFIRMED, resting.order.id: S.CANCELLED,
    }  # fmt: skip
    told = [(event.order_id, event.status) for event in world.desk.told]
    assert (resting.order.id, S.CANCELLED) in told
    assert [act["action"] for act in await world.acts()] == ["trading.halted"]


async def test_that_a_stop_is_lifted_by_permission_proof_and_phrase_together(
    world: World,
) -> None:
    await world.halt(ADMIN)
    phrase = (await world.get(TRADER, "/api/trading")).body["deskPhrase"]
    assert phrase == "resume trading on localnet"
    assert (await world.resume(TRADER, confirm=phrase)).status == 403
    assert (await world.resume(ADMIN, confirm=phrase)).code == "proof.needed"
    for wrong in ("", "yes", phrase.upper(), f"{phrase} "):
        assert (await world.resume(PROVEN, confirm=wrong)).code == "trading.unconfirmed"
    assert world.book.of(ANNA).halted
    lifted = await world.resume(PROVEN, confirm=phrase)
    assert (lifted.status, lifted.body["trading"]) == (200, True)
    assert not world.book.of(ANNA).halted
    again = await world.resume(PROVEN, confirm=phrase)
    assert (again.status, again.code) == (409, "trading.not_halted")
    assert [a["action"] for a in await world.acts()] == ["trading.halted", "trading.resumed"]


async def test_that_an_account_is_stopped_and_let_on_by_itself(world: World) -> None:
    done = await world.halt(TRADER, "all", account=str(ANNA))
    assert done.status == 200
    assert world.book.of(ANNA).halted
    assert not world.book.of(BERT).halted
    seen = (await world.get(PROVEN, f"/api/trading?account={ANNA}")).body
    assert (seen["trading"], seen["desk"]) == (False, None)
    wrong = await world.resume(PROVEN, confirm=seen["deskPhrase"], account=str(ANNA))
    assert wrong.code == "trading.unconfirmed"
    await world.resume(PROVEN, confirm=seen["accountPhrase"], account=str(ANNA))
    assert not world.book.of(ANNA).halted


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "some"},
        {"scope": "new", "reason": ""},
        {"scope": "new", "reason": "x" * 201},
        {"scope": "new", "reason": "zero \0 bytes"},
        {"scope": "new", "more": 1},
    ],
)
async def test_that_an_unclear_stop_is_refused(world: World, body: dict[str, object]) -> None:
    answer = await world.halt(TRADER, **{"reason": "a drill", **body})  # type: ignore[arg-type]
    assert answer.status == 400
    assert not world.book.of(ANNA).halted


async def test_that_a_viewer_can_neither_stop_nor_lift_nor_raise(world: World) -> None:
    viewer = session(ANNA, Role.VIEWER, proven=True)
    assert Permission.ACCOUNT_WRITE in viewer.may
    assert (await world.halt(viewer)).status == 403
    assert (await world.resume(viewer, confirm="resume trading on localnet")).status == 403
    assert (await world.put(viewer, open_orders_max=1)).status == 403
    assert (await world.get(viewer, "/api/trading")).body["trading"] is True
