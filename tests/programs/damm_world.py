"""A LiteSVM with one DAMM v2 pool and one trader, whose every number a test may set.

The calls are the venue's; the model is the venue's too, moved on swap by swap.
"""

import struct
from dataclasses import dataclass
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

from quantdesk.chains import port
from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.localnet import damm_pools
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.instructions import Trade, swap_exact_in, swap_exact_out
from quantdesk.venues.meteora.damm_v2.layout import Pool, TimeSchedule
from quantdesk.venues.meteora.damm_v2.pool import DammV2Pool, FollowedDammV2
from quantdesk.venues.port import Fill
from quantdesk.venues.reading import TOKEN_PROGRAM

PURSE: Final = 1 << 63
"""What the trader holds of each token."""

NOW_S: Final = 1_800_000_000
ADDRESS: Final = Pubkey.from_string("PooL111111111111111111111111111111111111111")
MINTS: Final = (Pubkey.from_string("A" * 43 + "1"), Pubkey.from_string("B" * 43 + "1"))
MODE: Final = 24
"""Where swap2's data holds its mode."""

LP_FEES: Final = 568
"""Where a pool counts what its providers earned in token A and, 16 bytes on, in token B."""

_LAMPORTS: Final = 10**10
_UNITS_MAX: Final = 400_000
_BUDGET_UNITS: Final = 150  # of the instruction that sets the limit
_DECIMALS: Final = 6
_AMOUNT: Final = slice(64, 72)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a swap did: an error (custom code or name) or the movement of the trader's balances."""

    error: int | str | None
    paid: int = 0
    received: int = 0
    units: int = 0
    events: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """What the trader and the vaults hold, and what the pool says of its vaults; (A, B) each."""

    held: tuple[int, int]
    vaults: tuple[int, int]
    reserves: tuple[int, int]
    fees: tuple[int, int]
    protocol: tuple[int, int]

    @property
    def supply(self) -> tuple[int, int]:
        """Return all there is of the tokens."""
        return self.held[0] + self.vaults[0], self.held[1] + self.vaults[1]

    @property
    def unexplained(self) -> tuple[int, int]:
        """Return what of the vaults is neither reserve nor fee."""
        first, second = (
            vault - reserve - fee
            for vault, reserve, fee in zip(self.vaults, self.reserves, self.fees, strict=True)
        )
        return first, second


