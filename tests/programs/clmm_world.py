"""A LiteSVM with one CLMM pool and one trader, whose every number a test may set.

The pool is one of the vectors' in numbers; quotes and calls are the venue's.
"""

import base64
import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

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
from tests.oracles.raydium import clmm_pools as pools

from quantdesk.chains import port
from quantdesk.chains.port import AccountState
from quantdesk.core.errors import DeskError
from quantdesk.localnet import clmm_pools
from quantdesk.venues.port import Fill, Swap
from quantdesk.venues.raydium.clmm import layout
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed, ClmmPool
from quantdesk.venues.reading import TOKEN_PROGRAM

PURSE: Final = 1 << 63
"""What the trader and the vaults hold of each token."""

NOW_S: Final = pools.NOW_S
ADDRESS: Final = pools.ADDRESS
MINTS: Final = pools.MINTS
PURSES: Final = (pools.key(21), pools.key(22))
OBSERVATION: Final = pools.OBSERVATION
PRICE_LIMIT: Final = slice(24, 40)
"""Where the call's data holds a limit of the price."""

_LAMPORTS: Final = 10**11
_UNITS_MAX: Final = 1_400_000
_BUDGET_UNITS: Final = 150  # of the instruction that sets the limit
_DECIMALS: Final = (9, 6)  # as the pool says
_AMOUNT: Final = slice(64, 72)
_EVENT: Final = struct.Struct("<8s 32s 32s 64s 4Q ? 16s 16s i 2Q")
_LOGGED: Final = "Program data: "
_TICK: Final = struct.Struct("<36x 16s 16s 48x 3Q 16s 12x")
_FEES: Final = struct.Struct("<16s 16s 2Q")  # growth of both tokens, owed to the protocol
_FEES_AT: Final = 277
_DYNAMIC_AT: Final = 1096
_FUND_AT: Final = 1064


class Event(NamedTuple):
    """What the program logs of a swap; amounts and fees of (token 0, token 1)."""

    amounts: tuple[int, int]
    transfer_fees: tuple[int, int]
    down: bool
    sqrt_price: int
    liquidity: int
    tick: int
    fees: tuple[int, int]


class Fees(NamedTuple):
    """What a pool says of fees, of (token 0, token 1)."""

    growth: tuple[int, int]
    protocol: tuple[int, int]
    fund: tuple[int, int]


class Tick(NamedTuple):
    """What a tick keeps: fee growth on its other side, and its limit orders."""

    outside: tuple[int, int]
    phase: int
    orders: int
    partly_filled: int
    unfilled_ratio: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a swap did: an error (custom code or name) or the movement of the trader's balances."""

    error: int | str | None
    paid: int = 0
    received: int = 0
    units: int = 0
    event: Event | None = None
    logs: tuple[str, ...] = ()


