"""Print the questions for the oracle: pools with their account bytes and swaps, and rate limiters.

Run by `generate.cjs`; the same numbers come out every time.
"""

import base64
import json
import random
import sys
from dataclasses import asdict
from typing import Any

from tests.oracles.meteora_damm.pools import Numbers, pool

from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.curve import Range
from quantdesk.venues.meteora.damm_v2.fees import RATE_ONE, Fee, fee_of
from quantdesk.venues.meteora.damm_v2.layout import COMPOUNDING, FEE_IN_B, Pool, RateLimiter

_SEED = 20_250_811
_CASES_PER_POOL = 24
_U64 = 1 << 64
_TIMES = (0, 1, 59, 60, 61, 600, 3_599, 3_600, 3_601, 43_200, 86_400, 10_000_000)
"""Points of the pool's time after activation: around every step and end of the fees below."""

_LIMITER = ("limiter", 10_000_000, 10, 3_600, 5_000, 1 << 30)

_LIMITERS = (
    (10_000_000, 10, 5_000, 1 << 30),
    (100_000, 1, 9_900, 1_000_000),
    (25_000_000, 7, 1_003, 77_777_777),
    (10_000_000, 9_999, 9_900, 1 << 52),
    (10_000_000, 1, 9_900, 1 << 52),
    (7_654_321, 333, 7_777, 123_456_789_012),
    (100_000, 1, 2, 1),
    (50_000_000, 50, 500, 10**15),
)
"""Cliff, increment, highest fee and reference amount of rate limiters asked at every joint."""

_POOLS = (
    Numbers(seed=1),
    Numbers(seed=2, price_ppm=165_432_100, below_bps=500, above_bps=700, bits=52),
    Numbers(seed=3, fee_mode=FEE_IN_B, price_ppm=165, below_bps=3_000, above_bps=9_000),
    Numbers(seed=4, fee_mode=FEE_IN_B, price_ppm=3, bits=20),
    Numbers(seed=5, price_ppm=10**14, bits=60, below_bps=9_000, above_bps=30_000),
    Numbers(seed=6, bits=6, below_bps=5_000, above_bps=5_000),
    Numbers(seed=7, bits=30, below_bps=1, above_bps=1, fee=("time", 100_000)),
    Numbers(seed=8, bits=44, layout_version=0, fee_version=0),
    Numbers(seed=9, fee=("time", 500_000_000, False, 100, 60, 4_900_000)),
    Numbers(seed=10, fee=("time", 500_000_000, True, 120, 60, 265), fee_mode=FEE_IN_B),
    Numbers(seed=11, fee=("time", 990_000_000, True, 1_440, 1, 40), bits=50),
    Numbers(seed=12, fee=("time", 990_000_000, True, 1_440, 1, 40), fee_version=0),
    Numbers(seed=13, fee=("time", 50_000_000, False, 10, 3_600, 4_000_000), by_slot=True),
    Numbers(seed=14, fee=("time", 700_000_000, True, 65_535, 600, 3), by_slot=True),
    Numbers(seed=15, dynamic=(14_460_000, 956, 200_000), fee=("time", 10_000_000)),
    Numbers(seed=16, dynamic=(14_460_000, 1_913, 1_380_000), fee_mode=FEE_IN_B),
    Numbers(seed=17, dynamic=(16_777_215, 16_777_215, 16_777_215), below_bps=400, above_bps=400),
    Numbers(seed=18, dynamic=(14_460_000, 239, 14_460_000), fee_version=0, fee_mode=FEE_IN_B,
            fee=("time", 480_000_000)),
    Numbers(seed=19, dynamic=(100_000, 1, 1)),
    Numbers(seed=20, fee_mode=FEE_IN_B, fee=_LIMITER, bits=45),
    Numbers(seed=21, fee_mode=FEE_IN_B, fee=_LIMITER, bits=45, dynamic=(14_460_000, 956, 900_000)),
    Numbers(seed=22, fee_mode=FEE_IN_B, bits=50, price_ppm=250_000,
            fee=("limiter", 100_000, 1, 43_200, 9_900, 1_000_000)),
    Numbers(seed=23, fee_mode=FEE_IN_B, bits=50, by_slot=True,
            fee=("limiter", 25_000_000, 7, 600, 1_003, 77_777_777)),
    Numbers(seed=24, fee_mode=FEE_IN_B, fee=("limiter", 10_000_000)),
    Numbers(seed=25, fee_mode=FEE_IN_B, bits=58, fee=("limiter", 10_000_000, 9_999, 3_600, 9_900,
            1 << 52)),
    Numbers(seed=26, fee_mode=FEE_IN_B, bits=62, fee=("limiter", 10_000_000, 1, 3_600, 9_900,
            1 << 52)),
    Numbers(seed=27, fee=("price", 500_000_000, False, 100, 200, 86_399, 4_900_000),
            initial_bps=5_000),
    Numbers(seed=28, fee=("price", 400_000_000, True, 200, 50, 3_600, 150), initial_bps=7_777,
            fee_mode=FEE_IN_B),
    Numbers(seed=29, fee=("price", 400_000_000, True, 200, 50, 3_600, 150), initial_bps=12_000),
    Numbers(seed=30, fee=("price", 90_000_000, False, 8, 1_000, 60, 10_000_000), by_slot=True,
            initial_bps=100),
    Numbers(seed=31, fee_mode=COMPOUNDING, compounding_bps=5_000, bits=45),
    Numbers(seed=32, fee_mode=COMPOUNDING, compounding_bps=10_000, bits=54, price_ppm=165_000_000,
            dynamic=(14_460_000, 956, 700_000)),
    Numbers(seed=33, fee_mode=COMPOUNDING, compounding_bps=1, bits=8, price_ppm=40),
    Numbers(seed=34, fee_mode=COMPOUNDING, compounding_bps=2_500, bits=50,
            fee=("time", 990_000_000, False, 60, 60, 16_000_000)),
    Numbers(seed=35, protocol_percent=0, bits=33, below_bps=2_000),
    Numbers(seed=36, protocol_percent=50, bits=33, above_bps=2_000, fee_mode=FEE_IN_B),
)  # fmt: skip


