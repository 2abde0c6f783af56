"""Money: integers in base units on the inside, exact decimals at the edge, never floats."""

from decimal import Decimal, localcontext

from quantdesk.core.errors import Refused

BPS = 10_000
"""Basis points in one."""

_ONE = Decimal(1)
_DIGITS = 60  # u64 amounts times u64 prices, with room for 18 more decimals


def to_raw(amount: Decimal, decimals: int) -> int:
    """Return `amount` in base units (10^-decimals).

    Raises `Refused` (`amount.precision`) when the amount is finer than one base unit.
    """
    with localcontext(prec=_DIGITS):
        scaled = amount.scaleb(decimals)
        raw = int(scaled)
        if raw != scaled:
            raise Refused(
                f"{_shown(amount)} is finer than the {decimals} decimals of this token",
                code="amount.precision",
            )
    return raw


def _shown(amount: Decimal) -> str:
    """Return a fraction as people write it, unless it has more digits than anybody reads."""
    exponent = amount.as_tuple().exponent
    is_short = isinstance(exponent, int) and exponent >= -_DIGITS
    return f"{amount:f}" if is_short else f"{amount:.2e}"


def from_raw(raw: int, decimals: int) -> Decimal:
    """Return base units as an exact decimal without trailing zeros; `raw` holds at most 28 digits.

    Money on Solana is a u64, which has 20.
    """
    exact = Decimal(raw).scaleb(-decimals).normalize()
    return exact.quantize(_ONE) if exact == exact.to_integral_value() else exact


def written(raw: int, decimals: int) -> str:
    """Return base units as an exact decimal string without trailing zeros."""
    assert raw >= 0, "amounts are not negative"
    whole, part = divmod(raw, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0") if part else str(whole)


def ceil_div(numerator: int, denominator: int) -> int:
    """Return the quotient rounded up; both must be positive or zero over positive."""
    return -(-numerator // denominator)


def share_bps(part: int, whole: int) -> int:
    """Return `part` of `whole` in basis points, rounded down."""
    return part * BPS // whole
