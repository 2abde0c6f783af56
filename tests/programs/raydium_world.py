"""A LiteSVM with one Raydium pool and one trader, whose every number a test may set.

The pool is the localnet's own BTC-USDC pool; the calls are the venue's.
"""

import struct
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from msgspec.structs import replace
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from quantdesk.chains import port
from quantdesk.core.markets import MARKETS
from quantdesk.localnet import raydium_pools
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.curve import FeeRates
from quantdesk.venues.raydium.cpmm.instructions import Leg, swap_base_input, swap_base_output
from quantdesk.venues.reading import TOKEN_PROGRAM

MARKET: Final = MARKETS["BTC-USDC"]
TOKENS: Final = Pubkey.from_string(TOKEN_PROGRAM)
PROGRAM: Final = Pubkey.from_string(layout.PROGRAM)
NOW_S: Final = 1_800_000_000
STATUS, PROTOCOL_FEES, FUND_FEES, OPEN_TIME, CREATOR_MODE, CREATOR_FEES = (
    329,
    341,
    357,
    373,
    389,
    397,
)
OBSERVATION_DATA: Final = 11 + 32

_LAMPORTS: Final = 10**10
_PRICE: Final = Decimal(60_000)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a swap did: an error (custom code or name) or the movement of the trader's balances."""

    error: int | str | None
    paid: int = 0
    received: int = 0
    logs: tuple[str, ...] = ()
    compute_units: int = 0


def token_account(mint: Pubkey, owner: Pubkey, amount: int) -> bytes:
    return bytes(mint) + bytes(owner) + struct.pack("<Q", amount) + bytes(36) + b"\x01" + bytes(56)


def mint_account(decimals: int) -> bytes:
    return bytes(36) + struct.pack("<QBB", (1 << 64) - 1, decimals, 1) + bytes(36)


def failure(result: FailedTransactionMetadata) -> int | str:
    """Return the custom code of a failed transaction, or else its name."""
    inner = getattr(result.err(), "err", result.err())
    return inner.code if hasattr(inner, "code") else str(inner).rpartition(".")[2]