class World:
    """One pool, one trader; every swap is a transaction."""

    def __init__(self, program: bytes | None = None) -> None:
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        code = program or clmm_pools.program()[1].read_bytes()
        self.svm.add_program(Pubkey.from_string(layout.PROGRAM), code)
        self.trader = Keypair.from_seed(bytes([7]) * 32)
        self.svm.airdrop(self.trader.pubkey(), _LAMPORTS)
        for mint, decimals in zip(MINTS, _DECIMALS, strict=True):
            data = bytes(36) + struct.pack("<QBB", (1 << 64) - 1, decimals, 1) + bytes(36)
            self.put(mint, data, TOKEN_PROGRAM)

    def open(self, numbers: pools.Numbers, *, now_s: int = NOW_S) -> None:
        """Set the pool and all that belongs to it, the trader's purses, and the clock."""
        for state in pools.accounts(numbers, held=(PURSE, PURSE)).values():
            self.put(state.address, state.data, state.owner)
        self.put(OBSERVATION, observation_data(), layout.PROGRAM)
        self.fund(PURSE, PURSE)
        self.at(now_s)

    def at(self, now_s: int) -> None:
        """Set the chain's clock."""
        clock = self.svm.get_clock()
        clock.unix_timestamp = now_s
        self.svm.set_clock(clock)

    def put(self, address: str, data: bytes, owner: str) -> None:
        """Set an account."""
        account = Account(_LAMPORTS, data, Pubkey.from_string(owner), False, 0)  # noqa: FBT003
        self.svm.set_account(Pubkey.from_string(address), account)

    def data(self, address: str) -> bytes:
        """Return the data of an account that exists."""
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return bytes(account.data)

    def patch(self, address: str, offset: int, new: bytes) -> None:
        """Overwrite bytes in an account's data."""
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        data = bytes(account.data)
        self.put(address, data[:offset] + new + data[offset + len(new) :], str(account.owner))

    def fund(self, *amounts: int) -> None:
        """Set what the trader holds of token 0 and token 1."""
        owner = str(self.trader.pubkey())
        for purse, mint, amount in zip(PURSES, MINTS, amounts, strict=True):
            self.put(purse, pools.token_data(mint, amount, owner=owner), TOKEN_PROGRAM)

    def held(self) -> tuple[int, int, int, int]:
        """Return what the trader and the vaults hold: token 0, token 1, vault 0, vault 1."""
        first, second, *vaults = (
            int.from_bytes(self.data(address)[_AMOUNT], "little")
            for address in (*PURSES, *pools.VAULTS)
        )
        return first, second, vaults[0], vaults[1]

    def pool(self) -> layout.Pool:
        """Return the pool as the venue reads it."""
        return layout.pool(pools.state(ADDRESS, self.data(ADDRESS)))

    def fees(self) -> Fees:
        """Return what the pool says of fees."""
        data = self.data(ADDRESS)
        growth_0, growth_1, *protocol = _FEES.unpack_from(data, _FEES_AT)
        growth = int.from_bytes(growth_0, "little"), int.from_bytes(growth_1, "little")
        return Fees(growth, (protocol[0], protocol[1]), struct.unpack_from("<2Q", data, _FUND_AT))

    def dynamic(self) -> layout.DynamicFee:
        """Return what the pool keeps of its rising fee."""
        kept = layout.DYNAMIC_FEE.unpack_from(self.data(ADDRESS), _DYNAMIC_AT)
        return layout.DynamicFee(*kept)

    def tick(self, number: int) -> Tick:
        """Return what the pool keeps of a tick."""
        spacing = self.pool().tick_spacing
        span = layout.ARRAY_TICKS * spacing
        start = number // span * span
        data = self.data(layout.tick_array_address(ADDRESS, start))
        at = layout.ARRAY_HEAD.size + (number - start) // spacing * layout.TICK.size
        growth_0, growth_1, phase, orders, partly, ratio = _TICK.unpack_from(data, at)
        return Tick(
            (int.from_bytes(growth_0, "little"), int.from_bytes(growth_1, "little")),
            *(phase, orders, partly),
            int.from_bytes(ratio, "little"),
        )

    def seen(self) -> ClmmPool:
        """Return the venue's snapshot of the pool; raises as it does."""
        followed, given = ClmmFollowed(ADDRESS), set[str]()
        now_ms = self.svm.get_clock().unix_timestamp * 1_000
        while wanted := [at for at in followed.accounts() if at not in given]:
            for address in wanted:
                account = self.svm.get_account(Pubkey.from_string(address))
                state = AccountState(address, b"", "", 1)
                if account is not None:
                    state = AccountState(address, bytes(account.data), str(account.owner), 1)
                followed.update(state, seen_ms=now_ms)
                given.add(address)
        return followed.snapshot(now_ms=now_ms)

    def quoted(self, amount: int, *, exact_in: bool, paid: int) -> Fill | DeskError:
        """Return the venue's quote of a swap that pays token 0 or 1, or its refusal."""
        try:
            seen = self.seen()
            return (seen.exact_in if exact_in else seen.exact_out)(MINTS[paid], amount)
        except DeskError as refused:
            return refused

    def call(
        self, amount: int, *, exact_in: bool = True, limit: int | None = None, paid: int = 0
    ) -> port.Instruction:
        """Return the venue's call of a swap; without a limit any price will do."""
        if limit is None:
            limit = 0 if exact_in else (1 << 64) - 1
        return self.seen().instruction(
            Swap(
                paid=MINTS[paid],
                exact_in=exact_in,
                amount=amount,
                limit=limit,
                owner=str(self.trader.pubkey()),
                paid_from=PURSES[paid],
                received_in=PURSES[1 - paid],
            )
        )

    def sell(self, amount: int, least: int = 0, *, paid: int = 0) -> Outcome:
        """Pay exactly `amount`."""
        return self.send(self.call(amount, limit=least, paid=paid), paid)

    def buy(self, amount: int, most: int = (1 << 64) - 1, *, paid: int = 0) -> Outcome:
        """Receive exactly `amount`."""
        return self.send(self.call(amount, exact_in=False, limit=most, paid=paid), paid)

    def send(self, call: port.Instruction, paid: int = 0) -> Outcome:
        """Run the call in a transaction of its own."""
        before = self.held()
        result = self.run(call)
        if not isinstance(result, TransactionMetadata):
            logs = tuple(result.meta().logs())
            return Outcome(failure(result), units=result.meta().compute_units_consumed(), logs=logs)
        after = self.held()
        logs = tuple(result.logs())
        return Outcome(
            error=None,
            paid=before[paid] - after[paid],
            received=after[1 - paid] - before[1 - paid],
            units=result.compute_units_consumed() - _BUDGET_UNITS,
            event=next(event(log) for log in logs if log.startswith(_LOGGED)),
            logs=logs,
        )

    def run(self, call: port.Instruction) -> TransactionMetadata | FailedTransactionMetadata:
        """Return what the VM says of the call."""
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


def observation_data() -> bytes:
    """Return the bytes of a price record that has not begun."""
    head = clmm_pools.OBSERVATION_DISCRIMINATOR + bytes(11) + bytes(Pubkey.from_string(ADDRESS))
    return head.ljust(clmm_pools.OBSERVATION_BYTES, b"\0")


def event(log: str) -> Event:
    """Return the event in a line of the log."""
    data = base64.b64decode(log.removeprefix(_LOGGED))
    _, _, _, _, in_0, fee_0, in_1, fee_1, down, price, liquidity, tick, *fees = _EVENT.unpack(data)
    return Event(
        (in_0, in_1),
        (fee_0, fee_1),
        down,
        int.from_bytes(price, "little"),
        int.from_bytes(liquidity, "little"),
        tick,
        (fees[0], fees[1]),
    )


def failure(result: FailedTransactionMetadata) -> int | str:
    """Return the custom code of a failed transaction, or else its name."""
    inner = getattr(result.err(), "err", result.err())
    return inner.code if hasattr(inner, "code") else str(inner).rpartition(".")[2]


def with_account(call: port.Instruction, index: int, address: str) -> port.Instruction:
    """Return the call with another account at `index`."""
    metas = list(call.accounts)
    metas[index] = replace(metas[index], address=address)
    return replace(call, accounts=tuple(metas))


def bounded(call: port.Instruction, sqrt_price: int) -> port.Instruction:
    """Return the call with a limit of the price, where it may fill a part only."""
    data = bytearray(call.data)
    data[PRICE_LIMIT] = sqrt_price.to_bytes(16, "little")
    return replace(call, data=bytes(data))
