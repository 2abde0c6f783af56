"""The library's long division equals whole numbers in Python, at every edge of its digits.

The header is compiled for this machine, so that a hundred thousand cases take seconds.
"""

import ctypes
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from sbpf.build import ROOT, zig

_SOURCE: Final = """
#include "divide.h"
bool host_divide(const u256 *a, const u256 *b, u256 *quotient, u64 *is_rest) {
    bool rest = false, possible = divide_wide(a, b, quotient, &rest);
    *is_rest = rest;
    return possible;
}
bool host_round_up(const u256 *a, const u256 *b, u256 *quotient, u64 *unused) {
    (void)unused;
    return divide_rounded(a, b, true, quotient);
}
bool host_add(const u256 *a, const u256 *b, u256 *sum, u64 *unused) {
    (void)unused;
    return add_u256(a, b, sum);
}
bool host_subtract(const u256 *a, const u256 *b, u256 *difference, u64 *unused) {
    (void)unused;
    return subtract_u256(a, b, difference);
}
bool host_multiply(const u256 *a, const u256 *b, u256 *product, u64 *unused) {
    u128 first = narrow(a), second = narrow(b), result;
    (void)unused;
    bool fits = multiply_checked(&first, &second, &result);
    *product = widen(result);
    return fits;
}
"""
_CASES: Final = 30_000
_U128: Final = 1 << 128
_U256: Final = 1 << 256
_DIGITS: Final = (0, 1, 2, (1 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 2, (1 << 32) - 1)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("host")
    (folder / "host.c").write_text(_SOURCE)
    flags = ["-std=c11", "-O2", "-shared", "-fPIC", "-nostdlib", "-w"]
    includes = ["-I", str(ROOT / "programs" / "lib")]
    zig(*flags, *includes, "host.c", "-o", "host.so", cwd=Path(folder))
    library = ctypes.CDLL(str(folder / "host.so"))
    for name in ("divide", "round_up", "add", "subtract", "multiply"):
        getattr(library, f"host_{name}").restype = ctypes.c_bool
    return library


def _numbers(random_: random.Random) -> Iterator[int]:
    """Return numbers of up to 256 bits: half of them of digits at the edges, where guesses fail."""
    while True:
        count = random_.randrange(9)
        edge = random_.random() < 0.5
        digits = (
            random_.choice(_DIGITS) if edge else random_.getrandbits(32) for _ in range(count)
        )
        yield sum(digit << 32 * place for place, digit in enumerate(digits))


def _called(host: ctypes.CDLL, name: str, a: int, b: int) -> tuple[int | None, bool]:
    words = [
        (ctypes.c_uint64 * 4)(*(n >> 64 * i & ((1 << 64) - 1) for i in range(4))) for n in (a, b)
    ]
    out, flag = (ctypes.c_uint64 * 4)(), ctypes.c_uint64()
    possible = getattr(host, f"host_{name}")(*words, out, ctypes.byref(flag))
    result = sum(limb << 64 * i for i, limb in enumerate(out))
    return (result if possible else None), bool(flag.value)


def test_divides_any_by_any(host: ctypes.CDLL) -> None:
    numbers = _numbers(random.Random(1))
    for _ in range(_CASES):
        a, b = next(numbers), next(numbers)

        quotient, is_rest = _called(host, "divide", a, b)

        assert quotient == (a // b if b else None)
        assert is_rest == bool(b and a % b)


def test_divides_products_of_their_divisors(host: ctypes.CDLL) -> None:
    numbers = _numbers(random.Random(2))
    for _ in range(_CASES):
        b, quotient = next(numbers), next(numbers)
        for a in (b * quotient - 1, b * quotient, b * quotient + b - 1):
            if b and 0 <= a < _U256:
                assert _called(host, "divide", a, b)[0] == a // b
                up = -(-a // b)
                assert _called(host, "round_up", a, b)[0] == (up if up < _U256 else None)


def test_says_what_does_not_fit(host: ctypes.CDLL) -> None:
    numbers = _numbers(random.Random(3))
    for _ in range(_CASES):
        a, b = next(numbers), next(numbers)
        low, high = a % _U128, b % _U128

        assert _called(host, "add", a, b)[0] == (a + b if a + b < _U256 else None)
        assert _called(host, "subtract", a, b)[0] == (a - b if a >= b else None)
        assert _called(host, "multiply", low, high)[0] == (
            low * high if low * high < _U128 else None
        )
