"""The mints a pool depends on: those of its Token-2022 tokens, followed for what transfers pay.

Tokens of the older program pay nothing, ever, and their mints change whenever some are issued, so
these are followed no longer than it takes to learn that. Epochs:
https://solana.com/docs/rpc/http/getepochschedule

The desk counts a listed asset in the decimals it is listed with: a pool that counts it in others,
or whose mint does, is not traded with. Where a pool does not tell, the mint is asked once; decimals
never change.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from quantdesk.chains.port import AccountState
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM
from quantdesk.venues.transfer_fee import FREE, Mint, TransferFee, mint

SLOTS_PER_EPOCH: Final = 432_000
"""Length of an epoch on every public cluster, and on the localnet."""

UNTOLD: Final = ""
"""The token program of a mint where a pool does not tell it."""

_LISTED: Final = {asset.mint: asset for asset in ASSETS.values()}
_UNITS_MORE: Final = 6_000  # measured: 5,000 more than a transfer of the older program

Fees = tuple[TransferFee, TransferFee]
"""What transfers of a pool's first and second token pay."""

NO_FEES: Final[Fees] = (FREE, FREE)


class Mints:
    """What is known of the tokens of one pool."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._tokens: tuple[tuple[str, str], ...] = ()
        self._read: dict[str, Mint | None] = {}
        self._decimals: dict[str, int] = {}
        self._counted: tuple[tuple[str, int], ...] = ()
        self._slot = 0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the mints to follow."""
        return tuple(self._read)

    @property
    def compute_units(self) -> int:
        """Return what transfers of its tokens take beyond what those of the older program do."""
        return _UNITS_MORE * sum(of != TOKEN_PROGRAM for _, of in self._tokens)

    def follow(
        self,
        mints: Sequence[str],
        programs: Sequence[str] = (UNTOLD, UNTOLD),
        decimals: Sequence[int] = (),
    ) -> None:
        """Depend on these mints from now on, each of a token program; forget all others.

        `decimals` are those the pool counts them in, where it tells.
        """
        told = dict(self._tokens)
        self._tokens = tuple(
            (at, of or told.get(at, UNTOLD)) for at, of in zip(mints, programs, strict=True)
        )
        self._counted = tuple(zip(mints, decimals, strict=True)) if decimals else ()
        self._decimals = {at: self._decimals[at] for at in mints if at in self._decimals}
        self._read = {at: self._read.get(at) for at, of in self._tokens if self._asks(at, of)}

    def update(self, state: AccountState) -> bool:
        """Take in the state of any account of the pool; return whether it is one of its mints.

        All tell the slot. Raises `Corrupt` (`account.missing`, `account.foreign`,
        `account.unreadable`) for a mint.
        """
        self._slot = max(self._slot, state.slot)
        if state.address not in self._read:
            return False
        self._read[state.address] = None
        found = mint(state)
        told = dict(self._tokens)[found.address]
        if told not in {UNTOLD, found.program}:
            raise Corrupt(
                f"mint {found.address} is not of the token program {told}", code="account.foreign"
            )
        self._read[found.address] = found
        self._decimals[found.address] = found.decimals
        self.tell(found.address, found.program)
        return True

    def tell(self, address: str, program: str) -> None:
        """Take note of the token program of a mint, which accounts of that token share with it."""
        self._tokens = tuple((at, program if at == address else of) for at, of in self._tokens)
        if not self._asks(address, program):
            self._read.pop(address, None)

    def fees(self) -> Fees:
        """Return what transfers pay in the epoch of the newest slot seen.

        Raises `Unavailable` (`pool.incomplete` while a mint is unread or unreadable,
        `pool.disabled` while it is paused) or `Refused` (`pool.unsupported`,
        `decimals.mismatch`).
        """
        if not self._tokens:
            return NO_FEES
        check_decimals(self._pool, (*self._counted, *self._decimals.items()))
        first, second = (self._fee(at, of) for at, of in self._tokens)
        return first, second

    def _asks(self, address: str, program: str) -> bool:
        """Return whether a mint has to be read, or read on."""
        if program != TOKEN_PROGRAM:
            return program in {TOKEN_2022, UNTOLD}
        told = address in self._decimals or any(at == address for at, _ in self._counted)
        return address in _LISTED and not told

    def _fee(self, address: str, program: str) -> TransferFee:
        if program == TOKEN_PROGRAM and address not in self._read:
            return FREE
        if address not in self._read:
            raise Refused(
                f"pool {self._pool} holds tokens of program {program}", code="pool.unsupported"
            )
        found = self._read[address]
        if found is None:
            raise Unavailable(
                f"mint {address} of pool {self._pool} is not read", code="pool.incomplete"
            )
        return found.fee(self._slot // SLOTS_PER_EPOCH)


def check_decimals(pool: str, counted: Iterable[tuple[str, int]]) -> None:
    """Raise `Refused` (`decimals.mismatch`) where a listed mint is counted in other decimals."""
    for mint_at, decimals in counted:
        listed = _LISTED.get(mint_at)
        if listed is not None and listed.decimals != decimals:
            raise Refused(
                f"pool {pool} counts {listed.symbol} in {decimals} decimals, the desk in "
                f"{listed.decimals}",
                code="decimals.mismatch",
            )
