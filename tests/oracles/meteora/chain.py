"""A chain with one DLMM pool on it: the program under test in LiteSVM, a trader, and a clock."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata
from tests.oracles.meteora import pools
from tests.oracles.meteora.pools import token_account

from quantdesk.core.assets import TOKEN_2022, Asset
from quantdesk.core.markets import Market
from quantdesk.localnet import accounts
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.venues.meteora.dlmm import instructions, layout
from quantdesk.venues.meteora.dlmm.swap import Pool

TOKENS = Pubkey.from_string(pools.TOKENS)
PURSE = 1 << 62
"""What the trader holds of each token."""

_RENT = 10_000_000_000
_UNITS_MAX = 1_400_000
_SUPPLY_AND_DECIMALS = struct.Struct("<36x Q B B 36x")
_BALANCE = slice(64, 72)


@dataclass(frozen=True, slots=True)
class Wish:
    """A swap to send: `limit` is the least out or the most in, `arrays` are indexes."""

    exact_in: bool
    sell_x: bool
    amount: int
    limit: int
    arrays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Landed:
    """What a transaction did: tokens moved, compute units; `error` is the program's code."""

    paid: int
    received: int
    units: int
    error: int | str | None
    logs: tuple[str, ...]


class Chain:
    """One pool and one trader; every swap is a transaction."""

    def __init__(
        self, program: Path, market: Market, genesis: Iterable[GenesisAccount], *, now_s: int
    ) -> None:
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        self.svm.add_program_from_file(Pubkey.from_string(layout.PROGRAM), program)
        self.trader = Keypair.from_seed(bytes([7]) * 32)
        self.svm.airdrop(self.trader.pubkey(), _RENT)
        self.market = market
        self.set_time(now_s)
        for account in genesis:
            self.put(account.address, account.data, owner=account.owner)
            if account.data[:8] == layout.PAIR_DISCRIMINATOR:
                self.pair = account.address
        for asset in (market.base, market.quote):
            self._endow(asset)

    def _endow(self, asset: Asset) -> None:
        """Make a token and give the trader a purse of it."""
        purse, owner = self.purse(asset.mint), self.trader.pubkey()
        if asset.token_program == TOKEN_2022:
            filled = accounts.token_account(purse, asset=asset, owner=str(owner), amount=PURSE)
            for made in (accounts.mint(asset, authority=str(owner)), filled):
                self.put(made.address, made.data, owner=made.owner)
        else:
            self.put(asset.mint, _SUPPLY_AND_DECIMALS.pack(PURSE, asset.decimals, 1))
            self.put(purse, token_account(asset.mint, owner, PURSE))

    def set_time(self, now_s: int) -> None:
        """Set the chain's Unix time in seconds."""
        clock = self.svm.get_clock()
        clock.unix_timestamp = now_s
        self.svm.set_clock(clock)

    def put(self, address: str, data: bytes, *, owner: str = str(TOKENS)) -> None:
        """Write an account."""
        lamports = max(_RENT, _native_lamports(data) if owner == str(TOKENS) else 0)
        account = Account(lamports, data, Pubkey.from_string(owner), False, 0)  # noqa: FBT003
        self.svm.set_account(Pubkey.from_string(address), account)

    def data(self, address: str) -> bytes:
        """Return an account's data."""
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None, address
        return bytes(account.data)

    def balance(self, address: str) -> int:
        """Return the tokens in a token account."""
        return int.from_bytes(self.data(address)[_BALANCE], "little")

    def purse(self, mint: str) -> str:
        """Return the trader's token account of a mint."""
        trader = bytes(self.trader.pubkey())
        seeds = [trader, bytes(TOKENS), bytes(Pubkey.from_string(mint))]
        return str(Pubkey.find_program_address(seeds, TOKENS)[0])

    def pool(self, indexes: Iterable[int]) -> Pool:
        """Return the pool as our decoder reads it now, with the bin arrays of these indexes."""
        arrays = (
            layout.decode_bin_array(self.data(layout.bin_array_address(self.pair, index)))
            for index in indexes
        )
        pair = layout.decode_pair(self.data(self.pair))
        return Pool(pair, {array.index: array for array in arrays})

    def call(self, wish: Wish) -> Instruction:
        """Return a swap as an instruction, to be sent as it is or spoiled first."""
        pair = layout.decode_pair(self.data(self.pair))
        paid, received = (pair.mint_x, pair.mint_y) if wish.sell_x else (pair.mint_y, pair.mint_x)
        trade = instructions.Trade(
            address=self.pair,
            pair=pair,
            extension=None,
            arrays=wish.arrays,
            owner=str(self.trader.pubkey()),
            paid_from=self.purse(paid),
            received_in=self.purse(received),
        )
        build = instructions.swap_exact_in if wish.exact_in else instructions.swap_exact_out
        made = build(trade, wish.amount, wish.limit)
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in made.accounts
        ]
        return Instruction(Pubkey.from_string(made.program), made.data, metas)

    def send(self, instruction: Instruction) -> Landed:
        """Send an instruction and say what it did to the trader's two purses."""
        purses = [self.purse(asset.mint) for asset in (self.market.base, self.market.quote)]
        before = [self.balance(purse) for purse in purses]
        self.svm.expire_blockhash()
        message = MessageV0.try_compile(
            self.trader.pubkey(),
            [set_compute_unit_limit(_UNITS_MAX), instruction],
            [],
            self.svm.latest_blockhash(),
        )
        done = self.svm.send_transaction(VersionedTransaction(message, [self.trader]))
        moved = [self.balance(purse) - held for purse, held in zip(purses, before, strict=True)]
        if isinstance(done, FailedTransactionMetadata):
            meta = done.meta()
            return Landed(0, 0, meta.compute_units_consumed(), _code(done), tuple(meta.logs()))
        units = done.compute_units_consumed()
        return Landed(-min(moved), max(moved), units, None, tuple(done.logs()))


def _native_lamports(data: bytes) -> int:
    native = len(data) == 165 and data[109] == 1
    return int.from_bytes(data[_BALANCE], "little") + 2_039_280 if native else 0


def _code(failed: FailedTransactionMetadata) -> int | str:
    error = failed.err()
    inner = getattr(error, "err", error)
    return int(inner.code) if hasattr(inner, "code") else str(inner)
