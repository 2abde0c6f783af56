"""One DLMM pool: what is known of it, and the snapshots the router works with.

The pair account names everything else: the mints of Token-2022 tokens, whose transfers may pay a
fee, and its bin arrays. Of the bin arrays the nearest filled ones are followed,
`ARRAYS_EACH_SIDE` in each direction from the active bin; the set moves with it. An account that
leaves the set is forgotten: its state would be stale when it returns.

Pair and bin arrays of one slot arrive one after the other, so a snapshot may for a moment mix two
states: the limit the swap carries on chain covers that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final, Generic, TypeVar

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.curves import Drawn, falling
from quantdesk.venues.meteora.dlmm import instructions, layout
from quantdesk.venues.meteora.dlmm import swap as bins
from quantdesk.venues.meteora.dlmm.layout import BinArray, Extension, Pair
from quantdesk.venues.mints import NO_FEES, Fees, Mints
from quantdesk.venues.port import About, Fill, Piece, Swap
from quantdesk.venues.reading import owned
from quantdesk.venues.transfers import Transfers

ARRAYS_EACH_SIDE: Final = 4
"""Filled bin arrays followed in each direction; each holds 70 bins."""

_COMPUTE_UNITS: Final = 60_000
_BINS: Final = 3  # that give something, which those are enough for
# Measured with a real program: 36,000 and 5,200 for each bin, or 7,100 where it has limit orders.
_BIN_UNITS, _ORDERS_BIN_UNITS = 5_200, 7_100
_MS: Final = 1_000
_ONE: Final = Decimal(bins.ONE)

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class DlmmPool:
    """A DLMM pool as of a slot, its fees as of `now_s`; `arrays` by direction, nearest first.

    `transfer_fees` are what transfers of tokens (X, Y) pay.
    """

    about: About
    pool: bins.Pool
    now_s: int
    extension: str | None
    arrays: tuple[tuple[int, ...], tuple[int, ...]]
    transfer_fees: Fees = NO_FEES

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return a flat piece per bin, at the fee it would charge, as far as arrays are known.

        Bins whose fee falls faster than their price are one piece at their average, and so are
        those around where a transfer fee reaches its most.
        """
        sell_x = self._sell_x(paid)
        loose = bins.cheapening(self.pool.pair, sell_x=sell_x, now_s=self.now_s)

        def draw() -> Iterator[Piece]:
            levels = bins.levels(self.pool, sell_x=sell_x, now_s=self.now_s)
            return falling(levels, loose=loose)

        return self._transfers(sell_x=sell_x).curve(Drawn(draw))

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid.

        Raises as `swap.swap_exact_in` and `Transfers.exact_in`.
        """
        sell_x = self._sell_x(paid)

        def quote(arrived: int) -> Fill:
            fill = bins.swap_exact_in(self.pool, arrived, sell_x=sell_x, now_s=self.now_s)
            if not fill.amount_out:
                raise Refused("the amount is too small to bring anything", code="amount.too_small")
            return _fill(fill, limit_orders=self.pool.pair.limit_orders)

        return self._transfers(sell_x=sell_x).exact_in(amount, quote)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings exactly `amount`.

        Raises as `swap.swap_exact_out` and `Transfers.exact_out`.
        """
        sell_x = self._sell_x(paid)

        def quote(sent: int) -> Fill:
            fill = bins.swap_exact_out(self.pool, sent, sell_x=sell_x, now_s=self.now_s)
            return _fill(fill, limit_orders=self.pool.pair.limit_orders)

        return self._transfers(sell_x=sell_x).exact_out(amount, quote)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the swap, with the bin arrays it crosses as of now, one beyond and one behind.

        Those two are there in case the price moves first. More would be safer still, and leave
        other pools less room: a transaction may lock so many accounts and no more.
        """
        trade = instructions.Trade(
            address=self.about.address,
            pair=self.pool.pair,
            extension=self.extension,
            arrays=self._crossed(swap),
            owner=swap.owner,
            paid_from=swap.paid_from,
            received_in=swap.received_in,
        )
        if swap.exact_in:
            return instructions.swap_exact_in(trade, swap.amount, swap.limit)
        return instructions.swap_exact_out(trade, swap.amount, swap.limit)

    def _sell_x(self, paid: str) -> bool:
        assert paid in self.about.mints
        return paid == self.pool.pair.mint_x

    def _crossed(self, wanted: Swap) -> tuple[int, ...]:
        sell_x = self._sell_x(wanted.paid)
        behind, ahead = self.arrays if sell_x else self.arrays[::-1]
        try:
            last = layout.array_index(self._filled(wanted, sell_x=sell_x).active_id)
        except DeskError:  # the market has moved on from what was quoted: take all there are
            crossed = len(ahead)
        else:
            crossed = ahead.index(last) + 1
        own = layout.array_index(self.pool.pair.active_id)
        return (*ahead[: crossed + 1], *[index for index in behind if index != own][:1])

    def _filled(self, wanted: Swap, *, sell_x: bool) -> bins.Fill:
        transfers = self._transfers(sell_x=sell_x)
        if wanted.exact_in:
            arrived = transfers.paid.after(wanted.amount)
            return bins.swap_exact_in(self.pool, arrived, sell_x=sell_x, now_s=self.now_s)
        sent = transfers.received.before(wanted.amount)
        return bins.swap_exact_out(self.pool, sent, sell_x=sell_x, now_s=self.now_s)

    def _transfers(self, *, sell_x: bool) -> Transfers:
        return Transfers(*(self.transfer_fees if sell_x else self.transfer_fees[::-1]))


@dataclass(slots=True)
class _Seen(Generic[State]):
    """The latest state of an account; `state` is None while it is absent, unreadable or unread."""

    state: State | None = None
    slot: int = 0
    seen_ms: int = 0
    absent: bool = False

    def clear(self, account: AccountState, seen_ms: int) -> None:
        """Forget the state: a newer one is about to be read."""
        self.state, self.absent = None, not account.data
        self.slot, self.seen_ms = account.slot, seen_ms


class DlmmFollowed:
    """What is known of one DLMM pool."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._pair: _Seen[Pair] = _Seen()
        self._extension: _Seen[Extension] | None = None
        self._arrays: dict[int, _Seen[BinArray]] = {}
        self._array_at: dict[str, int] = {}
        self._mints = Mints(address)
        self._slot = 0
        self._made: DlmmPool | None = None

    @property
    def mints(self) -> frozenset[str]:
        """Return the tokens it trades; none while it has not been read."""
        pair = self._pair.state
        return frozenset((pair.mint_x, pair.mint_y)) if pair else frozenset()

    def accounts(self) -> tuple[str, ...]:
        """Return the pair, and the mints, bin arrays and bitmap extension it now needs."""
        extension = (layout.extension_address(self.address),) if self._extension else ()
        return (self.address, *self._mints.addresses, *extension, *self._array_at)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in the state of one of them; raise `Corrupt` when it is not what it should be.

        Bin arrays and extension may be missing: not every pair has them.
        """
        self._slot = max(self._slot, state.slot)
        if self._mints.update(state):
            return  # a mint changes with every issue: what matters of it is in its fee
        self._made = None
        if state.address == self.address:
            self._pair.clear(state, seen_ms)
            self._pair.state = layout.decode_pair(_data(state))
            self._follow(self._pair.state)
        elif state.address in self._array_at:
            index = self._array_at[state.address]
            self._arrays[index].clear(state, seen_ms)
            if state.data:
                self._arrays[index].state = self._array(index, _data(state))
        elif self._extension:
            self._extension.clear(state, seen_ms)
            if state.data:
                self._extension.state = self._bitmap(_data(state))
            if self._pair.state:
                self._follow(self._pair.state)

    def snapshot(self, *, now_ms: int) -> DlmmPool:
        """Return the pool as it stands, the same one until something or the second changes.

        Raises `Unavailable` (`pool.gone`, `pool.disabled`, `pool.not_open`, or `pool.incomplete`
        while a mint, the bin arrays next to the price or the bitmap extension are unread or
        unreadable) or `Refused` (`pool.unsupported`, `decimals.mismatch`, `bin.unrepresentable`).
        """
        now_s = now_ms // _MS
        made, fees = self._made, self._mints.fees() if self._pair.state else NO_FEES
        if made is None or (made.now_s, made.transfer_fees) != (now_s, fees):
            self._made = made = self._snapshot(now_s, fees)
        return made

    def _snapshot(self, now_s: int, fees: Fees) -> DlmmPool:
        pair = self._pair.state
        if pair is None:
            raise Unavailable(f"Meteora pool {self.address} is not readable", code="pool.gone")
        bins.check_open(pair, now_s=now_s, slot=self._slot)
        known = {i: seen.state for i, seen in self._arrays.items() if seen.state is not None}
        bitmap = self._extension.state if self._extension else None
        arrays = (self._nearest(pair, 1), self._nearest(pair, -1))
        unread = self._extension and bitmap is None and not self._extension.absent
        if unread or any(way[0] not in known for way in arrays if way):
            raise Unavailable(f"pool {self.address} is not all read", code="pool.incomplete")
        known_at = [(one.slot, one.seen_ms) for one in self._arrays.values() if one.state]
        slot, seen_ms = max([(self._pair.slot, self._pair.seen_ms), *known_at])
        about = About(
            venue="meteora",
            address=self.address,
            kind="DLMM",
            mints=(pair.mint_x, pair.mint_y),
            spot=bins.price_of_bin(pair.active_id, pair.bin_step) / _ONE,
            compute_units=_COMPUTE_UNITS + self._mints.compute_units,
            # An array that did not change keeps its old slot: the newest says how fresh all are.
            slot=slot,
            seen_ms=seen_ms,
        )
        return DlmmPool(
            about=about,
            pool=bins.Pool(pair, known, bitmap, arrays_max=ARRAYS_EACH_SIDE),
            now_s=now_s,
            extension=layout.extension_address(self.address) if bitmap else None,
            arrays=arrays,
            transfer_fees=fees,
        )

    def _nearest(self, pair: Pair, direction: int) -> tuple[int, ...]:
        bitmap = self._extension.state if self._extension else None
        return tuple(islice(bins.filled_arrays(pair, bitmap, direction), ARRAYS_EACH_SIDE))

    def _follow(self, pair: Pair) -> None:
        self._mints.follow((pair.mint_x, pair.mint_y), pair.token_programs)
        if not _may_leave_bitmap(pair):
            self._extension = None
        elif self._extension is None:
            self._extension = _Seen()
        wanted = {index for way in (-1, 1) for index in self._nearest(pair, way)}
        if wanted != self._arrays.keys():
            self._arrays = {index: self._arrays.get(index) or _Seen() for index in sorted(wanted)}
            self._array_at = {
                layout.bin_array_address(self.address, index): index for index in self._arrays
            }

    def _array(self, index: int, data: bytes) -> BinArray:
        array = layout.decode_bin_array(data)
        if (array.pair, array.index) != (self.address, index):
            raise Corrupt(
                f"bin array {array.index} of {array.pair} in the place of {index}",
                code="account.foreign",
            )
        return array

    def _bitmap(self, data: bytes) -> Extension:
        extension = layout.decode_extension(data)
        if extension.pair != self.address:
            raise Corrupt(
                f"bitmap extension of {extension.pair} in the place of {self.address}'s",
                code="account.foreign",
            )
        return extension


def _data(state: AccountState) -> bytes:
    return owned(state, "Meteora account", owner=layout.PROGRAM)


def _may_leave_bitmap(pair: Pair) -> bool:
    index = layout.array_index(pair.active_id)
    lowest, highest = index - ARRAYS_EACH_SIDE, index + ARRAYS_EACH_SIDE
    return lowest < -layout.BITMAP_HALF or highest >= layout.BITMAP_HALF


def _fill(fill: bins.Fill, *, limit_orders: bool) -> Fill:
    each = _ORDERS_BIN_UNITS if limit_orders else _BIN_UNITS
    more = each * max(0, len(fill.steps) - _BINS)
    return Fill(fill.amount_in, fill.amount_out, fill.fee, fill.fee_on_input, more)
