"""One CPMM pool: what is known of it, and the snapshots the router works with.

A snapshot uses the newest state of each account and bears the slot and time of the oldest among
pool and vaults; the config, which only Raydium's admins change, and the mints do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.venues.mints import NO_FEES, Fees, Mints
from quantdesk.venues.port import About, Fill, Piece, Swap
from quantdesk.venues.raydium.cpmm import curve as product
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.instructions import Leg, swap_base_input, swap_base_output
from quantdesk.venues.reading import TokenAccount, owned, token_account
from quantdesk.venues.transfers import Transfers

_COMPUTE_UNITS = 35_000


@dataclass(frozen=True, slots=True)
class CpmmPool:
    """A CPMM pool as of a slot; `reserves` are of (token 0, token 1), less the fees owed.

    `transfer_fees` are what transfers of (token 0, token 1) pay.
    """

    about: About
    pool: layout.Pool
    config: layout.Config
    reserves: tuple[int, int]
    transfer_fees: Fees = NO_FEES

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return the one hyperbola; fees on the input deepen it, those on the output lower it.

        A transfer fee with a most makes it three pieces.
        """
        token = self.pool.mints.index(paid)
        rates = self.config.rates(self.pool, token)
        kept = 1 - rates.input_rate / product.RATE_ONE
        given = 1.0 if rates.creator_on_input else 1 - rates.creator / product.RATE_ONE
        depth = self.reserves[token] / kept
        whole = Piece(float("inf"), self.reserves[1 - token] * given / depth, depth)
        return self._transfers(token).curve([whole])

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid.

        Raises as `curve.exact_input` and `Transfers.exact_in`.
        """
        token, reserves, rates = self._terms(paid)

        def quote(arrived: int) -> Fill:
            return _fill(product.exact_input(arrived, reserves, rates), rates)

        return self._transfers(token).exact_in(amount, quote)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings exactly `amount`.

        Raises as `curve.exact_output` and `Transfers.exact_out`.
        """
        token, reserves, rates = self._terms(paid)

        def quote(sent: int) -> Fill:
            return _fill(product.exact_output(sent, reserves, rates), rates)

        return self._transfers(token).exact_out(amount, quote)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the call that takes a trade."""
        leg = Leg(
            owner=swap.owner,
            pool_address=self.about.address,
            pool=self.pool,
            input_token=self.pool.mints.index(swap.paid),
            input_account=swap.paid_from,
            output_account=swap.received_in,
        )
        if swap.exact_in:
            return swap_base_input(leg, amount_in=swap.amount, minimum_out=swap.limit)
        return swap_base_output(leg, maximum_in=swap.limit, amount_out=swap.amount)

    def _terms(self, paid: str) -> tuple[int, product.Reserves, product.FeeRates]:
        token = self.pool.mints.index(paid)
        reserves = product.Reserves(self.reserves[token], self.reserves[1 - token])
        return token, reserves, self.config.rates(self.pool, token)

    def _transfers(self, token: int) -> Transfers:
        return Transfers(self.transfer_fees[token], self.transfer_fees[1 - token])


class CpmmFollowed:
    """What is known of one CPMM pool; its vaults, config and mints are learned from it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._pool: layout.Pool | None = None
        self._configs: dict[str, layout.Config] = {}
        self._vaults: dict[str, TokenAccount] = {}
        self._mints = Mints(address)
        self._seen: dict[str, tuple[int, int]] = {}
        self._made: CpmmPool | None = None

    @property
    def mints(self) -> frozenset[str]:
        """Return the tokens it trades; none while it has not been read."""
        return frozenset(self._pool.mints) if self._pool else frozenset()

    def accounts(self) -> tuple[str, ...]:
        """Return the pool, and once it is known its config, vaults and Token-2022 mints."""
        if self._pool is None:
            return (self.address,)
        return (self.address, self._pool.config, *self._pool.vaults, *self._mints.addresses)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in the state of one of them; raise `Corrupt` when it is not what it should be."""
        self._seen[state.address] = (state.slot, seen_ms)
        if self._mints.update(state):
            return  # a mint changes with every issue: what matters of it is in its fee
        self._made = None
        if state.address == self.address:
            self._take_pool(state)
        elif self._pool and state.address == self._pool.config:
            self._configs.clear()
            config = layout.config(owned(state, "Raydium config", owner=layout.PROGRAM))
            self._configs[state.address] = config
        elif self._pool and state.address in self._pool.vaults:
            self._vaults.pop(state.address, None)
            mint = self._pool.mints[self._pool.vaults.index(state.address)]
            self._vaults[state.address] = token_account(state, mint=mint, owner=layout.AUTHORITY)

    def snapshot(self, *, now_ms: int) -> CpmmPool:
        """Return the pool as it stands, the same one until something changes.

        Raises `Unavailable` (`pool.gone`, `pool.incomplete` while a mint is unread,
        `pool.disabled`, `pool.not_open`) or `Refused` (`pool.unsupported`, `decimals.mismatch`,
        `liquidity.insufficient` when it is empty).
        """
        fees = self._mints.fees()
        if self._made is None or self._made.transfer_fees != fees:
            self._made = self._snapshot(fees)
        opens_ms = self._made.pool.open_time_s * 1000
        if now_ms < opens_ms:
            raise Unavailable(f"pool {self.address} has not opened yet", code="pool.not_open")
        return self._made

    def _take_pool(self, state: AccountState) -> None:
        # What an unreadable pool named is followed no longer: known of old, it would grow older.
        configs, vaults, mints = self._configs, self._vaults, self._mints
        self._pool, self._configs, self._vaults, self._mints = None, {}, {}, Mints(self.address)
        self._pool = layout.pool(owned(state, "Raydium pool", owner=layout.PROGRAM))
        self._mints = mints
        self._mints.follow(self._pool.mints, self._pool.token_programs, self._pool.decimals)
        self._configs = {at: configs[at] for at in (self._pool.config,) if at in configs}
        self._vaults = {at: vaults[at] for at in self._pool.vaults if at in vaults}

    def _snapshot(self, fees: Fees) -> CpmmPool:
        pool = self._pool
        config = self._configs.get(pool.config) if pool else None
        if pool is None or config is None or not all(v in self._vaults for v in pool.vaults):
            raise self._gone("is not readable yet")
        if pool.swaps_disabled:
            raise Unavailable(f"swaps are off in pool {self.address}", code="pool.disabled")
        held = [self._vaults[vault].amount for vault in pool.vaults]
        first, second = (amount - owed for amount, owed in zip(held, pool.owed, strict=True))
        if min(first, second) < 0:
            raise self._gone("owes more than it holds")
        if not first or not second:
            raise Refused(f"pool {self.address} is empty", code="liquidity.insufficient")
        seen = [self._seen[account] for account in (self.address, *pool.vaults)]
        about = About(
            venue="raydium",
            address=self.address,
            kind="CPMM",
            mints=pool.mints,
            spot=Decimal(second) / first,
            compute_units=_COMPUTE_UNITS + self._mints.compute_units,
            slot=min(slot for slot, _ in seen),
            seen_ms=min(ms for _, ms in seen),
        )
        return CpmmPool(about, pool, config, (first, second), fees)

    def _gone(self, why: str) -> Unavailable:
        return Unavailable(f"Raydium pool {self.address} {why}", code="pool.gone")


def _fill(trade: product.Trade, rates: product.FeeRates) -> Fill:
    if rates.creator_on_input or not rates.creator:
        fee = trade.input_raw - trade.curve_input
        return Fill(trade.input_raw, trade.output_raw, fee, fee_on_input=True)
    # Fees on both sides: the one on the output is told in the input's tokens, at the trade's price.
    worth = trade.creator_fee * trade.input_raw // max(1, trade.output_raw)
    return Fill(trade.input_raw, trade.output_raw, trade.trade_fee + worth, fee_on_input=True)