class World:
    """One pool, one trader."""

    def __init__(self, program: bytes | None = None) -> None:
        path = raydium_pools.program()[1]
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        self.svm.add_program(PROGRAM, program or path.read_bytes())
        usd = {"BTC": _PRICE, "USDC": Decimal(1)}
        genesis = raydium_pools.accounts(
            MARKET, price=_PRICE, depth_usd=Decimal(1_000_000), usd=usd
        )
        for account in genesis:
            self.put(Pubkey.from_string(account.address), account.data, account.owner)
        self.pool_address = Pubkey.from_string(raydium_pools.address(MARKET))
        self._genesis = {account.address: (account.data, account.owner) for account in genesis}
        self.pool = layout.pool(self.data(self.pool_address))
        self.vaults = [Pubkey.from_string(vault) for vault in self.pool.vaults]
        self.mints = [Pubkey.from_string(mint) for mint in self.pool.mints]
        self.observation = Pubkey.from_string(self.pool.observation)
        self.trader = Keypair()
        self.purses = [Pubkey.new_unique(), Pubkey.new_unique()]
        self.svm.airdrop(self.trader.pubkey(), 10**12)
        for mint, decimals in zip(self.mints, self.pool.decimals, strict=True):
            self.put(mint, mint_account(decimals), TOKEN_PROGRAM)
        self.reset()

    def reset(self) -> None:
        """Put pool, config, observation, balances and clock back to the start."""
        for address, (data, owner) in self._genesis.items():
            self.put(Pubkey.from_string(address), data, owner)
        self.at(NOW_S)
        self.fund(1 << 62, 1 << 62)

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

    def at(self, unix_s: int, epoch: int = 7) -> None:
        """Set the chain's clock."""
        clock = self.svm.get_clock()
        clock.unix_timestamp = unix_s
        clock.epoch = epoch
        self.svm.set_clock(clock)

    def fund(self, *amounts: int) -> None:
        """Set what the trader holds of token 0 and token 1."""
        owner = self.trader.pubkey()
        for purse, mint, amount in zip(self.purses, self.mints, amounts, strict=True):
            self.put(purse, token_account(mint, owner, amount), TOKEN_PROGRAM)

    def fill(self, *amounts: int) -> None:
        """Set what the vaults of token 0 and token 1 hold."""
        for vault, amount in zip(self.vaults, amounts, strict=True):
            self.patch(vault, 64, "<Q", amount)

    def charge(self, rates: FeeRates, input_token: int) -> None:
        """Set the fees so that a trade in which `input_token` comes in pays these rates."""
        config = Pubkey.from_string(self.pool.config)
        self.patch(config, 12, "<3Q", rates.trade, rates.protocol, rates.fund)
        self.patch(config, 108, "<Q", rates.creator)
        mode = 1 + (input_token if rates.creator_on_input else 1 - input_token)
        self.patch(self.pool_address, CREATOR_MODE, "<BB", mode, 1)

    def amounts(self) -> tuple[int, int, int, int]:
        """Return what the trader and the vaults hold: token 0, token 1, vault 0, vault 1."""
        first, second, *vaults = (
            int.from_bytes(self.data(address)[64:72], "little")
            for address in (*self.purses, *self.vaults)
        )
        return first, second, vaults[0], vaults[1]

    def owed(self) -> tuple[int, ...]:
        """Return the pool's fees: protocol 0, 1, fund 0, 1, creator 0, 1."""
        data = self.data(self.pool_address)
        starts = (PROTOCOL_FEES, FUND_FEES, CREATOR_FEES)
        return tuple(amount for at in starts for amount in struct.unpack_from("<2Q", data, at))

    def leg(self, input_token: int) -> Leg:
        """Return the trader's swap of that token."""
        return Leg(
            owner=str(self.trader.pubkey()),
            pool_address=str(self.pool_address),
            pool=self.pool,
            input_token=input_token,
            input_account=str(self.purses[input_token]),
            output_account=str(self.purses[1 - input_token]),
        )

    def sell(self, amount_in: int, minimum_out: int = 0, *, input_token: int = 0) -> Outcome:
        """Swap exactly `amount_in`."""
        call = swap_base_input(self.leg(input_token), amount_in=amount_in, minimum_out=minimum_out)
        return self.send(call, input_token)

    def buy(
        self, amount_out: int, maximum_in: int = (1 << 64) - 1, *, input_token: int = 0
    ) -> Outcome:
        """Swap for exactly `amount_out`."""
        call = swap_base_output(self.leg(input_token), maximum_in=maximum_in, amount_out=amount_out)
        return self.send(call, input_token)

    def send(self, call: port.Instruction, input_token: int = 0) -> Outcome:
        """Run the call in a transaction of its own."""
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in call.accounts
        ]
        payer = self.trader.pubkey()
        instruction = Instruction(Pubkey.from_string(call.program), call.data, metas)
        message = MessageV0.try_compile(payer, [instruction], [], self.svm.latest_blockhash())
        unsigned = [Signature.default()] * message.header.num_required_signatures
        transaction = VersionedTransaction.populate(message, unsigned)
        before = self.amounts()
        result = self.svm.send_transaction(transaction)
        if not isinstance(result, TransactionMetadata):
            return Outcome(failure(result), logs=tuple(result.meta().logs()))
        after = self.amounts()
        return Outcome(
            error=None,
            paid=before[input_token] - after[input_token],
            received=after[1 - input_token] - before[1 - input_token],
            logs=tuple(result.logs()),
            compute_units=result.compute_units_consumed(),
        )


def with_account(call: port.Instruction, index: int, address: Pubkey | str) -> port.Instruction:
    """Return the call with another account at `index`."""
    metas = list(call.accounts)
    metas[index] = replace(metas[index], address=str(address))
    return replace(call, accounts=tuple(metas))
