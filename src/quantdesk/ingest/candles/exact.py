"""Decimal strings as integers of one scale, so that sums and products of them are exact and fast.

Pure. The scale is fine enough for 18 decimals, the most any token has.
"""

from decimal import Decimal, DecimalException, localcontext

from quantdesk.core.errors import Corrupt

DECIMALS = 18

_POWERS: tuple[int, ...] = tuple(10 ** (DECIMALS - decimals) for decimals in range(DECIMALS + 1))
_DIGITS = 100  # no number of a market is longer


def scaled(text: str) -> int:
    """Return a number times 10^18; raise `Corrupt` (`number.unreadable`) unless that is exact.

    Numbers below zero are refused too: there are none among prices and sizes.
    """
    whole, _, part = text.partition(".")
    try:
        number = int(whole + part) * _POWERS[len(part)]
    except (ValueError, IndexError):
        return _scaled_slowly(text)
    if number < 0:
        raise _unreadable(text)
    return number


def amount(text: str) -> int:
    """Return a number above zero times 10^18; raise `Corrupt` (`number.unreadable`)."""
    number = scaled(text)
    if not number:
        raise _unreadable(text)
    return number


def unscaled(number: int, decimals: int = DECIMALS) -> str:
    """Return a number times 10^-`decimals` as text without trailing zeros."""
    whole, part = divmod(number, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0") if part else str(whole)


def _scaled_slowly(text: str) -> int:
    with localcontext(prec=_DIGITS):
        try:
            exact = Decimal(text).scaleb(DECIMALS)
            number = int(exact) if exact.adjusted() < _DIGITS else -1
        except (DecimalException, ValueError, OverflowError):
            raise _unreadable(text) from None
        if number != exact or number < 0:
            raise _unreadable(text)
    return number


def _unreadable(text: str) -> Corrupt:
    return Corrupt(f"{text[:40]!r} is no amount", code="number.unreadable")
