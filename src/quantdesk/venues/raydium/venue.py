"""Raydium as a venue: keeps the state of its pools, quotes from it, names the swap's calls.

Accounts arrive one at a time. A quote uses the newest state of each and bears the slot and time of
the oldest among pool and vaults; the config, which only Raydium's admins change, does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from quantdesk.chains.port import Instruction
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import BPS
from quantdesk.venues.port import Quote, Swap
from quantdesk.venues.raydium import cpmm, layout
from quantdesk.venues.raydium.instructions import Leg, swap_base_input, swap_base_output

_DIGITS = 38
_RATE_PER_BPS = cpmm.RATE_ONE // BPS


@dataclass(frozen=True, slots=True)
class _Seen:
    slot: int
    ms: int


@dataclass(frozen=True, slots=True)
class _Whole:
    """A pool all of whose accounts are known, seen from the base token of a market."""

    address: str
    base_token: int
    base_reserve: int
    quote_reserve: int
    config: layout.Config
    pool: layout.Pool
    seen: _Seen


class Raydium:
    """The CPMM pools the desk was told of; vaults and configs are learned from them."""

    def __init__(self, pools: Sequence[str]) -> None:
        self._pools: dict[str, layout.Pool | None] = dict.fromkeys(pools)
        self._configs: dict[str, layout.Config] = {}
        self._vaults: dict[str, layout.Vault] = {}
        self._seen: dict[str, _Seen] = {}

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return "raydium"

    def accounts(self) -> tuple[str, ...]:
        """Return the pools, and the configs and vaults of those seen so far."""
        known = [pool for pool in self._pools.values() if pool]
        learned = [address for pool in known for address in (pool.config, *pool.vaults)]
        return tuple(dict.fromkeys([*self._pools, *learned]))

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        """Take in one account's state; older slots and accounts of no pool are ignored.

        Raises `Corrupt`: `account.missing`, `account.unreadable`, or `account.foreign` when a vault
        does not belong to its pool. Quotes of that pool stop until a readable state arrives.
        """
        seen = self._seen.get(address)
        if (seen and slot < seen.slot) or address not in self.accounts():
            return
        self._seen[address] = _Seen(slot, seen_ms)
        if address in self._pools:
            self._pools[address] = None
            self._pools[address] = layout.pool(data)
        elif any(pool and address == pool.config for pool in self._pools.values()):
            self._configs.pop(address, None)
            self._configs[address] = layout.config(data)
        else:
            self._vaults.pop(address, None)
            self._vaults[address] = self._own_vault(address, layout.vault(data))

    def quotes(self, market: Market, side: Side, base_raw: int, *, now_ms: int) -> list[Quote]:
        """Return a quote from each pool of the market that can fill the whole size.

        Raises `Refused` (`liquidity.insufficient`, `amount.too_small`, `pool.unsupported`) or
        `Unavailable` (`pool.gone`, `pool.disabled`, `pool.not_open`) when none can.
        """
        wanted = {market.base.mint, market.quote.mint}
        pools = {a: p for a, p in self._pools.items() if p and set(p.mints) == wanted}
        quotes: list[Quote] = []
        reasons: list[DeskError] = []
        for address, pool in pools.items():
            try:
                _check_open(address, pool, now_ms)
                whole = self._whole(address, pool, market.base.mint)
                quotes.append(_quote(whole, market, side, base_raw))
            except DeskError as reason:
                reasons.append(reason)
        if not quotes:
            reasons.sort(key=lambda reason: not isinstance(reason, Refused))
            raise reasons[0] if reasons else _gone(market.pair)
        return quotes

    def instructions(self, swap: Swap) -> list[Instruction]:
        """Return the one call that takes the quote.

        Raises `Unavailable` (`pool.gone`) when the pool has become unreadable since.
        """
        quote = swap.quote
        pool = self._pools.get(quote.pool)
        if not pool:
            raise _gone(quote.pool)
        sells = quote.side is Side.SELL
        base_token = pool.mints.index(quote.market.base.mint)
        leg = Leg(
            owner=swap.owner,
            pool_address=quote.pool,
            pool=pool,
            input_token=base_token if sells else 1 - base_token,
            input_account=swap.base_account if sells else swap.quote_account,
            output_account=swap.quote_account if sells else swap.base_account,
        )
        if sells:
            return [swap_base_input(leg, amount_in=quote.base_raw, minimum_out=swap.limit_raw)]
        return [swap_base_output(leg, maximum_in=swap.limit_raw, amount_out=quote.base_raw)]

    def _own_vault(self, address: str, vault: layout.Vault) -> layout.Vault:
        for pool in self._pools.values():
            if pool and address in pool.vaults:
                mint = pool.mints[pool.vaults.index(address)]
                if vault.mint != mint or vault.owner != layout.AUTHORITY:
                    raise Corrupt(f"vault {address} is not its pool's own", code="account.foreign")
        return vault

    def _whole(self, address: str, pool: layout.Pool, base_mint: str) -> _Whole:
        config = self._configs.get(pool.config)
        vaults = [self._vaults.get(vault) for vault in pool.vaults]
        amounts = [vault.amount for vault in vaults if vault]
        if not config or len(amounts) != len(vaults):
            raise _gone(address)
        reserves = [amount - owed for amount, owed in zip(amounts, pool.owed, strict=True)]
        if min(reserves) < 0:
            raise Unavailable(f"pool {address} owes more than it holds", code="pool.gone")
        seen = [self._seen[account] for account in (address, *pool.vaults)]
        base_token = pool.mints.index(base_mint)
        return _Whole(
            address=address,
            base_token=base_token,
            base_reserve=reserves[base_token],
            quote_reserve=reserves[1 - base_token],
            config=config,
            pool=pool,
            seen=_Seen(min(one.slot for one in seen), min(one.ms for one in seen)),
        )


def _check_open(address: str, pool: layout.Pool, now_ms: int) -> None:
    if pool.swaps_disabled:
        raise Unavailable(f"swaps are switched off in pool {address}", code="pool.disabled")
    if now_ms < pool.open_time_s * 1000:
        raise Unavailable(f"pool {address} has not opened yet", code="pool.not_open")
    if set(pool.token_programs) != {layout.TOKEN_PROGRAM}:
        raise Refused(f"pool {address} holds Token-2022 tokens", code="pool.unsupported")


def _quote(whole: _Whole, market: Market, side: Side, base_raw: int) -> Quote:
    base, quote = whole.base_reserve, whole.quote_reserve
    if side is Side.SELL:
        rates = whole.config.rates(whole.pool, whole.base_token)
        trade = cpmm.exact_input(base_raw, cpmm.Reserves(base, quote), rates)
        quote_raw, moved = trade.output_raw, base + trade.curve_input
        shift = trade.curve_input
    else:
        rates = whole.config.rates(whole.pool, 1 - whole.base_token)
        trade = cpmm.exact_output(base_raw, cpmm.Reserves(quote, base), rates)
        quote_raw, moved = trade.input_raw, base - trade.curve_output
        shift = trade.curve_output
    with localcontext(prec=_DIGITS):
        unit = Decimal(1).scaleb(market.base.decimals - market.quote.decimals)
        return Quote(
            venue="raydium",
            pool=whole.address,
            market=market,
            side=side,
            base_raw=base_raw,
            quote_raw=quote_raw,
            price=Decimal(quote_raw) / base_raw * unit,
            mid=Decimal(quote) / base * unit,
            fee_bps=Decimal(rates.trade + rates.creator) / _RATE_PER_BPS,
            # On the curve the average price of a trade is mid times base / (base after it).
            impact_bps=Decimal(shift) * BPS / moved,
            slot=whole.seen.slot,
            seen_ms=whole.seen.ms,
        )


def _gone(what: str) -> Unavailable:
    return Unavailable(f"no readable Raydium pool for {what}", code="pool.gone")
