"""The DLMM program's arithmetic equals whole numbers in Python, at every edge of its words.

The headers are compiled for this machine, so that hundreds of thousands of cases take seconds.
"""

import ctypes
import random
from pathlib import Path

import pytest

from sbpf.build import ROOT, zig

_U64_MAX = (1 << 64) - 1
_FEE_ONE = 1_000_000_000
_CASES = 20_000
_SOURCE = """
#include "fees.h"
bool host_share_floor(u64 a, u64 b, u64 d, u64 *out) { return share_floor(a, b, d, out); }
bool host_share_ceil(u64 a, u64 b, u64 d, u64 *out) { return share_ceil(a, b, d, out); }
bool host_cost(u64 amount, u64 low, u64 high, u64 sell_x, u64 *out) {
    Wide price = {low, high};
    return cost_of(amount, &price, sell_x, out);
}
bool host_worth(u64 amount, u64 low, u64 high, u64 sell_x, u64 *out) {
    Wide price = {low, high};
    return worth_of(amount, &price, sell_x, out);
}
u64 host_fee_rate(u32 factor, u32 power, u32 step, u32 control, u32 accumulator) {
    Pair pair = {0};
    pair.fees.base_factor = factor;
    pair.fees.base_fee_power = power;
    pair.bin_step = step;
    pair.fees.variable_fee_control = control;
    pair.volatility.accumulator = accumulator;
    return fee_rate(&pair);
}
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("host")
    (folder / "host.c").write_text(_SOURCE)
    programs = ROOT / "programs"
    flags = ["-std=c11", "-O2", "-shared", "-fPIC", "-nostdlib", "-w"]
    includes = ["-I", str(programs / "lib"), "-I", str(programs / "meteora_dlmm")]
    zig(*flags, *includes, "host.c", "-o", "host.so", cwd=Path(folder))
    library = ctypes.CDLL(str(folder / "host.so"))
    for name in ("share_floor", "share_ceil", "cost", "worth"):
        getattr(library, f"host_{name}").restype = ctypes.c_bool
    library.host_fee_rate.restype = ctypes.c_uint64
    return library


def _word(random_: random.Random) -> int:
    """Return a number of up to 64 bits, often at an edge."""
    shape = random_.randrange(4)
    if shape == 0:
        return random_.getrandbits(64)
    if shape == 1:
        return random_.getrandbits(random_.randrange(1, 65))
    edge = (1 << random_.randrange(65)) + random_.randrange(-2, 3)
    return min(max(edge, 0), _U64_MAX) if shape == 2 else _U64_MAX - random_.getrandbits(3)


def _called(host: ctypes.CDLL, name: str, *words: int) -> int | None:
    out = ctypes.c_uint64()
    fits = getattr(host, f"host_{name}")(*map(ctypes.c_uint64, words), ctypes.byref(out))
    return out.value if fits else None


def _fitting(number: int) -> int | None:
    return number if number <= _U64_MAX else None


def test_divides_products(host: ctypes.CDLL) -> None:
    random_ = random.Random(1)
    for _ in range(_CASES):
        a, b, divisor = _word(random_), _word(random_), _word(random_)
        floor = a * b // divisor if divisor else _U64_MAX + 1
        ceil = -(-a * b // divisor) if divisor else _U64_MAX + 1

        assert _called(host, "share_floor", a, b, divisor) == _fitting(floor)
        assert _called(host, "share_ceil", a, b, divisor) == _fitting(ceil), (a, b, divisor)


def test_multiplies_and_divides_by_prices(host: ctypes.CDLL) -> None:
    random_ = random.Random(2)
    for _ in range(_CASES):
        amount, low = _word(random_), _word(random_)
        high = _word(random_) if random_.random() < 0.5 else 0
        price = high << 64 | low
        if not price:
            continue
        product, quotient = amount * price, (amount << 64)

        assert _called(host, "cost", amount, low, high, 0) == _fitting(-(-product >> 64))
        assert _called(host, "worth", amount, low, high, 1) == _fitting(product >> 64)
        assert _called(host, "cost", amount, low, high, 1) == _fitting(-(-quotient // price))
        assert _called(host, "worth", amount, low, high, 0) == _fitting(quotient // price)


def test_adds_up_fee_rates(host: ctypes.CDLL) -> None:
    random_ = random.Random(3)
    for _ in range(_CASES):
        factor, step = random_.getrandbits(16), random_.randrange(1, 401)
        power = random_.choice([0, 0, 1, 2, 9, 255])
        control = random_.getrandbits(random_.randrange(33))
        accumulator = random_.getrandbits(random_.randrange(33))
        fixed = factor * step * 10 ** (power + 1)
        moving = -(-control * (accumulator * step) ** 2 // 10**11)

        rate = host.host_fee_rate(
            *map(ctypes.c_uint32, (factor, power, step, control, accumulator))
        )

        assert rate == min(fixed + moving, _FEE_ONE // 10)
