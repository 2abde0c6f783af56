"""A LiteSVM with one AMM v4 pool and one trader, whose every number a test may set.

The calls are the venue's, and so are the quotes.
"""

import re
import struct
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from tests.oracles.raydium.amm_v4_accounts import SWAP_ONLY, amm_account, token_account

from quantdesk.chains import port
from quantdesk.chains.port import AccountState
from quantdesk.core.errors import DeskError
from quantdesk.localnet import amm_pools
from quantdesk.venues.port import Fill
from quantdesk.venues.raydium.amm_v4.instructions import Leg, swap_base_in, swap_base_out
from quantdesk.venues.raydium.amm_v4.layout import AUTHORITY, PROGRAM
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed, AmmV4Pool
from quantdesk.venues.reading import TOKEN_PROGRAM

PURSE: Final = 1 << 63
"""What the trader holds of each token."""

NOW_S: Final = 1_800_000_000
EPOCH: Final = 7
ADDRESS: Final = Pubkey(bytes([1]) * 32)
VAULTS: Final = (Pubkey(bytes([2]) * 32), Pubkey(bytes([3]) * 32))
MINTS: Final = (Pubkey(bytes([4]) * 32), Pubkey(bytes([5]) * 32))
PURSES: Final = (Pubkey(bytes([6]) * 32), Pubkey(bytes([7]) * 32))

STATUS, NONCE, FEE, OWED, OPEN_TIME, RECENT_EPOCH = 0, 8, 176, 192, 224, 736
"""Where a pool's account holds these."""

_TOTALS: Final = struct.Struct("<16s16sQ16s16sQ")
_TOTALS_AT: Final = 256
_LAMPORTS: Final = 10**10
_UNITS_MAX: Final = 400_000
_BUDGET_UNITS: Final = 150  # of the instruction that sets the limit
_AMOUNT: Final = slice(64, 72)
_LOG: Final = re.compile(r"Program log: ray_log: ([A-Za-z0-9+/]{76})")


@dataclass(frozen=True, slots=True)
class Setup:
    """A pool: what its vaults hold and owe, its fee, and whether it trades."""

    held: tuple[int, int] = (10**12, 15 * 10**10)
    owed: tuple[int, int] = (0, 0)
    fee: tuple[int, int] = (25, 10_000)
    status: int = SWAP_ONLY
    open_time_s: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a swap did: an error (custom code or name) or the movement of the trader's balances."""

    error: int | str | None
    paid: int = 0
    received: int = 0
    units: int = 0
    log: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Totals:
    """What was ever traded; each is by token: (0, 1)."""

    paid: tuple[int, int]
    received: tuple[int, int]
    fees: tuple[int, int]


