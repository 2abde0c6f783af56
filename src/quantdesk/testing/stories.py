"""The stories the kill sweep tells: each is one way in which an order's life goes."""

from decimal import Decimal
from typing import Final

from quantdesk.core.markets import Side
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.testing.chain import Plan
from quantdesk.testing.stage import START_MS, Stage, Wish
from quantdesk.testing.sweep import Scenario

S = OrderStatus
_LIMIT: Final = Decimal(99)


def _answers_lost(stage: Stage) -> None:
    stage.chain.fail("prepare", times=1)
    stage.chain.fail("send", times=2, after=True)
    stage.chain.fail("look", times=18)
    stage.chain.fail("receipt", times=2)


STORIES: Final = (
    Scenario(name="happy"),
    Scenario(name="sell", wishes=(Wish(side=Side.SELL, slippage_bps=100),),
             plans={1: Plan(worse_bps=60)}),
    Scenario(name="slippage, then filled", plans={1: Plan(worse_bps=80)}),
    Scenario(name="dead, then filled", plans={1: Plan(lands_after_s=None)}),
    Scenario(name="lands late", plans={1: Plan(lands_after_s=3.5)}),
    Scenario(name="lands after a re-send", plans={1: Plan(sends=2)}),
    Scenario(name="rolled back, lands again",
             plans={1: Plan(undone_after_s=0.9, again_after_s=0.8)}),
    Scenario(name="rolled back, needs a re-send", plans={1: Plan(undone_after_s=0.9)}),
    Scenario(name="answers lost", before=_answers_lost),
    Scenario(name="three times dead", plans={n: Plan(lands_after_s=None) for n in (1, 2, 3)},
             ends=frozenset({S.FAILED})),
    Scenario(name="reverted for good",
             plans={n: Plan(reverts="funds.insufficient") for n in (1, 2, 3)},
             ends=frozenset({S.FAILED})),
    Scenario(name="limit met", wishes=(Wish(limit_price=_LIMIT),),
             prices=((0.0, Decimal(100)), (2.0, Decimal(98)))),
    Scenario(name="cancelled while resting", wishes=(Wish(limit_price=_LIMIT, key="k"),),
             cancels_after_s=1.0, ends=frozenset({S.CANCELLED})),
    Scenario(name="cancelled at once", wishes=(Wish(), Wish(), Wish()), cancels_after_s=0.0,
             ends=frozenset({S.CANCELLED, S.CONFIRMED})),
    Scenario(name="five at once", wishes=tuple(Wish(base_raw=10**9 + 10_000 * n) for n in range(5)),
             plans={1: Plan(worse_bps=80)}),
    Scenario(name="one key, three times", wishes=(Wish(key="once"),) * 3, orders_max=1),
)  # fmt: skip
"""Every scenario ends as told wherever the desk is cut, but for orders nobody was told of."""

__all__ = ["START_MS", "STORIES"]
