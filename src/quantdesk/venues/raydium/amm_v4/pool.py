"""One AMM v4 pool: what is known of it, and the snapshots the router works with.

Which states trade (https://github.com/raydium-io/raydium-amm, program/src/state.rs: AmmStatus):
swap only (6), and waiting trade (7) from its opening time on, are quoted. Initialized (1) and order
book only (5) are not: programs up to 2025 count what such a pool has in orders on OpenBook towards
its reserves, those from 2026 on do not, and nothing on chain says which one runs.

A snapshot uses the newest state of each account and bears the slot and time of the oldest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.mints import check_decimals
from quantdesk.venues.port import About, Fill, Piece, Swap
from quantdesk.venues.raydium.amm_v4 import layout
from quantdesk.venues.raydium.amm_v4.curve import Reserves, exact_input, exact_output
from quantdesk.venues.raydium.amm_v4.instructions import Leg, swap_base_in, swap_base_out
from quantdesk.venues.raydium.amm_v4.layout import AmmAccount, Status
from quantdesk.venues.reading import TOKEN_PROGRAM, TokenAccount, token_account

_COMPUTE_UNITS: Final = 25_000
_IDLE: Final[Mapping[Status, tuple[type[DeskError], str, str]]] = {
    Status.INITIALIZED: (Refused, "pool.unsupported", "may keep part of its reserves on OpenBook"),
    Status.DISABLED: (Unavailable, "pool.disabled", "is disabled"),
    Status.WITHDRAW_ONLY: (Unavailable, "pool.disabled", "only pays out its providers"),
    Status.LIQUIDITY_ONLY: (Unavailable, "pool.disabled", "only takes and pays out liquidity"),
    Status.ORDER_BOOK_ONLY: (Refused, "pool.unsupported", "keeps its reserves on OpenBook"),
}


@dataclass(frozen=True, slots=True)
class AmmV4Pool:
    """An AMM v4 pool as of a slot; `reserves` are of (token 0, token 1), less the profit owed."""

    about: About
    account: AmmAccount
    reserves: tuple[int, int]

    def curve(self, paid: str) -> list[Piece]:
        """Return the one hyperbola, which the fee on the input deepens."""
        reserves, rate = self._terms(paid), self.account.fee
        depth = reserves.input_raw * rate.denominator / (rate.denominator - rate.numerator)
        return [Piece(float("inf"), reserves.output_raw / depth, depth)]

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid; raises as `exact_input`."""
        return exact_input(amount, self._terms(paid), self.account.fee)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings exactly `amount`; raises as `exact_output`."""
        return exact_output(amount, self._terms(paid), self.account.fee)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the call that takes a trade."""
        assert swap.paid in self.account.mints, "the pool trades this token"
        leg = Leg(
            owner=swap.owner,
            pool_address=self.about.address,
            vaults=self.account.vaults,
            paid_from=swap.paid_from,
            received_in=swap.received_in,
        )
        if swap.exact_in:
            return swap_base_in(leg, amount_in=swap.amount, minimum_out=swap.limit)
        return swap_base_out(leg, maximum_in=swap.limit, amount_out=swap.amount)

    def _terms(self, paid: str) -> Reserves:
        token = self.account.mints.index(paid)
        return Reserves(self.reserves[token], self.reserves[1 - token])


class AmmV4Followed:
    """What is known of one AMM v4 pool; its vaults are learned from it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._account: AmmAccount | None = None
        self._vaults: dict[str, TokenAccount] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._made: AmmV4Pool | None = None

    @property
    def mints(self) -> frozenset[str]:
        """Return the tokens it trades; none while it has not been read."""
        return frozenset(self._account.mints) if self._account else frozenset()

    def accounts(self) -> tuple[str, ...]:
        """Return the pool, and its vaults once they are known."""
        return (self.address, *self._account.vaults) if self._account else (self.address,)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in the state of one of them; raise `Corrupt` when it is not what it should be."""
        self._made = None
        self._seen[state.address] = (state.slot, seen_ms)
        if state.address == self.address:
            # A pool that cannot be read has no vaults: what is known of them grows old unseen.
            vaults, self._vaults, self._account = self._vaults, {}, None
            self._account = layout.amm(state)
            self._vaults = {one: vaults[one] for one in self._account.vaults if one in vaults}
        elif self._account and state.address in self._account.vaults:
            self._vaults.pop(state.address, None)
            mint = self._account.mints[self._account.vaults.index(state.address)]
            self._vaults[state.address] = _vault(state, mint)

    def snapshot(self, *, now_ms: int) -> AmmV4Pool:
        """Return the pool as it stands, the same one until something changes.

        Raises `Unavailable` (`pool.gone`, `pool.disabled`, `pool.not_open`) or `Refused`
        (`pool.unsupported`, `decimals.mismatch`, `liquidity.insufficient`).
        """
        if self._made is None:
            self._made = self._snapshot()
        account = self._made.account
        if account.status == Status.WAITING_TRADE and now_ms < account.open_time_s * 1_000:
            raise Unavailable(f"pool {self.address} has not opened yet", code="pool.not_open")
        return self._made

    def _snapshot(self) -> AmmV4Pool:
        account = self._account
        if account is None or not all(vault in self._vaults for vault in account.vaults):
            raise self._gone("is not readable yet")
        if idle := _IDLE.get(account.status):
            kind, code, why = idle
            raise kind(f"Raydium pool {self.address} {why}", code=code)
        if not account.fee.usable:
            raise Refused(f"pool {self.address} has no usable fee", code="pool.unsupported")
        check_decimals(self.address, zip(account.mints, account.decimals, strict=True))
        reserves = self._reserves(account)
        seen = [self._seen[followed] for followed in (self.address, *account.vaults)]
        about = About(
            venue="raydium",
            address=self.address,
            kind="AMM v4",
            mints=account.mints,
            spot=Decimal(reserves[1]) / reserves[0],
            compute_units=_COMPUTE_UNITS,
            slot=min(slot for slot, _ in seen),
            seen_ms=min(ms for _, ms in seen),
        )
        return AmmV4Pool(about, account, reserves)

    def _reserves(self, account: AmmAccount) -> tuple[int, int]:
        first, second = (
            self._vaults[vault].amount - owed
            for vault, owed in zip(account.vaults, account.owed, strict=True)
        )
        if min(first, second) < 0:
            raise self._gone("owes more than it holds")
        if not first or not second:
            raise Refused(f"pool {self.address} is empty", code="liquidity.insufficient")
        return first, second

    def _gone(self, why: str) -> Unavailable:
        return Unavailable(f"Raydium pool {self.address} {why}", code="pool.gone")


def _vault(state: AccountState, mint: str) -> TokenAccount:
    vault = token_account(state, mint=mint, owner=layout.AUTHORITY)
    if vault.program != TOKEN_PROGRAM:
        raise Corrupt(f"vault {state.address} holds Token-2022 tokens", code="account.foreign")
    return vault