class World:
    """One pool, one trader; every swap is a transaction."""

    def __init__(self, program: bytes | None = None) -> None:
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        code = program or amm_pools.program()[1].read_bytes()
        self.svm.add_program(Pubkey.from_string(PROGRAM), code)
        self.trader = Keypair.from_seed(bytes([7]) * 32)
        self.svm.airdrop(self.trader.pubkey(), _LAMPORTS)

    def open(self, setup: Setup, *, now_s: int = NOW_S) -> None:
        """Set the pool, its vaults, the trader's purses, and the clock."""
        data = amm_account(
            VAULTS,
            MINTS,
            status=setup.status,
            fee=setup.fee,
            owed=setup.owed,
            open_time_s=setup.open_time_s,
        )
        self.put(ADDRESS, data, PROGRAM)
        authority = Pubkey.from_string(AUTHORITY)
        for vault, mint, amount in zip(VAULTS, MINTS, setup.held, strict=True):
            self.put(vault, token_account(mint, authority, amount), TOKEN_PROGRAM)
        self.fund(PURSE, PURSE)
        self.at(now_s)

    def put(self, address: Pubkey, data: bytes, owner: str) -> None:
        """Set an account."""
        account = Account(_LAMPORTS, data, Pubkey.from_string(owner), False, 0)  # noqa: FBT003
        self.svm.set_account(address, account)

    def data(self, address: Pubkey) -> bytes:
        """Return the data of an account that exists."""
        account = self.svm.get_account(address)
        assert account is not None
        return bytes(account.data)

    def patch(self, address: Pubkey, offset: int, form: str, *values: int) -> None:
        """Overwrite numbers in an account's data."""
        account = self.svm.get_account(address)
        assert account is not None
        changed = bytearray(account.data)
        struct.pack_into(form, changed, offset, *values)
        self.put(address, bytes(changed), str(account.owner))

    def at(self, unix_s: int) -> None:
        """Set the chain's clock."""
        clock = self.svm.get_clock()
        clock.unix_timestamp = unix_s
        clock.epoch = EPOCH
        self.svm.set_clock(clock)

    def fund(self, *amounts: int) -> None:
        """Set what the trader holds of token 0 and token 1."""
        for purse, mint, amount in zip(PURSES, MINTS, amounts, strict=True):
            self.put(purse, token_account(mint, self.trader.pubkey(), amount), TOKEN_PROGRAM)

    def amounts(self) -> tuple[int, int, int, int]:
        """Return what the trader and the vaults hold: 0, 1, vault 0, vault 1."""
        first, second, *vaults = (
            int.from_bytes(self.data(address)[_AMOUNT], "little") for address in (*PURSES, *VAULTS)
        )
        return first, second, vaults[0], vaults[1]

    def totals(self) -> Totals:
        """Return what the pool counted; fees lie next to the totals of the other way."""
        fields = _TOTALS.unpack_from(self.data(ADDRESS), _TOTALS_AT)
        wide = [one if isinstance(one, int) else int.from_bytes(one, "little") for one in fields]
        in_0, out_1, fee_1, in_1, out_0, fee_0 = wide
        return Totals((in_0, in_1), (out_0, out_1), (fee_0, fee_1))

    def seen(self, now_s: int = NOW_S) -> AmmV4Pool:
        """Return the venue's snapshot of the pool and its vaults; raises as it does."""
        followed = AmmV4Followed(str(ADDRESS))
        for address in (ADDRESS, *VAULTS):
            account = self.svm.get_account(address)
            assert account is not None
            state = AccountState(
                address=str(address), slot=1, owner=str(account.owner), data=bytes(account.data)
            )
            followed.update(state, seen_ms=now_s * 1000)
        return followed.snapshot(now_ms=now_s * 1000)

    def quoted(self, amount: int, *, exact_in: bool, paid: int) -> Fill | None:
        """Return the venue's quote of a swap that pays in token 0 or 1, None if refused."""
        try:
            seen = self.seen(self.svm.get_clock().unix_timestamp)
            return (seen.exact_in if exact_in else seen.exact_out)(str(MINTS[paid]), amount)
        except DeskError:
            return None

    def leg(self, paid: int) -> Leg:
        """Return the accounts of the trader's swap that pays in token 0 or 1."""
        return Leg(
            owner=str(self.trader.pubkey()),
            pool_address=str(ADDRESS),
            vaults=(str(VAULTS[0]), str(VAULTS[1])),
            paid_from=str(PURSES[paid]),
            received_in=str(PURSES[1 - paid]),
        )

    def sell(self, amount: int, least: int = 0, *, paid: int = 0) -> Outcome:
        """Pay exactly `amount`."""
        call = swap_base_in(self.leg(paid), amount_in=amount, minimum_out=least)
        return self.send(call, paid)

    def buy(self, amount: int, most: int = (1 << 64) - 1, *, paid: int = 0) -> Outcome:
        """Receive exactly `amount`."""
        call = swap_base_out(self.leg(paid), maximum_in=most, amount_out=amount)
        return self.send(call, paid)

    def send(self, call: port.Instruction, paid: int = 0) -> Outcome:
        """Run the call in a transaction of its own."""
        before = self.amounts()
        result = self._run(call)
        if not isinstance(result, TransactionMetadata):
            meta = result.meta()
            units = meta.compute_units_consumed()
            return Outcome(failure(result), units=units, log=_ray_log(meta))
        after = self.amounts()
        return Outcome(
            error=None,
            paid=before[paid] - after[paid],
            received=after[1 - paid] - before[1 - paid],
            units=result.compute_units_consumed() - _BUDGET_UNITS,
            log=_ray_log(result),
        )

    def send_only(self, call: port.Instruction) -> int | str | None:
        """Run the call where balances may be unreadable; return its error."""
        result = self._run(call)
        return None if isinstance(result, TransactionMetadata) else failure(result)

    def _run(self, call: port.Instruction) -> TransactionMetadata | FailedTransactionMetadata:
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in call.accounts
        ]
        instruction = Instruction(Pubkey.from_string(call.program), call.data, metas)
        self.svm.expire_blockhash()
        message = MessageV0.try_compile(
            self.trader.pubkey(),
            [set_compute_unit_limit(_UNITS_MAX), instruction],
            [],
            self.svm.latest_blockhash(),
        )
        unsigned = [Signature.default()] * message.header.num_required_signatures
        return self.svm.send_transaction(VersionedTransaction.populate(message, unsigned))


def failure(result: FailedTransactionMetadata) -> int | str:
    """Return the custom code of a failed transaction, or else its name."""
    inner = getattr(result.err(), "err", result.err())
    return inner.code if hasattr(inner, "code") else str(inner).rpartition(".")[2]


def with_account(call: port.Instruction, index: int, address: str) -> port.Instruction:
    """Return the call with another account in one place."""
    metas = list(call.accounts)
    metas[index] = replace(metas[index], address=address)
    return replace(call, accounts=tuple(metas))


def _ray_log(meta: TransactionMetadata) -> tuple[int, ...]:
    for line in meta.logs():
        if said := _LOG.fullmatch(line):
            return struct.unpack("<B7Q", b64decode(said[1]))
    return ()
