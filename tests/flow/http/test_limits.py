"""A limit that is written down is enforced with its own code, or stops the start by its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.flow.process.running import PAPER, Process, desk, homes

SELL = {"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}  # about 150 USD
RESTING = {**SELL, "limitPrice": 1_000_000}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Give one home: a desk with other limits starts faster where a database is."""
    with homes() as folder:
        yield folder / "home"


@pytest.fixture
def limited(home: Path, request: pytest.FixtureRequest) -> Iterator[Process]:
    """Start a desk with the limits of a test's parameter."""
    flags = [flag for limit in request.param for flag in ("--set", limit)]
    with desk(home, *PAPER, *flags) as started:
        started.start()
        yield started


BOUNDS = (
    "guard.pairs=SOL-USDC,BTC-USDC",
    "guard.order_notional_usd_max=1000",
    "guard.day_notional_usd_max=1200",
    "guard.slippage_bps_max=100",
    "guard.open_orders_max=2",
)


@pytest.mark.parametrize("limited", [BOUNDS], indirect=True)
def test_enforces_each_limit(limited: Process) -> None:
    def refusal(**changes: object) -> tuple[int, str]:
        answer = limited.post({**SELL, **changes})
        return answer.status, answer.body["code"]

    assert refusal(pair="ETH-USDC") == (422, "pair.not_allowed")
    assert refusal(amount=100) == (422, "limit.order_notional")
    assert refusal(slippageBps=101) == (422, "limit.slippage")
    assert limited.post({**RESTING, "amount": 4}, key="first").status == 201
    assert refusal(amount=5) == (422, "limit.day_notional")
    assert limited.post(RESTING).status == 201
    assert refusal() == (422, "limit.open_orders")
    assert len(limited.orders()) == 2


@pytest.mark.parametrize("limited", [BOUNDS], indirect=True)
def test_replays_what_it_took_before_whatever_a_limit_says_now(limited: Process) -> None:
    replay = limited.post({**RESTING, "amount": 4}, key="first")

    assert replay.status == 200


@pytest.mark.parametrize(
    ("limited", "status", "code"),
    [
        (("guard.halted=true",), 422, "trading.halted"),
        (("guard.pairs=",), 422, "pair.not_allowed"),
        (("guard.price_age_ms_max=1",), 503, "price.stale"),
        (("orders.open_max=2",), 503, "orders.busy"),
    ],
    indirect=["limited"],
)
def test_refuses_by_the_code_of_what_is_set(limited: Process, status: int, code: str) -> None:
    # Two orders rest here since the test before: this home is full at two.
    before = len(limited.orders())

    answer = limited.post(SELL)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert answer.body["retryable"] is (status == 503)
    assert len(limited.orders()) == before


@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("guard.order_notional_max=5", "guard.order_notional_max"),
        ("guard.order_notional_usd_max=-5", "guard.order_notional_usd_max"),
    ],
)
def test_stops_the_start_by_the_name_of_a_setting_nobody_knows(
    home: Path, flag: str, named: str
) -> None:
    with desk(home.with_name("refused"), *PAPER, "--set", flag) as refused:
        refused.launch()

        assert refused.wait() == 1
        assert named in refused.said()
        assert not (refused.home / "desk.json").exists()
        refused.log.unlink()


def test_stops_the_start_by_a_name_in_the_file(home: Path) -> None:
    with desk(home.with_name("misspelled"), *PAPER) as refused:
        refused.home.mkdir()
        (refused.home / "quantdesk.toml").write_text("[guard]\norder_usd_max = 5\n")
        refused.launch()

        assert refused.wait() == 1
        assert "guard.order_usd_max" in refused.said()
