"""Print the questions for the oracle: pools with their account bytes, and swaps to quote.

Run by `generate.cjs`; the same numbers come out every time.
"""

import base64
import json
import random
import sys
from dataclasses import asdict
from typing import Any

from tests.oracles.meteora.pools import UPDATED_S, Numbers, accounts, address, decoded

_SEED = 20_240_607
_CASES_PER_POOL = 32

_POOLS = (
    Numbers(seed=1, bin_step=10, active_id=-1610, below=200, above=200, bits=34),
    Numbers(seed=2, bin_step=10, active_id=6806, below=150, above=150, bits=36, gap=7),
    Numbers(seed=3, bin_step=1, active_id=-2, below=210, above=210, bits=38, filter_s=10,
            decay_s=120, control=2_000_000, accumulator_max=100_000),
    Numbers(seed=4, bin_step=10, active_id=3403, below=250, above=250, bits=33, hole=2),
    Numbers(seed=5, bin_step=25, active_id=0, below=90, above=90, bits=30, accumulator=120_000,
            reference=60_000, index_offset=9, control=30_000, accumulator_max=350_000),
    Numbers(seed=6, bin_step=100, active_id=69, below=80, above=80, bits=32, base_factor=8_000,
            control=7_500, accumulator_max=150_000, share=2_000),
    Numbers(seed=7, bin_step=100, active_id=-70, below=75, above=75, bits=20, base_power=1,
            control=500_000, accumulator_max=250_000, accumulator=250_000, reference=125_000),
    Numbers(seed=8, bin_step=4, active_id=-35_000, below=100, above=100, bits=40, share=2_500),
    Numbers(seed=9, bin_step=4, active_id=34_999, below=100, above=100, bits=40, gap=3),
    Numbers(seed=10, bin_step=10, active_id=-1, below=160, above=160, bits=33, only_y=1),
    Numbers(seed=11, bin_step=20, active_id=700, below=80, above=80, bits=31, orders=1),
    Numbers(seed=12, bin_step=50, active_id=-333, below=80, above=80, bits=36, orders=1, only_y=1,
            accumulator=77_000, reference=33_000, index_offset=-4),
    Numbers(seed=13, bin_step=400, active_id=140, below=60, above=60, bits=12, control=0),
    Numbers(seed=14, bin_step=10, active_id=20, below=20, above=20, bits=3),
    Numbers(seed=15, bin_step=1, active_id=30_000, below=300, above=300, bits=44, control=0),
    Numbers(seed=16, bin_step=80, active_id=1_000, below=70, above=70, bits=24, base_power=2,
            base_factor=900),
    Numbers(seed=17, bin_step=2, active_id=-7, below=0, above=200, bits=35),
    Numbers(seed=18, bin_step=10, active_id=-1610, below=360, above=360, bits=46, reduction=0),
)  # fmt: skip


def _asked(random_: random.Random, pool: Numbers) -> list[list[Any]]:
    """Return swaps as [exact in, sells X, amount, seconds since the last swap]."""
    arrays = decoded(pool).arrays.values()
    bins = [bin_ for array in arrays for bin_ in array.bins]
    total_x, total_y = sum(bin_.amount_x for bin_ in bins), sum(bin_.amount_y for bin_ in bins)
    times = (0, 1, pool.filter_s - 1, pool.filter_s, pool.decay_s - 1, pool.decay_s, 86_400)
    asked = []
    for number in range(_CASES_PER_POOL):
        exact_in, sell_x = number % 2 == 0, number % 4 < 2
        whole = max(total_x, total_y) if exact_in else (total_y if sell_x else total_x)
        if number % 8 == 7:
            amount = random_.randrange(1, 20)
        elif number % 16 == 14:
            amount = whole * 3
        else:
            amount = max(1, whole >> random_.randrange(1, 12)) + random_.randrange(1_000)
        asked.append([int(exact_in), int(sell_x), str(amount), random_.choice(times)])
    return asked


def main() -> None:
    """Print one JSON document."""
    random_ = random.Random(_SEED)
    document = {"updated_s": UPDATED_S, "pools": []}
    pools: list[dict[str, Any]] = []
    for pool in _POOLS:
        pair, arrays = accounts(pool)
        pools.append(
            {
                "numbers": {k: v for k, v in asdict(pool).items() if v != _default(k)},
                "address": address(pool)[0],
                "pair": base64.b64encode(pair).decode(),
                "arrays": [base64.b64encode(data).decode() for data in arrays.values()],
                "asked": _asked(random_, pool),
            }
        )
    json.dump(document | {"pools": pools}, sys.stdout)


def _default(field: str) -> object:
    return Numbers.__dataclass_fields__[field].default


if __name__ == "__main__":
    main()
