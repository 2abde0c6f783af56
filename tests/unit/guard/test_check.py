"""Promise: no limit is broken by one unit, the first broken rule speaks, nobody else approves."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side, market
from quantdesk.core.validity import Validity
from quantdesk.guard.check import Approved, Facts, Intent, Limits, check, check_price

SOL = market("SOL-USDC")
INTENT = Intent(
    account_id=UUID(int=1), market=SOL, side=Side.SELL, base_raw=2 * 10**9, slippage_bps=50
)
FACTS = Facts(
    now_ms=0, base_usd=Decimal(100), price_age_ms=10_000, price_validity=Validity.STRAINED,
    prices=(), day_notional_usd=Decimal(50), open_orders=3, gives_raw=2 * 10**9, free_raw=2 * 10**9,
)  # fmt: skip
# Each row: code, the limit or fact at its last allowed value, and one step past it.
EDGES: list[tuple[str, str, object, object]] = [
    ("trading.halted", "halted", False, True),
    ("pair.not_allowed", "pairs", frozenset({"SOL-USDC"}), frozenset({"BTC-USDC"})),
    ("price.stale", "price_age_ms_max", 10_000, 9_999),
    ("limit.slippage", "slippage_bps_max", 50, 49),
    ("limit.order_notional", "order_notional_usd_max", Decimal(200), Decimal("199.99")),
    ("limit.day_notional", "day_notional_usd_max", Decimal(250), Decimal("249.99")),
    ("limit.open_orders", "open_orders_max", 4, 3),
]


def _check(limits: dict[str, Any], **facts: object) -> Approved:
    changed = msgspec.structs.replace(FACTS, **facts)
    return check(INTENT, limits=Limits(**limits), facts=changed, decision_id=UUID(int=2))


@pytest.mark.parametrize(("code", "name", "allowed", "past"), EDGES)
def test_that_each_limit_holds_to_the_unit(
    code: str, name: str, allowed: object, past: object
) -> None:
    assert _check({name: allowed}).notional_usd == 200
    with pytest.raises(DeskError) as broken:
        _check({name: past})
    assert broken.value.code == code
    assert isinstance(broken.value, Unavailable if code == "price.stale" else Refused)


def test_that_funds_suffice_to_the_base_unit() -> None:
    _check({}, free_raw=2 * 10**9)
    _check({}, free_raw=None)  # nothing settles, so nothing is needed
    with pytest.raises(Refused) as short:
        _check({}, free_raw=2 * 10**9 - 1)
    assert short.value.code == "funds.insufficient"
    assert "2 SOL" in short.value.detail


@pytest.mark.parametrize(
    ("validity", "code"),
    [
        (Validity.CORRUPT, "price.corrupt"),
        (Validity.TOO_VOLATILE, "price.volatile"),
        (Validity.DISAGREES, "price.disagreement"),
        (Validity.TOO_UNCERTAIN, "price.uncertain"),
        (Validity.STALE_FOR_MARGIN, "price.stale"),
        (Validity.CLOSED, "market.closed"),
        (Validity.QUARANTINED, "price.unconfirmed"),
        (Validity.STALE, "price.stale"),
        (Validity.STRAINED, None),
        (Validity.VALID, None),
    ],
)
def test_that_an_order_goes_by_no_unfit_price(validity: Validity, code: str | None) -> None:
    if code is None:
        assert _check({}, price_validity=validity).record()["priceValidity"] == validity.name
        return
    with pytest.raises(Unavailable) as unfit:
        _check({}, price_validity=validity)
    assert unfit.value.code == code


def test_that_rules_are_asked_in_their_order() -> None:
    past = {name: value for _, name, _, value in EDGES}
    for code, name, allowed, _ in EDGES:
        with pytest.raises(DeskError) as first:
            _check(past, free_raw=0)
        assert first.value.code == code
        past[name] = allowed
    with pytest.raises(Refused) as last:
        _check(past, free_raw=0)
    assert last.value.code == "funds.insufficient"


@pytest.mark.parametrize("seal", [None, object(), True])
def test_that_nobody_else_makes_an_approval(seal: object) -> None:
    with pytest.raises(AssertionError):
        Approved(
            decision_id=UUID(int=2), intent=INTENT, facts=FACTS, notional_usd=Decimal(1), seal=seal
        )


def test_that_the_record_names_its_decision() -> None:
    record = _check({}).record()
    assert record["decisionId"] == str(UUID(int=2))
    assert (record["verdict"], record["notionalUsd"]) == ("APPROVED", Decimal(200))


@pytest.mark.parametrize("price", ["105", "95", "100"])
def test_that_a_price_at_the_band_passes_on_both_sides(price: str) -> None:
    check_price(Decimal(price), fair=Decimal(100), limits=Limits(price_band_bps_max=500))


@pytest.mark.parametrize("price", ["105.01", "94.99"])
def test_that_a_price_past_the_band_is_refused_on_both_sides(price: str) -> None:
    with pytest.raises(Refused) as far:
        check_price(Decimal(price), fair=Decimal(100), limits=Limits(price_band_bps_max=500))
    assert far.value.code == "price.band"
