"""The limits that may be edited while the desk runs: one table, and which of two is stricter. Pure.

Three sources bound an account: the settings (written down, or the mode's own), the desk and the
account. The strictest of them holds, name by name, so that no edit can ever loosen what another
source says. What is compared must be comparable: numbers bound from above, sets by what they hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import msgspec

from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS
from quantdesk.core.money import BPS
from quantdesk.guard.check import Limits

Value = Decimal | int | frozenset[str]
"""A bound: US dollars, a count, basis points, milliseconds, or the only pairs allowed."""

Values = Mapping[str, Value]
"""Bounds by name; a name that is not there is not bounded by this source."""

_USD_MAX: Final = Decimal(10) ** 15
_CENT: Final = Decimal("0.01")
_COUNT_MAX: Final = 1_000_000
_AGE_MS_MAX: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Editable:
    """How a limit is read from JSON, and whether an account may have one of its own.

    Routes are held against the desk's own price band: by then nobody asks whose order it is.
    """

    read: Callable[[str, object], Value]
    per_account: bool = True


def _usd(name: str, told: object) -> Value:
    if isinstance(told, str | int | Decimal) and not isinstance(told, bool):
        try:
            value = Decimal(told)
        except ArithmeticError:
            raise _wrong(name, "an amount of US dollars") from None
        if value.is_finite() and _CENT <= value <= _USD_MAX and value == round(value, 8):
            return value
    raise _wrong(name, f"an amount of US dollars from {_CENT} to {_USD_MAX:f}")


def _whole(least: int, most: int) -> Callable[[str, object], Value]:
    def read(name: str, told: object) -> Value:
        if isinstance(told, int) and not isinstance(told, bool) and least <= told <= most:
            return told
        raise _wrong(name, f"a whole number from {least} to {most}")

    return read


def _pairs(name: str, told: object) -> Value:
    if not isinstance(told, list | tuple | frozenset):
        raise _wrong(name, "a list of pairs")
    unknown = [str(pair)[:20] for pair in told if not isinstance(pair, str) or pair not in MARKETS]
    if unknown:
        raise _wrong(name, f"a list of {', '.join(sorted(MARKETS))}; {unknown[0]} is none of them")
    return frozenset(told)


EDITABLE: Final[Mapping[str, Editable]] = MappingProxyType(
    {
        "pairs": Editable(_pairs),
        "order_notional_usd_max": Editable(_usd),
        "day_notional_usd_max": Editable(_usd),
        "open_orders_max": Editable(_whole(1, _COUNT_MAX)),
        "slippage_bps_max": Editable(_whole(0, BPS)),
        "price_age_ms_max": Editable(_whole(1, _AGE_MS_MAX)),
        "price_band_bps_max": Editable(_whole(1, BPS), per_account=False),
    }
)


def read(name: str, told: object, *, of_account: bool) -> Value:
    """Return a limit from JSON.

    Raises `Refused` with its name: `limit.unknown`, `limit.invalid`.
    """
    known = EDITABLE.get(name)
    if known is None or (of_account and not known.per_account):
        whose = "an account's" if of_account else "the desk's"
        raise Refused(
            f"{name[:40]} is none of {whose} limits: {', '.join(_names(of_account=of_account))}",
            code="limit.unknown",
        )
    return known.read(name, told)


def written(value: Value) -> Any:  # noqa: ANN401 - JSON
    """Return a limit as JSON that `read` takes back: exact, and the same for the same limit."""
    if isinstance(value, frozenset):
        return sorted(value)
    return f"{value:f}" if isinstance(value, Decimal) else value


def stricter(one: Value | None, other: Value | None) -> Value | None:
    """Return the stricter of two bounds of the same name; None bounds nothing."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, frozenset):
        assert isinstance(other, frozenset), "one name, one kind"
        return one & other
    assert not isinstance(other, frozenset), "one name, one kind"
    return min(one, other)


def loosens(before: Value | None, after: Value | None) -> bool:
    """Return whether anything is allowed by `after` that `before` did not allow."""
    return stricter(before, after) != after


def effective(settings: Limits, *sources: Values) -> Limits:
    """Return what holds for whoever is bounded by all of these."""
    strictest: dict[str, Value | None] = {name: getattr(settings, name) for name in EDITABLE}
    for source in sources:
        for name, value in source.items():
            strictest[name] = stricter(strictest[name], value)
    return msgspec.structs.replace(settings, **strictest)


def source_of(name: str, limits: Limits, sources: Mapping[str, Value | None]) -> str | None:
    """Return which source says what holds; `combined` when only several of them together do."""
    holds = getattr(limits, name)
    if holds is None:
        return None
    return next((source for source, value in sources.items() if value == holds), "combined")


def _names(*, of_account: bool) -> list[str]:
    return [name for name, known in EDITABLE.items() if known.per_account or not of_account]


def _wrong(name: str, wanted: str) -> Refused:
    return Refused(f"{name} is {wanted}", code="limit.invalid")
