"""On every market of the localnet a quote is what the swap does: venue, genesis and program agree.

Nothing is set up by hand here but the mints and the trader's purse: pools are the localnet's own,
quotes and calls the venue's, and the VM runs the committed program.
"""

from decimal import Decimal
from typing import Final

import pytest
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
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import clmm_pools
from quantdesk.localnet.accounts import GenesisAccount, mint, token_account
from quantdesk.venues.port import Fill, Swap
from quantdesk.venues.raydium.clmm import layout, swap
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed, ClmmPool

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
_DEPTH: Final = Decimal(500_000)
_NOW_S: Final = 1_800_000_000
_UNITS_MAX: Final = 400_000
_RENT: Final = 2_039_280


class _Localnet:
    """The genesis of one market, and a trader with plenty of both tokens."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        address, path = clmm_pools.program()
        self.svm.add_program_from_file(Pubkey.from_string(address), path)
        clock = self.svm.get_clock()
        clock.unix_timestamp = _NOW_S
        self.svm.set_clock(clock)
        self.price = _USD[market.base.symbol] / _USD[market.quote.symbol]
        self.genesis = clmm_pools.accounts(market, price=self.price, depth_usd=_DEPTH, usd=_USD)
        self.trader = Keypair()
        self.svm.airdrop(self.trader.pubkey(), 10**10)
        self.purses = {}
        for asset in (market.base, market.quote):
            purse = str(Pubkey.new_unique())
            self.purses[asset.mint] = purse
            owner = str(self.trader.pubkey())
            self._put(token_account(purse, asset=asset, owner=owner, amount=1 << 60))
            self._put(mint(asset, authority=owner))
        for account in self.genesis:
            self._put(account)

    def seen(self) -> ClmmPool:
        followed, given = ClmmFollowed(clmm_pools.address(self.market)), set[str]()
        while wanted := [at for at in followed.accounts() if at not in given]:
            for address in wanted:
                account = self.svm.get_account(Pubkey.from_string(address))
                assert account is not None
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
        program = Pubkey.from_string(call.program)
        self.svm.expire_blockhash()
        before = self.held(self.purses[paid]), self.held(self.purses[received])
        message = MessageV0.try_compile(
            self.trader.pubkey(),
            [set_compute_unit_limit(_UNITS_MAX), Instruction(program, call.data, metas)],
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
        account = Account(lamports, made.data, Pubkey.from_string(made.owner))
        self.svm.set_account(Pubkey.from_string(made.address), account)


@pytest.fixture(params=MARKETS.values(), ids=lambda market: market.pair)
def net(request: pytest.FixtureRequest) -> _Localnet:
    return _Localnet(request.param)


def test_that_what_is_quoted_is_what_happens(net: _Localnet) -> None:
    one = 10**net.market.base.decimals
    base, quote = net.market.base.mint, net.market.quote.mint
    size = int(40_000 / _USD[net.market.base.symbol] * one)
    for amount in (size // 1000, size, 5 * size + 1, 12 * size):
        for paid, exact_in in ((base, True), (quote, False), (quote, True), (base, False)):
            seen = net.seen()
            spot = net.price_now().scaleb(net.market.quote.decimals - net.market.base.decimals)
            raw = amount if (paid == base) == exact_in else int(amount * spot)
            fill = (seen.exact_in if exact_in else seen.exact_out)(paid, raw)
            assert net.take(paid, fill, exact_in=exact_in) == (fill.paid, fill.received)


def test_that_a_pool_opens_at_the_price_asked(net: _Localnet) -> None:
    assert abs(net.price_now() / net.price - 1) < Decimal("1e-9")


def test_that_the_depth_asked_lies_within_two_percent(net: _Localnet) -> None:
    market = net.market
    for side, mint_ in enumerate((market.base.mint, market.quote.mint)):
        worth = int((_DEPTH / _USD[(market.base, market.quote)[side].symbol]).scaleb(
            (market.base, market.quote)[side].decimals))  # fmt: skip
        net = _Localnet(market)
        # Taking the depth out of the pool moves its price by 2 %, up or down.
        other = market.quote.mint if side == 0 else market.base.mint
        fill = net.seen().exact_out(other, worth)
        net.take(other, fill, exact_in=False)
        moved = net.price_now() / net.price
        wanted = Decimal("1.02") if mint_ == market.base.mint else 1 / Decimal("1.02")
        assert abs(moved / wanted - 1) < Decimal("0.002")


def test_that_fees_are_those_of_its_market(net: _Localnet) -> None:
    market, amount = net.market, 10**8
    fill = net.seen().exact_in(market.quote.mint, amount)
    bps = 1 if market.pair in {"USDT-USDC", "PYUSD-USDC"} else 5
    assert fill.fee == amount * bps // 10_000
    assert fill.fee_on_input


def test_that_a_trade_of_some_size_crosses_ticks(net: _Localnet) -> None:
    seen = net.seen()
    for paid in (net.market.base.mint, net.market.quote.mint):
        down = paid == seen.about.mints[0]
        ticks = seen.market.below if down else seen.market.above
        amount = int(sum(piece.most for piece in seen.curve(paid)[:2]) * 1.01)
        last = swap.exact_in(seen.market, amount, down=down).last
        assert ticks[2].number == last


def test_that_a_pool_can_be_driven_to_the_ends_of_its_range(net: _Localnet) -> None:
    reach = clmm_pools.design(net.market).ranges[-1][0]
    start = net.seen().market.tick
    for paid in net.seen().about.mints:
        net = _Localnet(net.market)
        seen = net.seen()
        most = int(sum(piece.most for piece in seen.curve(paid)) * (1 - 1e-6))
        net.take(paid, seen.exact_in(paid, most), exact_in=True)
        way = -reach if paid == seen.about.mints[0] else reach
        assert abs(net.seen().market.tick - start - way) <= net.seen().market.tick_spacing


@pytest.mark.parametrize("sells_sol", [True, False])
def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports(*, sells_sol: bool) -> None:
    net = _Localnet(MARKETS["SOL-USDC"])
    vault = Pubkey.from_string(net.seen().pool.vaults[0])
    paid = (net.market.base if sells_sol else net.market.quote).mint
    for _ in range(2):
        account = net.svm.get_account(vault)
        assert account is not None
        assert account.lamports == _RENT + net.held(str(vault))
        net.take(paid, net.seen().exact_in(paid, 10**9), exact_in=True)


def test_that_every_market_has_a_pool_of_its_own() -> None:
    addresses = {clmm_pools.address(market) for market in MARKETS.values()}
    assert len(addresses) == len(MARKETS)
    assert clmm_pools.program()[0] == layout.PROGRAM
    # The configs are mainnet's: these are the addresses of the real ones.
    configs = {clmm_pools.config_address(market) for market in MARKETS.values()}
    assert configs == {
        "9iFER3bpjf1PTTCQCfTRu17EJgvsxo9pVyA9QWwEuX4x",
        "HfERMT5DRA6C1TAqecrJQFpmkf3wsWTMncqnj3RDg5aw",
    }
