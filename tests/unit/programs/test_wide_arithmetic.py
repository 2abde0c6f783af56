"""The C library's wide arithmetic is that of the integers: the same C, run on this machine."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import many

from sbpf.build import ROOT, zig

pytest.importorskip("ziglang", reason="the C compiler of the programs comes with the dev extra")

_SOURCE: Final = """
#include "wide.h"
static u128 wide(const u64 *half) { return (u128)half[1] << 64 | half[0]; }
static void put(u64 *half, u128 value) { half[0] = low_half(value); half[1] = high_half(value); }

void product(const u64 *a, const u64 *b, u64 *out) { put(out, multiply_u64(*a, *b)); }
void product_wide(const u64 *a, const u64 *b, u64 *out) {
    u256 all;
    multiply_u128(wide(a), wide(b), &all);
    for (int i = 0; i < 4; i++) out[i] = all.limb[i];
}
int divide(const u64 *a, const u64 *b, u64 *out) {
    u128 quotient = 0, remainder = 0;
    int fits = divide_u128(wide(a), wide(b), &quotient, &remainder);
    put(out, quotient);
    put(out + 2, remainder);
    return fits;
}
int divide_wide(const u64 *a, const u64 *b, u64 *out) {
    u128 quotient = 0, remainder = 0;
    u256 all = {{a[0], a[1], a[2], a[3]}};
    int fits = divide_u256(&all, wide(b), &quotient, &remainder);
    put(out, quotient);
    put(out + 2, remainder);
    return fits;
}
int shift(const u64 *a, const u64 *b, u64 *out) {
    u128 result;
    u256 all = {{a[0], a[1], a[2], a[3]}};
    int fits = shift_right_u256(&all, (u32)*b, &result);
    put(out, result);
    return fits;
}
int floor_of(const u64 *a, const u64 *b, u64 *out) {
    u128 result = 0;
    int fits = multiply_divide_floor(a[0], a[1], wide(b), &result);
    put(out, result);
    return fits;
}
int ceil_of(const u64 *a, const u64 *b, u64 *out) {
    u128 result = 0;
    int fits = multiply_divide_ceil(a[0], a[1], wide(b), &result);
    put(out, result);
    return fits;
}
int sum(const u64 *a, const u64 *b, u64 *out) { return add_u64(*a, *b, out); }
int narrow(const u64 *a, const u64 *b, u64 *out) { (void)b; return to_u64(wide(a), out); }
"""

_LIMB: Final = 64
_EDGES: Final = st.sampled_from([0, 1, 2, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 64) - 1])
_HALF: Final = _EDGES | st.integers(0, (1 << 64) - 1)
_WIDE: Final = st.builds(lambda low, high: high << _LIMB | low, _HALF, _HALF)
_WIDEST: Final = st.builds(lambda low, high: high << 128 | low, _WIDE, _WIDE)

Call = Callable[[str, int, int], tuple[bool, int]]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    folder = tmp_path_factory.mktemp("wide")
    (folder / "wide_host.c").write_text(_SOURCE)
    include = str(ROOT / "programs" / "lib")
    flags = ("-O2", "-shared", "-fPIC", "-nostdlib", "-I", include)
    zig(*flags, "wide_host.c", "-o", "wide_host.so", cwd=folder)
    library = ctypes.CDLL(str(Path(folder) / "wide_host.so"))

    def run(name: str, first: int, second: int) -> tuple[bool, int]:
        out = (ctypes.c_uint64 * 4)()
        arguments = [(ctypes.c_uint64 * 4)(*_limbs(number)) for number in (first, second)]
        fits = getattr(library, name)(*arguments, out)
        return bool(fits & 1), sum(limb << _LIMB * i for i, limb in enumerate(out))

    return run


def _limbs(number: int) -> list[int]:
    return [number >> _LIMB * i & ((1 << _LIMB) - 1) for i in range(4)]


@given(_HALF, _HALF)
def test_that_64_bits_multiply_to_128(call: Call, a: int, b: int) -> None:
    assert call("product", a, b)[1] == a * b


@given(_WIDE, _WIDE)
def test_that_128_bits_multiply_to_256(call: Call, a: int, b: int) -> None:
    assert call("product_wide", a, b)[1] == a * b


@settings(max_examples=many(4))
@given(_WIDE, _WIDE | _HALF)
def test_that_128_bits_divide(call: Call, a: int, b: int) -> None:
    fits, both = call("divide", a, b)
    assert fits == (b != 0)
    if fits:
        assert (both & ((1 << 128) - 1), both >> 128) == divmod(a, b)


@settings(max_examples=many(4))
@given(_WIDEST | _WIDE, _WIDE | _HALF)
def test_that_256_bits_divide_while_the_quotient_fits(call: Call, a: int, b: int) -> None:
    fits, both = call("divide_wide", a, b)
    assert fits == (b != 0 and a // b < 1 << 128)
    if fits:
        assert (both & ((1 << 128) - 1), both >> 128) == divmod(a, b)


@given(_WIDEST, st.integers(0, 255))
def test_that_256_bits_shift_down(call: Call, a: int, bits: int) -> None:
    fits, result = call("shift", a, bits)
    assert fits == (a >> bits < 1 << 128)
    assert result == (a >> bits) % (1 << 128)


@given(_HALF, _HALF, _WIDE | _HALF)
def test_that_a_product_is_divided_with_the_rounding_asked(
    call: Call, a: int, b: int, divisor: int
) -> None:
    both = b << _LIMB | a
    down, up = call("floor_of", both, divisor), call("ceil_of", both, divisor)
    if divisor == 0:
        assert not down[0]
        assert not up[0]
    else:
        assert down == (True, a * b // divisor)
        assert up == (True, -(-a * b // divisor))


@given(_HALF, _HALF)
def test_that_a_sum_past_64_bits_is_noticed(call: Call, a: int, b: int) -> None:
    assert call("sum", a, b) == (a + b < 1 << 64, (a + b) % (1 << 64))


@given(_WIDE)
def test_that_a_number_past_64_bits_is_noticed(call: Call, a: int) -> None:
    assert call("narrow", a, 0) == (a < 1 << 64, a % (1 << 64))