def _asked(random_: random.Random, made: Pool) -> list[list[Any]]:
    """Return swaps as [exact in, pays A, amount, points of time since activation]."""
    spread = Range(made.liquidity, made.sqrt_price, made.sqrt_min, made.sqrt_max)
    compounds = made.fee_mode == layout.COMPOUNDING
    virtual = made.reserves if compounds else tuple(int(side) for side in spread.virtual())
    asked = []
    for number in range(_CASES_PER_POOL):
        exact_in, pays_a = number % 2 == 0, number % 4 < 2
        whole = virtual[0 if exact_in == pays_a else 1]
        if number % 12 in {4, 6, 9, 11}:
            amount = random_.randrange(1, 40)
        elif number % 24 in {12, 14, 13, 15}:
            amount = min(whole * 300, _U64 - 1 - random_.randrange(100))
        elif number in {20, 22} and not compounds:
            amount = spread.most_input(a_to_b=pays_a) + random_.randrange(-1, 2)
        else:
            amount = (whole >> random_.randrange(1, 14)) + random_.randrange(1_000)
        amount = min(max(1, amount), _U64 - 1)
        asked.append([int(exact_in), int(pays_a), str(amount), random_.choice(_TIMES)])
    return asked


def _asked_of(limiter: tuple[int, ...]) -> list[list[Any]]:
    """Return amounts as [fee in it, amount]: around the ends of stretches, and beyond."""
    cliff, increment_bps, max_bps, reference = limiter
    fee = Fee(0, 0, RATE_ONE, RateLimiter(cliff, increment_bps, 1, max_bps, reference))
    last = (max_bps * 100_000 - cliff) // (increment_bps * 100_000)
    joints = {stretch * reference for stretch in (1, 2, 3, last // 2 + 1, last, last + 1, last + 2)}
    wholes = [joint + by for joint in joints for by in (-1, 0, 1, reference // 2)]
    wholes += [reference // 3 + 1, max(joints) * 5 + 3, _U64 - 1]
    asked = []
    for whole in sorted(whole for whole in wholes if 0 < whole < _U64):
        rest = whole - fee_of(whole, fee.rate_of_whole(whole))
        asked.append([1, str(whole)])
        asked += [[0, str(rest + by)] for by in (-1, 0, 1) if rest + by > 0]
    return asked


def main() -> None:
    """Print one JSON document."""
    random_ = random.Random(_SEED)
    pools: list[dict[str, Any]] = []
    for given in _POOLS:
        made = pool(given)
        pools.append(
            {
                "numbers": {k: v for k, v in asdict(given).items() if v != _default(k)},
                "account": base64.b64encode(layout.encode_pool(made)).decode(),
                "asked": _asked(random_, made),
            }
        )
    limiters = [{"limiter": limiter, "asked": _asked_of(limiter)} for limiter in _LIMITERS]
    json.dump({"pools": pools, "limiters": limiters}, sys.stdout)


def _default(field: str) -> object:
    return Numbers.__dataclass_fields__[field].default


if __name__ == "__main__":
    main()
