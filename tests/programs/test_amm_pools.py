"""On every market of the localnet a quote is what the swap does: venue, genesis and program agree.

Nothing is set up by hand here but the mints and the trader's purse: pools are the localnet's own,
quotes and calls the venue's, and the VM runs the committed program.
"""

import struct
from decimal import Decimal
from typing import Final

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from quantdesk.app.kinds import KINDS, searches
from quantdesk.chains.port import AccountState, Wallet
from quantdesk.core.assets import ASSETS, TOKEN_2022
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import amm_pools
from quantdesk.localnet.accounts import GenesisAccount, mint, token_account
from quantdesk.localnet.opening import opening, pools
from quantdesk.venues.port import Fill, Swap
from quantdesk.venues.raydium.amm_v4 import layout
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed, AmmV4Pool

_USD: Final = {
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
_DEPTH: Final = Decimal(1_500_000)
_NOW_S: Final = 1_800_000_000
_RENT: Final = 2_039_280
_HELD: Final = {pair: market for pair, market in MARKETS.items() if amm_pools.has_pool(market)}


class _Localnet:
    """The genesis of one market, and a trader with plenty of both tokens."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        address, path = amm_pools.program()
        self.svm.add_program_from_file(Pubkey.from_string(address), path)
        self.price = _USD[market.base.symbol] / _USD[market.quote.symbol]
        self.trader = Keypair.from_seed(bytes([7]) * 32)
        self.svm.airdrop(self.trader.pubkey(), 10**10)
        self.purses = {}
        for number, asset in enumerate((market.base, market.quote)):
            purse = str(Pubkey(bytes([9, number]) * 16))
            self.purses[asset.mint] = purse
            owner = str(self.trader.pubkey())
            self._put(token_account(purse, asset=asset, owner=owner, amount=1 << 60))
            self._put(mint(asset, authority=owner))
        for account in amm_pools.accounts(market, price=self.price, depth_usd=_DEPTH, usd=_USD):
            self._put(account)

    def seen(self) -> AmmV4Pool:
        followed = AmmV4Followed(amm_pools.address(self.market))
        for _ in range(2):  # the pool first says which vaults to follow
            for address in followed.accounts():
                account = self.svm.get_account(Pubkey.from_string(address))
                assert account is not None
                state = AccountState(
                    address=address, slot=1, owner=str(account.owner), data=bytes(account.data)
                )
                followed.update(state, seen_ms=_NOW_S * 1000)
        return followed.snapshot(now_ms=_NOW_S * 1000)

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
        program = Pubkey.from_string(call.program)
        self.svm.expire_blockhash()
        before = self.held(self.purses[paid]), self.held(self.purses[received])
        message = MessageV0.try_compile(
            self.trader.pubkey(),
            [Instruction(program, call.data, metas)],
            [],
            self.svm.latest_blockhash(),
        )
        done = self.svm.send_transaction(VersionedTransaction(message, [self.trader]))
        assert isinstance(done, TransactionMetadata), done.meta().logs()
        after = self.held(self.purses[paid]), self.held(self.purses[received])
        return before[0] - after[0], after[1] - before[1]

    def held(self, address: str) -> int:
        account = self.svm.get_account(Pubkey.from_string(address))
        assert account is not None
        return int.from_bytes(account.data[64:72], "little")

    def _put(self, made: GenesisAccount) -> None:
        lamports = made.lamports or self.svm.minimum_balance_for_rent_exemption(len(made.data))
        owner = Pubkey.from_string(made.owner)
        account = Account(lamports, made.data, owner, False, 0)  # noqa: FBT003
        self.svm.set_account(Pubkey.from_string(made.address), account)


@pytest.fixture(params=list(_HELD.values()), ids=list(_HELD))
def net(request: pytest.FixtureRequest) -> _Localnet:
    return _Localnet(request.param)


@pytest.mark.parametrize("exact_in", [True, False])
@pytest.mark.parametrize("sells_base", [True, False])
def test_that_a_swap_does_what_was_quoted(
    net: _Localnet, *, sells_base: bool, exact_in: bool
) -> None:
    base, quote = net.market.base.mint, net.market.quote.mint
    paid, received = (base, quote) if sells_base else (quote, base)
    for part in (1_000_000, 1_000, 10):
        pool = net.seen()
        asked = paid if exact_in else received
        amount = pool.reserves[pool.account.mints.index(asked)] // part
        fill = pool.exact_in(paid, amount) if exact_in else pool.exact_out(paid, amount)
        assert net.take(paid, fill, exact_in=exact_in) == (fill.paid, fill.received)


def test_that_a_pool_opens_at_the_price_and_depth_asked(net: _Localnet) -> None:
    seen, market = net.seen(), net.market
    asked = net.price.scaleb(market.quote.decimals - market.base.decimals)
    assert abs(seen.about.spot / asked - 1) < Decimal("1e-7")
    for asset, amount in zip((market.base, market.quote), seen.reserves, strict=True):
        worth = Decimal(amount).scaleb(-asset.decimals) * _USD[asset.symbol]
        assert abs(worth - _DEPTH) < 1


def test_that_a_quarter_percent_of_what_is_paid_stays_in_the_pool(net: _Localnet) -> None:
    amount = 10**9
    for asset in (net.market.base, net.market.quote):
        fill = net.seen().exact_in(asset.mint, amount)
        assert (fill.fee, fill.fee_on_input) == (amount * 25 // 10_000, True)


@pytest.mark.parametrize("sells_sol", [True, False])
def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports(*, sells_sol: bool) -> None:
    net = _Localnet(MARKETS["SOL-USDC"])
    vault = Pubkey.from_string(net.seen().account.vaults[0])
    paid = (net.market.base if sells_sol else net.market.quote).mint
    for _ in range(2):
        account = net.svm.get_account(vault)
        assert account is not None
        assert account.lamports == _RENT + net.held(str(vault))
        net.take(paid, net.seen().exact_in(paid, 10**9), exact_in=True)


def test_that_the_account_is_as_the_program_makes_one(net: _Localnet) -> None:
    """Numbers of AmmInfo.initialize and Fees.initialize, order book settings included."""
    market = net.market
    [made, *_] = amm_pools.accounts(market, price=net.price, depth_usd=_DEPTH, usd=_USD)
    one = 10 ** max(market.base.decimals, market.quote.decimals)
    assert (made.address, made.owner, len(made.data)) == (
        *(amm_pools.address(market), layout.PROGRAM, layout.POOL_BYTES),
    )
    assert struct.unpack_from("<24Q", made.data) == (
        *(6, 254, 7, 3, market.base.decimals, market.quote.decimals, 1, 1),
        *(0, 500, one * 5 // 1000, 0, 0, 1, 10**9, one),
        *(5, 10_000, 25, 10_000, 12, 100, 25, 10_000),
    )
    assert made.data[192:336] == bytes(144)
    first, second = net.seen().reserves
    (liquidity,) = struct.unpack_from("<Q", made.data, 720)
    assert liquidity**2 <= first * second < (liquidity + 1) ** 2


def test_that_a_node_is_asked_for_it_by_its_mints(net: _Localnet) -> None:
    [made, *_] = amm_pools.accounts(net.market, price=net.price, depth_usd=_DEPTH, usd=_USD)
    mints = [bytes(Pubkey.from_string(asset.mint)) for asset in (net.market.quote, net.market.base)]
    found = [
        search.kind.program
        for kind in KINDS
        for search in searches(kind, *mints)
        if search.kind.size == len(made.data)
        and all(made.data[at:].startswith(bytes_) for at, bytes_ in search.bytes_at)
    ]
    assert found == [layout.PROGRAM]


def test_that_every_market_the_program_can_hold_has_a_pool_of_its_own() -> None:
    addresses = {amm_pools.address(market) for market in _HELD.values()}
    assert len(addresses) == len(_HELD)
    assert amm_pools.program()[0] == layout.PROGRAM
    for market in MARKETS.values():
        newer = TOKEN_2022 in {market.base.token_program, market.quote.token_program}
        assert (market.pair in _HELD) is not newer
        made = amm_pools.accounts(market, price=Decimal(1), depth_usd=_DEPTH, usd=_USD)
        assert bool(made) is not newer


def test_that_a_fresh_localnet_opens_with_them() -> None:
    wallet = Wallet(
        str(Pubkey(bytes([1]) * 32)),
        {symbol: str(Pubkey(bytes([2, n]) * 16)) for n, symbol in enumerate(ASSETS)},
    )
    genesis = opening(trader=wallet, maker=wallet, usd=_USD, depth_usd=_DEPTH / 2)
    stands = {account.address: account for account in genesis.accounts}
    assert genesis.programs[layout.PROGRAM] == amm_pools.program()[1]
    for market in MARKETS.values():
        followed = [pool for pool in pools(market)["raydium"] if isinstance(pool, AmmV4Followed)]
        assert len(followed) == (market.pair in _HELD)
        for pool in followed:
            account = stands[pool.address]
            price = _USD[market.base.symbol] / _USD[market.quote.symbol]
            expected = amm_pools.accounts(market, price=price, depth_usd=_DEPTH, usd=_USD)
            assert account == expected[0]
            assert all(stands[one.address] == one for one in expected)
    assert layout.PROGRAM in {kind.program for kind in KINDS}
