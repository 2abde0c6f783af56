"""One CLMM pool: what is known of it, and the snapshots the router works with.

The pool's account names its config, vaults and mints, of which only those of Token-2022 stay
followed, for what transfers pay; and in its bitmap which tick arrays hold liquidity. Of these the
nearest are followed, `ARRAYS_EACH_SIDE` in each direction from the current tick; the
set moves with it, and an array that leaves it is forgotten: its state would be stale when it
returns. Liquidity beyond the followed arrays is not there.

Accounts of one slot arrive one after the other, so a snapshot may for a moment mix two states: the
limit the swap carries on chain covers that. A swap writes the pool's account, so a snapshot is as
old as that one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Final

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.venues.curves import Drawn
from quantdesk.venues.mints import NO_FEES, Fees, Mints
from quantdesk.venues.port import About, Fill, Piece, Swap
from quantdesk.venues.raydium.clmm import bitmap, curve, fees, instructions, layout, swap
from quantdesk.venues.raydium.clmm.ticks import ONE
from quantdesk.venues.reading import TokenAccount, token_account
from quantdesk.venues.transfers import Transfers

ARRAYS_EACH_SIDE: Final = 5
"""Initialized tick arrays followed in each direction, that of the current tick among them."""

_COMPUTE_UNITS: Final = 80_000
_MOVES: Final = 2  # of the price, which those are enough for
_MOVE_UNITS: Final = 17_500  # measured with a real program: 47,000 and 17,400 for each move
_MS: Final = 1_000
_DIGITS: Final = 60


@dataclass(frozen=True)
class ClmmPool:
    """A CLMM pool as of a slot.

    `arrays` are the start ticks of those followed (below, above), nearest first; `held`
    is what its vaults hold of (token 0, token 1), `transfer_fees` what transfers of these pay.
    """

    about: About
    pool: layout.Pool
    market: swap.Market
    held: tuple[int, int]
    arrays: tuple[tuple[int, ...], tuple[int, ...]]
    extension: str | None
    transfer_fees: Fees = NO_FEES

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return one piece per range between initialized ticks, over the arrays followed."""
        down = self._down(paid)
        held = self.held[1 if down else 0]
        whole = Drawn(lambda: curve.pieces(self.market, down=down, held=held))
        return self._transfers(down=down).curve(whole)

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid.

        Raises as `swap.exact_in` and `Transfers.exact_in`.
        """
        down = self._down(paid)

        def quote(arrived: int) -> Fill:
            return self._fill(swap.exact_in(self.market, arrived, down=down), down=down)

        return self._transfers(down=down).exact_in(amount, quote)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings exactly `amount`.

        Raises as `swap.exact_out` and `Transfers.exact_out`.
        """
        down = self._down(paid)

        def quote(sent: int) -> Fill:
            return self._fill(swap.exact_out(self.market, sent, down=down), down=down)

        return self._transfers(down=down).exact_out(amount, quote)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the call, with the tick arrays it crosses as of now, one beyond and one behind.

        Those two are there in case the price moves first.
        """
        leg = instructions.Leg(
            owner=swap.owner,
            pool_address=self.about.address,
            pool=self.pool,
            paid=self.pool.mints.index(swap.paid),
            paid_from=swap.paid_from,
            received_in=swap.received_in,
            arrays=self._crossed(swap),
            extension=self.extension,
        )
        if swap.exact_in:
            return instructions.exact_in(leg, amount=swap.amount, least_out=swap.limit)
        return instructions.exact_out(leg, amount=swap.amount, most_in=swap.limit)

    def _down(self, paid: str) -> bool:
        return self.pool.mints.index(paid) == 0

    def _transfers(self, *, down: bool) -> Transfers:
        return Transfers(*(self.transfer_fees if down else self.transfer_fees[::-1]))

    def _fill(self, outcome: swap.Outcome, *, down: bool) -> Fill:
        if outcome.received > self.held[1 if down else 0]:
            raise Refused("the pool's vault holds less", code="liquidity.insufficient")
        on_input = self.market.fee_on_input(down=down)
        more = _MOVE_UNITS * max(0, outcome.moves - _MOVES)
        return Fill(outcome.paid, outcome.received, outcome.fee, on_input, more)

    def _crossed(self, wanted: Swap) -> tuple[int, ...]:
        down = self._down(wanted.paid)
        ahead, other = self.arrays if down else self.arrays[::-1]
        transfers = self._transfers(down=down)
        try:
            if wanted.exact_in:
                arrived = transfers.paid.after(wanted.amount)
                last = swap.exact_in(self.market, arrived, down=down).last
            else:
                sent = transfers.received.before(wanted.amount)
                last = swap.exact_out(self.market, sent, down=down).last
        except DeskError:  # the market has moved on from what was quoted: take all there are
            crossed = len(ahead)
        else:
            crossed = ahead.index(last // self.pool.array_ticks * self.pool.array_ticks) + 1
        behind = [start for start in other if start not in ahead][:1]
        return (*behind, *ahead[: crossed + 1])


class ClmmFollowed:
    """What is known of one CLMM pool; all other accounts are learned from its own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._pool: layout.Pool | None = None
        self._config: layout.Config | None = None
        self._vaults: dict[str, TokenAccount] = {}
        self._mints = Mints(address)
        self._extended = False
        self._extension: layout.Extension | None = None
        self._sides: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
        self._array_at: dict[str, int] = {}
        self._arrays: dict[int, layout.TickArray] = {}
        self._seen = (0, 0)
        self._made: tuple[int | None, ClmmPool] | None = None

    @property
    def mints(self) -> frozenset[str]:
        """Return the tokens it trades; none while it has not been read."""
        return frozenset(self._pool.mints) if self._pool else frozenset()

    def accounts(self) -> tuple[str, ...]:
        """Return the pool, and its config, vaults, mints, extension and tick arrays as known."""
        if self._pool is None:
            return (self.address,)
        extension = (layout.extension_address(self.address),) if self._extended else ()
        tokens = (*self._pool.vaults, *self._mints.addresses)
        return (self.address, self._pool.config, *tokens, *extension, *self._array_at)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in the state of one of them; raise `Corrupt` when it is not what it should be.

        Only the bitmap extension may be missing: not every pool has one.
        """
        if self._mints.update(state):
            return  # a mint changes with every issue: what matters of it is in its fee
        self._made = None
        if state.address == self.address:
            self._pool = None
            self._pool = layout.pool(state)
            self._seen = (state.slot, seen_ms)
            self._mints.follow(self._pool.mints, decimals=self._pool.decimals)
            self._follow(self._pool)
        elif self._pool is not None:
            self._take(state, self._pool)

    def snapshot(self, *, now_ms: int) -> ClmmPool:
        """Return the pool as it stands, the same one until something changes.

        A pool whose fee depends on the time changes by the second. Raises `Unavailable`
        (`pool.gone`, `pool.disabled`, `pool.not_open`, `pool.incomplete`) or `Refused`
        (`pool.unsupported`, `decimals.mismatch`).
        """
        now_s = now_ms // _MS
        pool = self._pool
        if pool is not None and now_s <= pool.open_time_s:
            raise Unavailable(f"pool {self.address} has not opened yet", code="pool.not_open")
        moment = now_s if pool is not None and pool.dynamic_fee else None
        pool, config = self._read()
        charged = self._mints.fees()
        if self._made is None or (self._made[0], self._made[1].transfer_fees) != (moment, charged):
            self._made = (
                moment,
                replace(self._snapshot(pool, config, now_s), transfer_fees=charged),
            )
        return self._made[1]

    def _take(self, state: AccountState, pool: layout.Pool) -> None:
        if state.address == pool.config:
            self._config = None
            self._config = layout.config(state)
        elif state.address in pool.vaults:
            self._vaults.pop(state.address, None)
            mint = pool.mints[pool.vaults.index(state.address)]
            vault = token_account(state, mint=mint, owner=self.address)
            self._vaults[state.address] = vault
            self._mints.tell(mint, vault.program)
        elif state.address in self._array_at:
            start = self._array_at[state.address]
            self._arrays.pop(start, None)
            self._arrays[start] = layout.tick_array(
                state, pool_address=self.address, start=start, spacing=pool.tick_spacing
            )
        elif self._extended and state.address == layout.extension_address(self.address):
            self._extension = None
            if state.data:
                self._extension = layout.extension(state, pool_address=self.address)
            self._follow(pool)

    def _follow(self, pool: layout.Pool) -> None:
        self._extended = bitmap.may_need_extension(pool, count=ARRAYS_EACH_SIDE)
        if not self._extended:
            self._extension = None
        below, above = (
            bitmap.nearest(pool, self._extension, down=down, count=ARRAYS_EACH_SIDE)
            for down in (True, False)
        )
        self._sides = (below, above)
        wanted = sorted({*below, *above})
        self._arrays = {start: self._arrays[start] for start in wanted if start in self._arrays}
        self._array_at = {layout.tick_array_address(self.address, start): start for start in wanted}

    def _read(self) -> tuple[layout.Pool, layout.Config]:
        pool, config = self._pool, self._config
        if pool is None or config is None or not all(v in self._vaults for v in pool.vaults):
            raise Unavailable(f"Raydium pool {self.address} is not readable", code="pool.gone")
        return pool, config

    def _snapshot(self, pool: layout.Pool, config: layout.Config, now_s: int) -> ClmmPool:
        if pool.swaps_disabled:
            raise Unavailable(f"swaps are off in pool {self.address}", code="pool.disabled")
        vaults = [self._vaults[vault] for vault in pool.vaults]
        if any(side and side[0] not in self._arrays for side in self._sides):
            raise Unavailable(f"ticks of pool {self.address} not seen yet", code="pool.incomplete")
        slot, seen_ms = self._seen
        about = About(
            venue="raydium",
            address=self.address,
            kind="CLMM",
            mints=pool.mints,
            spot=_spot(pool),
            compute_units=_COMPUTE_UNITS + self._mints.compute_units,
            slot=slot,
            seen_ms=seen_ms,
        )
        return ClmmPool(
            about=about,
            pool=pool,
            market=market(pool, config, self._sides, self._arrays, now_s=now_s),
            held=(vaults[0].amount, vaults[1].amount),
            arrays=self._sides,
            extension=layout.extension_address(self.address) if self._extension else None,
        )


def market(
    pool: layout.Pool,
    config: layout.Config,
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    arrays: Mapping[int, layout.TickArray],
    *,
    now_s: int,
) -> swap.Market:
    """Return what a swap at a chain time sees of a pool.

    `sides` are the start ticks of the arrays wanted (below, above), nearest first; `arrays` those
    that have been seen.
    """
    below, above = ([*_known(side, arrays)] for side in sides)
    dynamic, group = pool.dynamic_fee, pool.tick // pool.tick_spacing
    return swap.Market(
        sqrt_price=pool.sqrt_price,
        liquidity=pool.liquidity,
        tick=pool.tick,
        tick_spacing=pool.tick_spacing,
        fee_rate=config.trade,
        fee_on=pool.fee_on,
        dynamic_fee=dynamic and fees.referenced(dynamic, group, now_s=now_s),
        below=tuple(
            tick for array in below for tick in reversed(array.ticks) if tick.number <= pool.tick
        ),
        above=tuple(tick for array in above for tick in array.ticks if tick.number > pool.tick),
        unseen=(len(below) < len(sides[0]), len(above) < len(sides[1])),
    )


def _known(side: tuple[int, ...], arrays: Mapping[int, layout.TickArray]) -> list[layout.TickArray]:
    """Return the arrays of a side up to the first that has not been seen."""
    known = []
    for start in side:
        if start not in arrays:
            break
        known.append(arrays[start])
    return known


def _spot(pool: layout.Pool) -> Decimal:
    with localcontext(prec=_DIGITS):
        return (Decimal(pool.sqrt_price) / ONE) ** 2