class World:
    """One pool, one trader; every swap is a transaction."""

    def __init__(self, program: bytes | None = None) -> None:
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        code = program or damm_pools.program()[1].read_bytes()
        self.svm.add_program(Pubkey.from_string(layout.PROGRAM), code)
        self.trader = Keypair.from_seed(bytes([7]) * 32)
        self.svm.airdrop(self.trader.pubkey(), _LAMPORTS)
        self.purses = (Pubkey(bytes([1]) * 32), Pubkey(bytes([2]) * 32))
        self.vaults = tuple(Pubkey.from_string(_vault(mint)) for mint in MINTS)
        for mint in MINTS:
            data = bytes(36) + struct.pack("<QBB", (1 << 64) - 1, _DECIMALS, 1) + bytes(36)
            self.put(mint, data, TOKEN_PROGRAM)

    def open(self, pool: Pool, *, now_s: int = NOW_S, slot: int = 1) -> None:
        """Set the pool, its vaults at its reserves, the trader's purses, and the clock."""
        self.put(ADDRESS, layout.encode_pool(pool), layout.PROGRAM)
        authority = Pubkey.from_string(layout.AUTHORITY)
        for vault, mint, amount in zip(self.vaults, MINTS, pool.reserves, strict=True):
            self.put(vault, token_account(mint, authority, amount), TOKEN_PROGRAM)
        self.fund(PURSE, PURSE)
        self.at(now_s, slot)

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

    def at(self, unix_s: int, slot: int = 1) -> None:
        """Set the chain's clock."""
        clock = self.svm.get_clock()
        clock.unix_timestamp = unix_s
        clock.slot = slot
        self.svm.set_clock(clock)

    def fund(self, *amounts: int) -> None:
        """Set what the trader holds of token A and token B."""
        for purse, mint, amount in zip(self.purses, MINTS, amounts, strict=True):
            self.put(purse, token_account(mint, self.trader.pubkey(), amount), TOKEN_PROGRAM)

    def amounts(self) -> tuple[int, int, int, int]:
        """Return what the trader and the vaults hold: A, B, vault A, vault B."""
        first, second, *vaults = (
            int.from_bytes(self.data(address)[_AMOUNT], "little")
            for address in (*self.purses, *self.vaults)
        )
        return first, second, vaults[0], vaults[1]

    def books(self) -> Books:
        """Return who holds what."""
        held_a, held_b, vault_a, vault_b = self.amounts()
        pool, data = self.pool(), self.data(ADDRESS)
        lp = [int.from_bytes(data[at : at + 16], "little") for at in (LP_FEES, LP_FEES + 16)]
        owed = pool.protocol_owed
        return Books(
            held=(held_a, held_b),
            vaults=(vault_a, vault_b),
            reserves=pool.reserves,
            fees=(lp[0] + owed[0], lp[1] + owed[1]),
            protocol=owed,
        )

    def pool(self) -> Pool:
        """Return the pool as the venue reads it."""
        return layout.decode_pool(self.data(ADDRESS))

    def seen(self, now_s: int = NOW_S, slot: int = 1) -> DammV2Pool:
        """Return the venue's snapshot of the pool and its vaults; raises as it does."""
        followed = FollowedDammV2(str(ADDRESS))
        for address in (ADDRESS, *self.vaults):
            account = self.svm.get_account(address)
            assert account is not None
            state = AccountState(
                address=str(address), slot=slot, owner=str(account.owner), data=bytes(account.data)
            )
            followed.update(state, seen_ms=now_s * 1000)
        return followed.snapshot(now_ms=now_s * 1000)

    def quoted(self, amount: int, *, exact_in: bool, paid: int) -> Fill | None:
        """Return the venue's quote of a swap that pays in token A (0) or B (1), None if refused."""
        clock = self.svm.get_clock()
        try:
            seen = self.seen(clock.unix_timestamp, clock.slot)
            return (seen.exact_in if exact_in else seen.exact_out)(str(MINTS[paid]), amount)
        except Refused:
            return None

    def trade(self, paid: int) -> Trade:
        """Return the accounts of the trader's swap that pays in token A (0) or B (1)."""
        return Trade(
            address=str(ADDRESS),
            pool=self.pool(),
            owner=str(self.trader.pubkey()),
            paid_from=str(self.purses[paid]),
            received_in=str(self.purses[1 - paid]),
        )

    def sell(self, amount: int, least: int = 0, *, paid: int = 0) -> Outcome:
        """Pay exactly `amount`."""
        return self.send(swap_exact_in(self.trade(paid), amount, least), paid)

    def buy(self, amount: int, most: int = (1 << 64) - 1, *, paid: int = 0) -> Outcome:
        """Receive exactly `amount`."""
        return self.send(swap_exact_out(self.trade(paid), amount, most), paid)

    def fill(self, amount: int, least: int = 0, *, paid: int = 0) -> Outcome:
        """Pay up to `amount`, as far as the range goes."""
        call = swap_exact_in(self.trade(paid), amount, least)
        return self.send(replace(call, data=call.data[:MODE] + b"\x01"), paid)

    def send(self, call: port.Instruction, paid: int = 0) -> Outcome:
        """Run the call in a transaction of its own."""
        before = self.amounts()
        message, result = self._run(call)
        if not isinstance(result, TransactionMetadata):
            return Outcome(failure(result), units=result.meta().compute_units_consumed())
        after = self.amounts()
        return Outcome(
            error=None,
            paid=before[paid] - after[paid],
            received=after[1 - paid] - before[1 - paid],
            units=result.compute_units_consumed() - _BUDGET_UNITS,
            events=tuple(_events(message, result)),
        )

    def send_only(self, call: port.Instruction) -> int | str | None:
        """Run the call where balances may be unreadable; return its error."""
        _, result = self._run(call)
        return None if isinstance(result, TransactionMetadata) else failure(result)

    def _run(
        self, call: port.Instruction
    ) -> tuple[MessageV0, TransactionMetadata | FailedTransactionMetadata]:
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
        transaction = VersionedTransaction.populate(message, unsigned)
        return message, self.svm.send_transaction(transaction)


def opened(liquidity: int, price: int, low: int, high: int) -> Pool:
    """Return a fresh pool of 0.25 % fee; prices are square roots in Q64.64."""
    return Pool(
        mints=(str(MINTS[0]), str(MINTS[1])),
        vaults=(_vault(MINTS[0]), _vault(MINTS[1])),
        base_fee=TimeSchedule(2_500_000),
        liquidity=liquidity,
        sqrt_price=price,
        sqrt_min=low,
        sqrt_max=high,
        reserves=(
            ceil_div(liquidity * (high - price), high * price),
            ceil_div(liquidity * (price - low), 1 << 128),
        ),
        activation_point=NOW_S,
    )


def _vault(mint: Pubkey) -> str:
    return layout.vault_address(str(ADDRESS), str(mint))


def token_account(mint: Pubkey, owner: Pubkey, amount: int) -> bytes:
    """Return a token account's data."""
    return bytes(mint) + bytes(owner) + struct.pack("<Q", amount) + bytes(36) + b"\x01" + bytes(56)


def failure(result: FailedTransactionMetadata) -> int | str:
    """Return the custom code of a failed transaction, or else its name."""
    inner = getattr(result.err(), "err", result.err())
    return inner.code if hasattr(inner, "code") else str(inner).rpartition(".")[2]


def with_account(call: port.Instruction, index: int, address: Pubkey | str) -> port.Instruction:
    """Return the call with another account at `index`."""
    metas = list(call.accounts)
    metas[index] = replace(metas[index], address=str(address))
    return replace(call, accounts=tuple(metas))


def _events(message: MessageV0, result: TransactionMetadata) -> list[bytes]:
    """Return the data of the program's calls of itself."""
    keys = message.account_keys
    return [
        bytes(inner.instruction().data)
        for calls in result.inner_instructions()
        for inner in calls
        if str(keys[inner.instruction().program_id_index]) == layout.PROGRAM
    ]
