"""Markets drawn by chance: pools of every shape around a price, for tests and benches of routing.

Chance is a function that returns numbers in [0, 1), so that whoever seeds it gets the same again.
"""

from collections.abc import Callable
from decimal import Decimal
from math import sqrt
from typing import Final

from quantdesk.testing.pools import ONE, Bins, Product, Ranges, about
from quantdesk.venues.port import About, Pool

Chance = Callable[[], float]

FEES_PPM: Final = (100, 400, 500, 1_000, 2_500, 3_000, 10_000)
VENUES: Final = ("raydium", "meteora", "orca")
_WIDTH: Final = 0.0006  # of the narrowest range, as part of its root
_EMPTY: Final = 0.1  # of all ranges and bins


def pools(
    chance: Chance, count: int, mints: tuple[str, str], price: float, *, steps: int = 24
) -> list[Pool]:
    """Return pools that trade near a price (second token per first, in base units).

    They hold 10^11 to 10^14 base units of the first token each; `steps` is how many ranges or bins
    lie on either side.
    """
    drawn: list[Pool] = []
    for number in range(count):
        size = 10 ** (11 + 3 * chance())
        near = price * (1 + 0.002 * (chance() - 0.5))
        what = about(
            f"{mints[0]}{mints[1]}{number}",
            mints,
            Decimal(near),
            venue=VENUES[int(chance() * len(VENUES))],
        )
        kind = int(chance() * 3)
        if kind:
            drawn.append((_ranges, _bins)[kind - 1](chance, what, size, steps))
        else:
            drawn.append(_product(chance, what, size))
    return drawn


def _fee(chance: Chance) -> int:
    return FEES_PPM[int(chance() * len(FEES_PPM))]


def _product(chance: Chance, what: About, size: float) -> Pool:
    return Product(what, (int(size), int(size * float(what.spot))), _fee(chance))


def _ranges(chance: Chance, what: About, size: float, steps: int) -> Pool:
    root, step = sqrt(float(what.spot)), 1 + _WIDTH * (1 + 9 * chance())
    roots = [int(root * step ** (at - 0.5 - chance() / 3) * ONE) for at in range(-steps, steps)]
    liquidity = _held(chance, len(roots) - 1, size * root / 20)
    return Ranges(what, int(root * ONE), tuple(roots), liquidity, _fee(chance))


def _bins(chance: Chance, what: About, size: float, steps: int) -> Pool:
    price, step = float(what.spot), 1 + (5 + 20 * chance()) / 10_000
    prices = [price * step ** (at + 0.5) for at in range(-steps, steps)]
    first = _held(chance, 2 * steps, size / 100)
    held = [
        int(h * p) if at < steps else h for at, (h, p) in enumerate(zip(first, prices, strict=True))
    ]
    return Bins(what, tuple(int(p * ONE) for p in prices), tuple(held), steps, _fee(chance))


def _held(chance: Chance, count: int, size: float) -> tuple[int, ...]:
    """Return what stands at each step, now and then nothing."""
    return tuple(
        int(size * (0.2 + 1.6 * chance())) if chance() > _EMPTY else 0 for _ in range(count)
    )
