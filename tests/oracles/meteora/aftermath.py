"""What a swap leaves in the accounts of a pool: the bytes the program must write.

Offsets follow from the layouts in quantdesk.venues.meteora.dlmm.layout.
"""

from collections.abc import Mapping

from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.swap import Fill, Step

_VOLATILITY, _ACTIVE_ID, _OWED_X, _OWED_Y = 40, 76, 216, 224
_AMOUNT_X, _AMOUNT_Y, _LIQUIDITY, _FEE_X, _FEE_Y = 0, 8, 32, 80, 96
_U128 = 1 << 128


def pair_after(data: bytes, fill: Fill, *, sell_x: bool) -> bytes:
    """Return the pair account after a swap."""
    pair = bytearray(data)
    volatility = fill.volatility
    for place, value in enumerate(
        (volatility.accumulator, volatility.reference, volatility.index_reference, 0)
    ):
        at = _VOLATILITY + 4 * place
        pair[at : at + 4] = value.to_bytes(4, "little", signed=place == 2)
    pair[56:64] = volatility.updated_s.to_bytes(8, "little")
    pair[_ACTIVE_ID : _ACTIVE_ID + 4] = fill.active_id.to_bytes(4, "little", signed=True)
    _add(pair, _OWED_X if _fee_in_x(fill, sell_x=sell_x) else _OWED_Y, fill.protocol_fee)
    return bytes(pair)


def arrays_after(arrays: Mapping[int, bytes], fill: Fill, *, sell_x: bool) -> dict[int, bytes]:
    """Return the bin array accounts after a swap."""
    after = {index: bytearray(data) for index, data in arrays.items()}
    for step in fill.steps:
        index = layout.array_index(step.bin_id)
        place = step.bin_id - index * layout.BINS_PER_ARRAY
        at = layout.BIN_ARRAY_HEAD.size + place * layout.BIN.size
        _trade(after[index], at, step, fill, sell_x=sell_x)
    return {index: bytes(data) for index, data in after.items()}


def _trade(array: bytearray, at: int, step: Step, fill: Fill, *, sell_x: bool) -> None:
    fee_in, fee_out = (step.fee, 0) if fill.fee_on_input else (0, step.fee)
    taken, given = (_AMOUNT_X, _AMOUNT_Y) if sell_x else (_AMOUNT_Y, _AMOUNT_X)
    _add(array, at + taken, step.amount_in - fee_in)
    _add(array, at + given, -(step.amount_out + fee_out + step.surplus))
    liquidity = int.from_bytes(array[at + _LIQUIDITY + 8 : at + _LIQUIDITY + 16], "little")
    if liquidity:
        growth = ((step.fee - step.protocol_fee) << 64) // liquidity
        _add(array, at + (_FEE_X if _fee_in_x(fill, sell_x=sell_x) else _FEE_Y), growth, size=16)


def _fee_in_x(fill: Fill, *, sell_x: bool) -> bool:
    return fill.fee_on_input is sell_x


def _add(data: bytearray, at: int, amount: int, *, size: int = 8) -> None:
    value = int.from_bytes(data[at : at + size], "little") + amount
    data[at : at + size] = (value % _U128).to_bytes(size, "little")
