"""A market of the localnet's genesis on a chain of its own, and a trader with much of both tokens.

Nothing is set up by hand here but the mints and the trader's purse: pools are the localnet's own,
quotes and calls the venue's, and the VM runs the committed program.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from quantdesk.chains.port import AccountState
from quantdesk.core.markets import Market
from quantdesk.localnet.accounts import GenesisAccount, mint, token_account
from quantdesk.venues.port import Fill, Pool, Swap

USD: Final = {
    symbol: Decimal(price)
    for symbol, price in {
        "SOL": "151.37",
        "USDC": "1",
        "USDT": "0.9998",
        "BTC": "61234.5",
        "ETH": "3021",
        "PYUSD": "0.9997",
    }.items()
}
RENT: Final = 2_039_280
_NOW_S: Final = 1_800_000_000
_UNITS_MAX: Final = 400_000

P = TypeVar("P", bound=Pool)
P_co = TypeVar("P_co", bound=Pool, covariant=True)


class Follows(Protocol[P_co]):
    """What follows the accounts of one pool."""

    def accounts(self) -> Iterable[str]:
        """Return what is to be followed, as far as is known."""

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take an account's state."""

    def snapshot(self, *, now_ms: int) -> P_co:
        """Return the pool."""


class Opening(Protocol):
    """A module of the localnet that opens pools of one kind."""

    def program(self) -> tuple[str, Path]:
        """Return the address and the file of the program."""

    def address(self, market: Market) -> str:
        """Return where a market's pool is."""

    def accounts(
        self, market: Market, *, price: Decimal, depth_usd: Decimal, usd: Mapping[str, Decimal]
    ) -> Iterable[GenesisAccount]:
        """Return all that belongs to a market's pool."""


class Opened(Generic[P]):
    """One market's pool as the genesis opens it, and the trader who swaps in it."""

    def __init__(
        self, opens: Opening, follow: Callable[[str], Follows[P]], market: Market, depth: Decimal
    ) -> None:
        self._address, self._follow = opens.address(market), follow
        self.market = market
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        address, path = opens.program()
        self.svm.add_program_from_file(Pubkey.from_string(address), path)
        clock = self.svm.get_clock()
        clock.unix_timestamp = _NOW_S
        self.svm.set_clock(clock)
        self.price = USD[market.base.symbol] / USD[market.quote.symbol]
        self.trader = Keypair.from_seed(bytes([7]) * 32)
        self.svm.airdrop(self.trader.pubkey(), 10**10)
        self.purses = {}
        for number, asset in enumerate((market.base, market.quote)):
            purse = str(Pubkey(bytes([9, number]) * 16))
            self.purses[asset.mint] = purse
            owner = str(self.trader.pubkey())
            self._put(token_account(purse, asset=asset, owner=owner, amount=1 << 60))
            self._put(mint(asset, authority=owner))
        for account in opens.accounts(market, price=self.price, depth_usd=depth, usd=USD):
            self._put(account)

    def seen(self) -> P:
        """Return the venue's snapshot of the pool."""
        followed, given = self._follow(self._address), set[str]()
        while wanted := [at for at in followed.accounts() if at not in given]:
            for address in wanted:
                account = self.account(address)
                state = AccountState(
                    address=address, slot=1, owner=str(account.owner), data=bytes(account.data)
                )
                followed.update(state, seen_ms=_NOW_S * 1000)
                given.add(address)
        return followed.snapshot(now_ms=_NOW_S * 1000)

    def price_now(self) -> Decimal:
        """Return quote per base, in whole units."""
        about = self.seen().about
        spot = about.spot if about.mints[0] == self.market.base.mint else 1 / about.spot
        return spot.scaleb(self.market.base.decimals - self.market.quote.decimals)

    def take(self, paid: str, fill: Fill, *, exact_in: bool) -> tuple[int, int]:
        """Return what the trader paid and received; the limit is the quote itself."""
        received = next(mint for mint in self.purses if mint != paid)
        call = self.seen().instruction(
            Swap(
                paid=paid,
                exact_in=exact_in,
                amount=fill.paid if exact_in else fill.received,
                limit=fill.received if exact_in else fill.paid,
                owner=str(self.trader.pubkey()),
                paid_from=self.purses[paid],
                received_in=self.purses[received],
            )
        )
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in call.accounts
        ]
        swap = Instruction(Pubkey.from_string(call.program), call.data, metas)
        self.svm.expire_blockhash()
        before = self.held(self.purses[paid]), self.held(self.purses[received])
        message = MessageV0.try_compile(
            self.trader.pubkey(),
            [set_compute_unit_limit(_UNITS_MAX), swap],
            [],
            self.svm.latest_blockhash(),
        )
        done = self.svm.send_transaction(VersionedTransaction(message, [self.trader]))
        assert isinstance(done, TransactionMetadata), done.meta().logs()
        after = self.held(self.purses[paid]), self.held(self.purses[received])
        return before[0] - after[0], after[1] - before[1]

    def held(self, address: str) -> int:
        """Return what a token account holds."""
        return int.from_bytes(self.account(address).data[64:72], "little")

    def account(self, address: str) -> Account:
        """Return an account that exists."""
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return account

    def backs_its_sol(self, vault: str, *, sells: bool) -> bool:
        """Return whether a vault of SOL has its lamports, before a swap and after it."""
        paid = (self.market.base if sells else self.market.quote).mint
        before = self.account(vault).lamports == RENT + self.held(vault)
        self.take(paid, self.seen().exact_in(paid, 10**9), exact_in=True)
        return before and self.account(vault).lamports == RENT + self.held(vault)

    def _put(self, made: GenesisAccount) -> None:
        lamports = made.lamports or self.svm.minimum_balance_for_rent_exemption(len(made.data))
        account = Account(lamports, made.data, Pubkey.from_string(made.owner))
        self.svm.set_account(Pubkey.from_string(made.address), account)
