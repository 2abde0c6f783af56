"""Keccak-256 as Ethereum and Wormhole hash with; pure.

It is SHA-3 as submitted, with another padding than FIPS 202 settled on, so `hashlib.sha3_256` gives
other digests, and no library that the desk needs anyway has it. Rounds, rotations and constants:
https://keccak.team/keccak_specs_summary.html
"""

from struct import Struct
from typing import Final

_RATE: Final = 136  # bytes taken in between permutations: 1600 bits less twice 256
_LANES: Final = Struct("<25Q")
_MASK: Final = (1 << 64) - 1
_PAD_FIRST: Final = 0x01
_PAD_LAST: Final = 0x80


def _constants() -> tuple[int, ...]:
    """Return the 24 round constants: bits of a shift register, set at 2^j - 1."""
    state, rounds = 1, []
    for _ in range(24):
        constant = 0
        for j in range(7):
            if state & 1:
                constant |= 1 << ((1 << j) - 1)
            state <<= 1
            if state & 0x100:
                state ^= 0x171
        rounds.append(constant)
    return tuple(rounds)


def _moves() -> tuple[tuple[int, int, int], ...]:
    """Return where each lane comes from and how far it is turned: steps rho and pi at once.

    The i-th is for lane i of the result, lane x + 5 y of the state being that of column x, row y.
    """
    turned = [0] * 25
    x, y = 1, 0
    for t in range(24):
        turned[x + 5 * y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    found = {}
    for x in range(5):
        for y in range(5):
            lane = x + 5 * y
            found[y + 5 * ((2 * x + 3 * y) % 5)] = (lane, x, turned[lane])
    return tuple(found[lane] for lane in range(25))


_CONSTANTS: Final = _constants()
_MOVES: Final = tuple((lane, x, turn, 64 - turn) for lane, x, turn in _moves())
_ROWS: Final = range(0, 25, 5)


def keccak256(data: bytes) -> bytes:
    """Return the digest of `data`, 32 bytes."""
    padded = bytearray(data) + bytes(_RATE - len(data) % _RATE)
    padded[len(data)] = _PAD_FIRST
    padded[-1] |= _PAD_LAST
    lanes = [0] * 25
    for at in range(0, len(padded), _RATE):
        block = _LANES.unpack(bytes(padded[at : at + _RATE]) + bytes(_LANES.size - _RATE))
        lanes = _permuted([lane ^ taken for lane, taken in zip(lanes, block, strict=True)])
    return _LANES.pack(*lanes)[:32]


def _permuted(a: list[int]) -> list[int]:
    mask = _MASK
    for constant in _CONSTANTS:
        c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20]
        c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21]
        c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22]
        c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23]
        c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24]
        d = (
            c4 ^ (c1 << 1 & mask | c1 >> 63),
            c0 ^ (c2 << 1 & mask | c2 >> 63),
            c1 ^ (c3 << 1 & mask | c3 >> 63),
            c2 ^ (c4 << 1 & mask | c4 >> 63),
            c3 ^ (c0 << 1 & mask | c0 >> 63),
        )
        b = [
            ((lane := a[source] ^ d[x]) << left & mask) | lane >> right
            for source, x, left, right in _MOVES
        ]
        a = []
        for row in _ROWS:
            b0, b1, b2, b3, b4 = b[row : row + 5]
            a += (
                b0 ^ (~b1 & b2),
                b1 ^ (~b2 & b3),
                b2 ^ (~b3 & b4),
                b3 ^ (~b4 & b0),
                b4 ^ (~b0 & b1),
            )
        a[0] ^= constant
    return a
