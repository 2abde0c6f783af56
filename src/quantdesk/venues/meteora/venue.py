"""The Meteora venue: quotes from the pools it follows, without I/O, and the swaps that take them.

Pair and bin arrays of one slot arrive one after the other, so a quote may for a moment mix two
states: the limit the swap carries on chain covers that.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import Instruction
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import BPS
from quantdesk.venues.meteora import dlmm, instructions, layout
from quantdesk.venues.meteora.dlmm import Fill
from quantdesk.venues.meteora.following import ARRAYS_EACH_SIDE, Followed
from quantdesk.venues.meteora.layout import Pair
from quantdesk.venues.port import Quote, Swap

_MS: Final = 1_000
_ONE: Final = Decimal(dlmm.ONE)
# When several pools fail, the error that tells the caller most is raised.
_TELLING: Final = {"pool.incomplete": 0, "liquidity.insufficient": 1}


class Meteora:
    """DLMM pools of one cluster, each named by its pair account."""

    def __init__(self, pools: Sequence[str]) -> None:
        self._pools = {address: Followed(address) for address in pools}
        self._owners = dict(self._pools)
        self._slot = 0

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return "meteora"

    def accounts(self) -> tuple[str, ...]:
        """Return the pairs, and the bin arrays and bitmap extensions they now need."""
        return tuple(self._owners)

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        """Take in an account's new state; raise `Corrupt` when it is unreadable.

        Empty data says that the account does not exist. Accounts no longer followed are ignored.
        """
        self._slot = max(self._slot, slot)
        pool = self._owners.get(address)
        if pool is None:
            return
        before = pool.accounts()
        pool.update(address, data, slot=slot, seen_ms=seen_ms)
        if pool.accounts() != before:
            self._owners = {at: each for each in self._pools.values() for at in each.accounts()}

    def quotes(self, market: Market, side: Side, base_raw: int, *, now_ms: int) -> list[Quote]:
        """Return a quote from each pool of the market that can fill the whole size.

        When there is none, raises `Refused` (`liquidity.insufficient`, `amount.invalid`,
        `amount.overflow`, `pool.unsupported`) or `Unavailable` (`pool.gone`, `pool.disabled`,
        `pool.inactive`, `pool.incomplete`).
        """
        quotes, errors = list[Quote](), list[DeskError]()
        for pool in self._pools.values():
            pair = pool.pair.state
            if pair is None or not _trades(pair, market):
                continue
            try:
                quotes.append(self._quote(pool, pair, (market, side, base_raw), now_ms // _MS))
            except (Refused, Unavailable) as error:
                errors.append(error)
        if quotes:
            return quotes
        if errors:
            raise min(errors, key=lambda error: _TELLING.get(error.code, len(_TELLING)))
        raise Unavailable(f"no readable Meteora pool of {market.pair}", code="pool.gone")

    def instructions(self, swap: Swap) -> list[Instruction]:
        """Return the swap instruction; raise `Unavailable` (`pool.gone`) for an unknown pool.

        It carries every followed bin array ahead and one behind, in case the price moves first.
        """
        quote = swap.quote
        pool = self._pools.get(quote.pool)
        pair = pool.pair.state if pool else None
        if pool is None or pair is None or not _trades(pair, quote.market):
            raise Unavailable(f"Meteora pool {quote.pool} is not readable", code="pool.gone")
        is_sell = quote.side is Side.SELL
        trade = instructions.Trade(
            address=pool.address,
            pair=pair,
            extension=layout.extension_address(pool.address) if pool.bitmap_extension else None,
            arrays=_arrays(pool, pair, sell_x=_sells_x(pair, quote.market, quote.side)),
            owner=swap.owner,
            paid_from=swap.base_account if is_sell else swap.quote_account,
            received_in=swap.quote_account if is_sell else swap.base_account,
        )
        build = instructions.swap_exact_in if is_sell else instructions.swap_exact_out
        return [build(trade, quote.base_raw, swap.limit_raw)]

    def _quote(
        self, pool: Followed, pair: Pair, wanted: tuple[Market, Side, int], now_s: int
    ) -> Quote:
        market, side, base_raw = wanted
        if pair.token_2022:
            raise Refused("Token-2022 mints are not traded", code="pool.unsupported")
        dlmm.check_open(pair, now_s=now_s, slot=self._slot)
        sell_x = _sells_x(pair, market, side)
        swap = dlmm.swap_exact_in if side is Side.SELL else dlmm.swap_exact_out
        fill = swap(pool.pool(pair), base_raw, sell_x=sell_x, now_s=now_s)
        if not fill.amount_out:
            raise Refused(f"{base_raw} base units buy nothing", code="amount.invalid")
        arrays = [pool.arrays[layout.array_index(step.bin_id)] for step in fill.steps]
        quote_raw = fill.amount_out if side is Side.SELL else fill.amount_in
        scale = market.base.decimals - market.quote.decimals
        return Quote(
            venue=self.name,
            pool=pool.address,
            market=market,
            side=side,
            base_raw=base_raw,
            quote_raw=quote_raw,
            price=(Decimal(quote_raw) / base_raw).scaleb(scale),
            mid=_mid(pair, base_is_x=pair.mint_x == market.base.mint).scaleb(scale),
            fee_bps=_fee_bps(fill),
            impact_bps=_impact_bps(pair, fill, sell_x=sell_x),
            slot=max(pool.pair.slot, *(seen.slot for seen in arrays)),
            seen_ms=max(pool.pair.seen_ms, *(seen.seen_ms for seen in arrays)),
        )


def _arrays(pool: Followed, pair: Pair, *, sell_x: bool) -> tuple[int, ...]:
    ahead = -1 if sell_x else 1
    own = layout.array_index(pair.active_id)
    behind = [index for index in pool.nearest(pair, -ahead, 2) if index != own]
    return (*pool.nearest(pair, ahead, ARRAYS_EACH_SIDE), *behind[:1])


def _trades(pair: Pair, market: Market) -> bool:
    return {pair.mint_x, pair.mint_y} == {market.base.mint, market.quote.mint}


def _sells_x(pair: Pair, market: Market, side: Side) -> bool:
    return (pair.mint_x == market.base.mint) is (side is Side.SELL)


def _mid(pair: Pair, *, base_is_x: bool) -> Decimal:
    price = dlmm.price_of_bin(pair.active_id, pair.bin_step) / _ONE
    return price if base_is_x else 1 / price


def _fee_bps(fill: Fill) -> Decimal:
    charged = fill.amount_in if fill.fee_on_input else fill.amount_out + fill.fee
    return Decimal(fill.fee) * BPS / charged


def _impact_bps(pair: Pair, fill: Fill, *, sell_x: bool) -> Decimal:
    """Return how much less than at the active bin's price is received, fees left out."""
    paid = fill.amount_in - (fill.fee if fill.fee_on_input else 0)
    received = fill.amount_out + (0 if fill.fee_on_input else fill.fee)
    at_mid = paid * _mid(pair, base_is_x=sell_x)
    return max(Decimal(0), (1 - received / at_mid) * BPS)
