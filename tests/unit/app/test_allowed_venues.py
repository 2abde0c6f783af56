"""A venue that is not written down is not traded at; one that nobody knows stops the start."""

import pytest

from quantdesk.app.desk import allowed
from quantdesk.chains.paper import Paper as PaperChain
from quantdesk.chains.port import Wallet
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.execution import Floor
from quantdesk.engines.orders.routing import Routing
from quantdesk.settings import GuardSettings, Settings
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.following import Pools

FLOOR = Floor(
    chain=PaperChain(clock=ManualClock(now_ms=0), latency_ms=0, book={}),
    routing=Routing((Pools("raydium", []), Pools("meteora", []))),
    wallet=Wallet("nobody", {}),
    check_price=lambda _market, _price: None,
    network_fee_lamports=0,
)


def left(**guard: tuple[str, ...]) -> list[str]:
    floor = allowed(FLOOR, Settings(guard=GuardSettings.model_validate(guard)))
    return [venue.name for venue in floor.routing.venues]


def test_trades_everywhere_when_nothing_is_written_down() -> None:
    assert left() == ["raydium", "meteora"]


def test_trades_only_where_it_may() -> None:
    assert left(venues=("meteora",)) == ["meteora"]


@pytest.mark.parametrize("guard", [{"venues": ("orca",)}, {"pairs": ("SOL-EUR",)}])
def test_refuses_a_name_that_nobody_knows(guard: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(Refused, match=next(iter(guard))) as refused:
        left(**guard)
    assert refused.value.code == "settings.invalid"
