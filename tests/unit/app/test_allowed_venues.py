"""A venue that is not written down is not traded at; one that nobody knows stops the start."""

from dataclasses import replace

import pytest

from quantdesk.app.bounds import allowed
from quantdesk.chains.paper import Paper as PaperChain
from quantdesk.chains.port import Wallet
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.floor import Floor
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


def test_a_rivals_venues_count_and_its_floor_stays_without_them() -> None:
    rival = replace(FLOOR, name="binance", routing=Routing((Pools("binance", []),)))
    joined = replace(FLOOR, rivals={"binance": rival})

    def venues(*names: str) -> dict[str, list[str]]:
        floor = allowed(joined, Settings(guard=GuardSettings(venues=names)))
        floors = {"pools": floor, **floor.rivals}
        return {name: [v.name for v in one.routing.venues] for name, one in floors.items()}

    assert venues("binance") == {"pools": [], "binance": ["binance"]}
    assert venues("raydium") == {"pools": ["raydium"], "binance": []}
