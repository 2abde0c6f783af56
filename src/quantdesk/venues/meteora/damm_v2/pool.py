"""A DAMM v2 pool as it stands, and how one is followed: its account, its vaults, and its mints.

The account prices every trade; the vaults only bound what can be paid out, and mints are followed
only of Token-2022, where transfers may pay a fee. A pool that counts its
time in slots is read at the newest slot seen of it, moved on by the time since.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.venues import reading
from quantdesk.venues.meteora.damm_v2 import fees, instructions, layout
from quantdesk.venues.meteora.damm_v2.curve import Direction, Range, Reserves
from quantdesk.venues.mints import NO_FEES, Fees, Mints
from quantdesk.venues.port import About, Fill, Piece, Swap
from quantdesk.venues.transfers import Transfers

COMPUTE_UNITS: Final = 40_000
"""What a swap with a price range takes: 14,000 to 27,000 measured with the real program in LiteSVM,
and two token transfers of the older token program."""
COMPUTE_UNITS_MORE: Final = 25_000
"""What square roots add: those of compounding pools and of rate limiters."""

SLOT_MS: Final = 400
"""How long a slot lasts."""

_DIGITS: Final = 38
_FEE_MODES: Final = frozenset({layout.FEE_ON_OUTPUT, layout.FEE_IN_B, layout.COMPOUNDING})
_CLOCKS: Final = frozenset({layout.BY_SLOT, layout.BY_TIME})
_COUNTS: Final = 1  # the layout version since which a pool counts its reserves
_U64: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class DammV2Pool:
    """A snapshot: implements `Pool` of `venues/port.py`.

    `directions` are those of paying in token A and in token B; `vaults` what the vaults hold;
    `transfer_fees` what transfers of tokens (A, B) pay.
    """

    about: About
    pool: layout.Pool
    directions: tuple[Direction, Direction]
    vaults: tuple[int, int]
    transfer_fees: Fees = NO_FEES

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return what paying in `paid` brings; one piece, several under a rate limiter.

        A transfer fee with a most splits one.
        """
        token = self._token(paid)
        return self._transfers(token).curve(self.directions[token].pieces())

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid.

        Raises `Refused` (`liquidity.insufficient`, `amount.too_small`).
        """
        token = self._token(paid)

        def quote(arrived: int) -> Fill:
            return self._payable(token, self.directions[token].exact_in(arrived))

        return self._transfers(token).exact_in(amount, quote)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is received; raises as `exact_in`."""
        token = self._token(paid)

        def quote(sent: int) -> Fill:
            return self._payable(token, self.directions[token].exact_out(sent))

        return self._transfers(token).exact_out(amount, quote)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the call that takes a trade."""
        self._token(swap.paid)
        trade = instructions.Trade(
            address=self.about.address,
            pool=self.pool,
            owner=swap.owner,
            paid_from=swap.paid_from,
            received_in=swap.received_in,
        )
        build = instructions.swap_exact_in if swap.exact_in else instructions.swap_exact_out
        return build(trade, swap.amount, swap.limit)

    def _token(self, paid: str) -> int:
        assert paid in self.pool.mints, "a pool is paid in one of its tokens"
        return self.pool.mints.index(paid)

    def _transfers(self, token: int) -> Transfers:
        return Transfers(self.transfer_fees[token], self.transfer_fees[1 - token])

    def _payable(self, token: int, fill: Fill) -> Fill:
        if fill.received > self.vaults[1 - token]:
            raise Refused(
                f"vault {self.pool.vaults[1 - token]} holds less than {fill.received}",
                code="liquidity.insufficient",
            )
        return fill


@dataclass(frozen=True, slots=True)
class _Seen:
    slot: int
    ms: int


@dataclass(slots=True)
class _Vault:
    mint: str
    amount: int | None = None


class FollowedDammV2:
    """What is known of one pool: implements `Followed` of `venues/following.py`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._pool: layout.Pool | None = None
        self._vaults: dict[str, _Vault] = {}
        self._mints = Mints(address)
        self._seen: dict[str, _Seen] = {}

    @property
    def address(self) -> str:
        """Return the pool's account."""
        return self._address

    @property
    def mints(self) -> frozenset[str]:
        """Return the tokens it trades; none while it is unread or unreadable."""
        return frozenset(self._pool.mints if self._pool else ())

    def accounts(self) -> tuple[str, ...]:
        """Return the pool's account and, once that was read, its vaults and Token-2022 mints."""
        return (self._address, *self._vaults, *self._mints.addresses)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in the state of one of its accounts.

        Raises `Corrupt` (`account.missing`, `account.foreign`, `account.unreadable`): the pool is
        out of the market until a good state of that account arrives.
        """
        self._seen[state.address] = _Seen(state.slot, seen_ms)
        if self._mints.update(state):
            return
        if state.address == self._address:
            self._pool = None
            self._pool = layout.read_pool(state)
            self._vaults = {
                vault: self._vaults.get(vault) or _Vault(mint)
                for vault, mint in zip(self._pool.vaults, self._pool.mints, strict=True)
            }
            self._mints.follow(self._pool.mints, self._pool.token_programs)
        elif vault := self._vaults.get(state.address):
            vault.amount = None
            account = reading.token_account(state, mint=vault.mint, owner=layout.AUTHORITY)
            vault.amount = account.amount

    def snapshot(self, *, now_ms: int) -> DammV2Pool:
        """Return the pool as it stands.

        Raises `Unavailable` (`pool.gone` while its account is unread or unreadable,
        `pool.incomplete` while a vault or mint is, `pool.disabled`, `pool.not_open`) or `Refused`
        (`pool.unsupported`, `decimals.mismatch`).
        """
        pool = self._pool
        if not pool:
            raise Unavailable(f"pool {self._address} cannot be read", code="pool.gone")
        held = [self._vaults[vault].amount for vault in pool.vaults]
        vaults = [amount for amount in held if amount is not None]
        if len(vaults) != len(held):
            raise Unavailable(f"a vault of pool {self._address} is unread", code="pool.incomplete")
        _check_supported(self._address, pool)
        transfer_fees = self._mints.fees()
        point = self._point(pool, now_ms)
        _check_open(self._address, pool, point)
        return DammV2Pool(
            about=self._about(pool),
            pool=pool,
            directions=_directions(self._address, pool, point),
            vaults=(vaults[0], vaults[1]),
            transfer_fees=transfer_fees,
        )

    def _point(self, pool: layout.Pool, now_ms: int) -> int:
        if pool.activation_type == layout.BY_TIME:
            return now_ms // 1000
        newest = max((self._seen[account] for account in self.accounts()), key=lambda at: at.slot)
        return newest.slot + max(0, now_ms - newest.ms) // SLOT_MS

    def _about(self, pool: layout.Pool) -> About:
        seen = [self._seen[account] for account in (self._address, *pool.vaults)]
        return About(
            venue="meteora",
            address=self._address,
            kind="DAMM v2",
            mints=pool.mints,
            spot=_spot(pool),
            compute_units=COMPUTE_UNITS
            + (COMPUTE_UNITS_MORE if _takes_roots(pool) else 0)
            + self._mints.compute_units,
            slot=min(at.slot for at in seen),
            seen_ms=min(at.ms for at in seen),
        )


def _limits(pool: layout.Pool) -> bool:
    return isinstance(pool.base_fee, layout.RateLimiter) and pool.base_fee.limits


def _takes_roots(pool: layout.Pool) -> bool:
    return pool.fee_mode == layout.COMPOUNDING or _limits(pool)


def _check_supported(address: str, pool: layout.Pool) -> None:
    reasons = {
        "an unknown way to take fees": pool.fee_mode not in _FEE_MODES,
        "an unknown clock": pool.activation_type not in _CLOCKS,
        "an unknown layout": pool.layout_version > _COUNTS,
        "a rate limiter that cannot be": _limits(pool) and pool.fee_mode != layout.FEE_IN_B,
    }
    for what, applies in reasons.items():
        if applies:
            raise Refused(f"pool {address} has {what}", code="pool.unsupported")


def _check_open(address: str, pool: layout.Pool, point: int) -> None:
    if not pool.enabled:
        raise Unavailable(f"swaps are switched off in pool {address}", code="pool.disabled")
    if point < pool.activation_point:
        raise Unavailable(f"pool {address} has not opened yet", code="pool.not_open")


def _directions(address: str, pool: layout.Pool, point: int) -> tuple[Direction, Direction]:
    liquidity, reserves = _liquidity(pool)
    if max(reserves) >= _U64:
        raise Refused(f"pool {address} counts more than 64 bits", code="pool.unsupported")
    a_to_b, b_to_a = (
        Direction(
            liquidity=liquidity,
            fee=fees.fee(pool, a_to_b=token == 0, point=point),
            a_to_b=token == 0,
            fee_on_input=token == 1 and pool.fee_mode != layout.FEE_ON_OUTPUT,
            held=reserves[1 - token],
        )
        for token in (0, 1)
    )
    return a_to_b, b_to_a


def _liquidity(pool: layout.Pool) -> tuple[Range | Reserves, tuple[int, int]]:
    """Return what the pool trades with and what it counts as its own."""
    if pool.fee_mode == layout.COMPOUNDING:
        # Without shares the program has nobody to credit the fee to and fails.
        return Reserves(*pool.reserves) if pool.liquidity else Reserves(0, 0), pool.reserves
    range_ = Range(pool.liquidity, pool.sqrt_price, pool.sqrt_min, pool.sqrt_max)
    # Before its next swap the program counts what an older pool has not counted.
    return range_, pool.reserves if pool.layout_version == _COUNTS else range_.reserves()


def _spot(pool: layout.Pool) -> Decimal:
    with localcontext(prec=_DIGITS):
        reserve_a, reserve_b = pool.reserves
        if pool.fee_mode == layout.COMPOUNDING and reserve_a:
            return Decimal(reserve_b) / reserve_a
        return (Decimal(pool.sqrt_price) / (1 << 64)) ** 2
