"""Raydium quotes from what the chain said last, names what it cannot do, and never guesses.

The chain here is the localnet's own genesis: one pool per market, read account by account.
"""

import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import pytest
from msgspec.structs import replace

from quantdesk.chains.port import AccountMeta
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.localnet import raydium_pools
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.venues.port import Quote, Swap, Venue
from quantdesk.venues.raydium import cpmm, layout
from quantdesk.venues.raydium.venue import Raydium

_USD: Final = {
    symbol: Decimal(price)
    for symbol, price in {"SOL": 150, "USDC": 1, "USDT": 1, "BTC": 60_000, "ETH": 3_000}.items()
}
_NOW_MS: Final = 1_800_000_000_000
_SOL: Final = MARKETS["SOL-USDC"]
_BTC: Final = MARKETS["BTC-USDC"]
_DEPTH: Final = Decimal(3_000_000)


def _genesis(market: Market) -> dict[str, bytes]:
    price = _USD[market.base.symbol] / _USD[market.quote.symbol]
    accounts = raydium_pools.accounts(market, price=price, depth_usd=_DEPTH, usd=_USD)
    return {account.address: account.data for account in accounts}


def _feed(venue: Raydium, accounts: dict[str, bytes], *, slot: int = 10) -> None:
    """Hand the venue what it asks for until it asks for nothing new, as the desk does."""
    given: set[str] = set()
    while wanted := [a for a in venue.accounts() if a in accounts and a not in given]:
        for address in wanted:
            venue.update(address, accounts[address], slot=slot, seen_ms=slot * 400)
            given.add(address)


def _ready(*markets: Market) -> Raydium:
    venue = Raydium([raydium_pools.address(market) for market in markets])
    for market in markets:
        _feed(venue, _genesis(market))
    return venue


def _one(venue: Raydium, market: Market, side: Side, base_raw: int) -> Quote:
    (quote,) = venue.quotes(market, side, base_raw, now_ms=_NOW_MS)
    return quote


def _changed(data: bytes, offset: int, form: str, *values: int) -> bytes:
    copy = bytearray(data)
    struct.pack_into(form, copy, offset, *values)
    return bytes(copy)


def _vaults(market: Market) -> dict[Side, str]:
    """Return the vault that fills in a SELL and the one that fills in a BUY."""
    pool = layout.pool(_genesis(market)[raydium_pools.address(market)])
    base = pool.mints.index(market.base.mint)
    return {Side.SELL: pool.vaults[base], Side.BUY: pool.vaults[1 - base]}


def test_that_it_is_a_venue() -> None:
    venue: Venue = Raydium([])
    assert venue.name == "raydium"
    assert venue.accounts() == ()


def test_that_a_pool_names_the_accounts_its_price_hangs_on() -> None:
    address = raydium_pools.address(_BTC)
    venue = Raydium([address])
    assert venue.accounts() == (address,)
    venue.update(address, _genesis(_BTC)[address], slot=1, seen_ms=1)
    pool = layout.pool(_genesis(_BTC)[address])
    assert venue.accounts() == (address, pool.config, *pool.vaults)


@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.pair)
@pytest.mark.parametrize("side", Side)
def test_that_a_quote_is_the_programs_own_integers(market: Market, side: Side) -> None:
    base_raw = 10**market.base.decimals // 10
    quote = _one(_ready(market), market, side, base_raw)
    genesis = _genesis(market)
    held = {way: layout.vault(genesis[vault]).amount for way, vault in _vaults(market).items()}
    rates = cpmm.FeeRates(2_500, 0, 120_000, 40_000, creator_on_input=True)
    if side is Side.SELL:
        trade = cpmm.exact_input(base_raw, cpmm.Reserves(held[Side.SELL], held[Side.BUY]), rates)
        assert (quote.base_raw, quote.quote_raw) == (trade.input_raw, trade.output_raw)
    else:
        trade = cpmm.exact_output(base_raw, cpmm.Reserves(held[Side.BUY], held[Side.SELL]), rates)
        assert (quote.base_raw, quote.quote_raw) == (trade.output_raw, trade.input_raw)


def test_that_price_mid_fee_and_impact_are_what_the_port_says() -> None:
    venue = _ready(_SOL)  # 20,000 SOL and 3,000,000 USDC
    sold = _one(venue, _SOL, Side.SELL, 200 * 10**9)
    assert sold.mid == 150
    assert sold.fee_bps == 25
    assert sold.price == Decimal(sold.quote_raw).scaleb(-6) / 200
    # 199.5 SOL reach the curve: 199.5 / 20,199.5 of the price is lost to the size itself.
    assert round(sold.impact_bps, 3) == Decimal("98.765")
    assert abs(sold.price / 150 - (1 - sold.impact_bps / 10_000) * Decimal("0.9975")) < 1e-9
    bought = _one(venue, _SOL, Side.BUY, 200 * 10**9)
    assert round(bought.impact_bps, 3) == Decimal("101.010")  # 200 / 19,800
    assert abs(bought.price / 150 - (1 + bought.impact_bps / 10_000) / Decimal("0.9975")) < 1e-9
    assert sold.price < sold.mid < bought.price


def test_that_the_smallest_trades_show_no_rounding_as_impact() -> None:
    quote = _one(_ready(_SOL), _SOL, Side.BUY, 1)
    assert quote.quote_raw == 2
    assert quote.impact_bps < Decimal("0.000001")


def test_that_a_quote_is_as_old_as_the_oldest_state_in_it() -> None:
    venue = _ready(_BTC)
    genesis, vaults = _genesis(_BTC), _vaults(_BTC)
    venue.update(vaults[Side.SELL], genesis[vaults[Side.SELL]], slot=30, seen_ms=30_000)
    assert _one(venue, _BTC, Side.SELL, 10**6).slot == 10
    venue.update(vaults[Side.BUY], genesis[vaults[Side.BUY]], slot=25, seen_ms=25_000)
    pool = raydium_pools.address(_BTC)
    venue.update(pool, genesis[pool], slot=40, seen_ms=40_000)
    quote = _one(venue, _BTC, Side.SELL, 10**6)
    assert (quote.slot, quote.seen_ms) == (25, 25_000)


def test_that_the_newest_state_counts_and_older_slots_are_ignored() -> None:
    venue = _ready(_BTC)
    vault = _vaults(_BTC)[Side.BUY]
    half = _changed(_genesis(_BTC)[vault], 64, "<Q", 10**12)
    venue.update(vault, half, slot=11, seen_ms=5_000)
    mid = _one(venue, _BTC, Side.SELL, 10**6).mid
    venue.update(vault, _genesis(_BTC)[vault], slot=9, seen_ms=6_000)
    assert _one(venue, _BTC, Side.SELL, 10**6).mid == mid == Decimal(20_000)


def test_that_fees_owed_are_no_liquidity() -> None:
    venue = _ready(_BTC)
    before = _one(venue, _BTC, Side.SELL, 10**6)
    pool = raydium_pools.address(_BTC)
    owed = _changed(_genesis(_BTC)[pool], 341, "<4Q", *(10**9,) * 4)
    venue.update(pool, _changed(owed, 397, "<2Q", 10**9, 10**9), slot=11, seen_ms=1)
    after = _one(venue, _BTC, Side.SELL, 10**6)
    assert after.quote_raw != before.quote_raw
    base, quote = 50 * 10**8 - 3 * 10**9, 3 * 10**12 - 3 * 10**9
    assert after.mid == Decimal(quote * 100) / base


def test_that_the_creators_fee_is_part_of_the_quote() -> None:
    venue = _ready(_BTC)
    plain = _one(venue, _BTC, Side.SELL, 10**6)
    pool = raydium_pools.address(_BTC)
    config = layout.pool(_genesis(_BTC)[pool]).config
    venue.update(config, _changed(_genesis(_BTC)[config], 108, "<Q", 500), slot=11, seen_ms=1)
    assert _one(venue, _BTC, Side.SELL, 10**6) == plain  # the pool does not take it
    for mode in range(3):
        data = _changed(_genesis(_BTC)[pool], 389, "<BB", mode, 1)
        venue.update(pool, data, slot=11, seen_ms=4_000)
        charged = _one(venue, _BTC, Side.SELL, 10**6)
        assert charged.fee_bps == 30
        assert charged.quote_raw < plain.quote_raw


@pytest.mark.parametrize(
    ("mode", "token", "on_input"),
    [(0, 0, True), (0, 1, True), (1, 0, True), (1, 1, False), (2, 0, False), (2, 1, True)],
)
def test_that_the_creators_fee_is_in_the_token_the_pool_names(
    mode: int, token: int, *, on_input: bool
) -> None:
    data = _genesis(_BTC)[raydium_pools.address(_BTC)]
    pool = layout.pool(_changed(data, 389, "<BB", mode, 1))
    assert pool.creator_on_input(token) is on_input


def test_that_several_pools_of_a_market_all_quote() -> None:
    other = "9" * 43
    venue = Raydium([raydium_pools.address(_BTC), other])
    genesis = _genesis(_BTC)
    _feed(venue, genesis | {other: genesis[raydium_pools.address(_BTC)]})
    quotes = venue.quotes(_BTC, Side.SELL, 10**6, now_ms=_NOW_MS)
    assert [quote.pool for quote in quotes] == [raydium_pools.address(_BTC), other]


def _accounts_of(market: Market) -> Iterable[str]:
    pool = layout.pool(_genesis(market)[raydium_pools.address(market)])
    return (raydium_pools.address(market), pool.config, *pool.vaults)


@pytest.mark.parametrize("number", range(4))
def test_that_an_unreadable_account_stops_its_pool_until_it_is_readable_again(number: int) -> None:
    venue = _ready(_BTC)
    address = tuple(_accounts_of(_BTC))[number]
    data = _genesis(_BTC)[address]
    for damaged, code in (
        (b"", "account.missing"),
        (data[:-1], "account.unreadable"),
        (data + b"\0", "account.unreadable"),
        (bytes(len(data)), "account.unreadable"),
    ):
        with pytest.raises(Corrupt) as corrupt:
            venue.update(address, damaged, slot=11, seen_ms=1)
        assert corrupt.value.code == code
        with pytest.raises(Unavailable) as gone:
            venue.quotes(_BTC, Side.SELL, 10**6, now_ms=_NOW_MS)
        assert gone.value.code == "pool.gone"
        venue.update(address, data, slot=11, seen_ms=1)
        assert _one(venue, _BTC, Side.SELL, 10**6).quote_raw > 0


@pytest.mark.parametrize("missing", range(4))
def test_that_nothing_is_quoted_before_every_account_is_known(missing: int) -> None:
    venue = Raydium([raydium_pools.address(_BTC)])
    genesis = _genesis(_BTC)
    del genesis[tuple(_accounts_of(_BTC))[missing]]
    _feed(venue, genesis)
    with pytest.raises(Unavailable) as gone:
        venue.quotes(_BTC, Side.SELL, 10**6, now_ms=_NOW_MS)
    assert gone.value.code == "pool.gone"


def test_that_a_vault_of_another_owner_or_mint_is_corrupt() -> None:
    venue = _ready(_BTC)
    vault = _vaults(_BTC)[Side.BUY]
    data = _genesis(_BTC)[vault]
    for foreign in (bytes(32) + data[32:], data[:32] + bytes(32) + data[64:]):
        with pytest.raises(Corrupt) as corrupt:
            venue.update(vault, foreign, slot=11, seen_ms=1)
        assert corrupt.value.code == "account.foreign"


@pytest.mark.parametrize(
    ("offset", "form", "value", "kind", "code"),
    [
        (329, "<B", 0b100, Unavailable, "pool.disabled"),
        (373, "<Q", _NOW_MS // 1000 + 1, Unavailable, "pool.not_open"),
        (264, "<Q", 1, Refused, "pool.unsupported"),  # a token program that is not SPL Token
        (341, "<Q", 1 << 63, Unavailable, "pool.gone"),  # owes more than it holds
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    offset: int, form: str, value: int, kind: type[DeskError], code: str
) -> None:
    venue = _ready(_BTC)
    pool = raydium_pools.address(_BTC)
    venue.update(pool, _changed(_genesis(_BTC)[pool], offset, form, value), slot=11, seen_ms=1)
    with pytest.raises(kind) as said:
        venue.quotes(_BTC, Side.SELL, 10**6, now_ms=_NOW_MS)
    assert said.value.code == code


def test_that_a_pool_opens_on_the_second() -> None:
    venue = _ready(_BTC)
    pool = raydium_pools.address(_BTC)
    data = _changed(_genesis(_BTC)[pool], 373, "<Q", _NOW_MS // 1000)
    venue.update(pool, data, slot=11, seen_ms=1)
    assert _one(venue, _BTC, Side.SELL, 10**6).quote_raw > 0


@pytest.mark.parametrize("base_raw", [50 * 10**8, 50 * 10**8 + 1, (1 << 64) - 1])
def test_that_more_than_the_pool_holds_cannot_be_bought(base_raw: int) -> None:
    with pytest.raises(Refused) as refused:
        _ready(_BTC).quotes(_BTC, Side.BUY, base_raw, now_ms=_NOW_MS)
    assert refused.value.code == "liquidity.insufficient"


@pytest.mark.parametrize("empty", Side)
@pytest.mark.parametrize("side", Side)
def test_that_an_empty_pool_has_no_liquidity(empty: Side, side: Side) -> None:
    venue = _ready(_BTC)
    vault = _vaults(_BTC)[empty]
    venue.update(vault, _changed(_genesis(_BTC)[vault], 64, "<Q", 0), slot=11, seen_ms=1)
    with pytest.raises(Refused) as refused:
        venue.quotes(_BTC, side, 10**6, now_ms=_NOW_MS)
    assert refused.value.code == "liquidity.insufficient"


def test_that_a_sale_too_small_to_be_paid_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        _ready(_SOL).quotes(_SOL, Side.SELL, 5, now_ms=_NOW_MS)
    assert refused.value.code == "amount.too_small"


def test_that_one_pools_trouble_does_not_hide_anothers_quote() -> None:
    other = "9" * 43
    pool = raydium_pools.address(_BTC)
    venue = Raydium([pool, other])
    genesis = _genesis(_BTC)
    _feed(venue, genesis | {other: _changed(genesis[pool], 329, "<B", 0b100)})
    assert _one(venue, _BTC, Side.SELL, 10**6).pool == pool


def test_that_too_little_liquidity_outweighs_a_closed_pool() -> None:
    other = "9" * 43
    pool = raydium_pools.address(_BTC)
    venue = Raydium([other, pool])
    genesis = _genesis(_BTC)
    _feed(venue, genesis | {other: _changed(genesis[pool], 329, "<B", 0b100)})
    with pytest.raises(Refused) as refused:
        venue.quotes(_BTC, Side.BUY, 10**12, now_ms=_NOW_MS)
    assert refused.value.code == "liquidity.insufficient"


def test_that_a_market_without_a_pool_is_gone() -> None:
    with pytest.raises(Unavailable) as gone:
        _ready(_BTC).quotes(_SOL, Side.SELL, 10**6, now_ms=_NOW_MS)
    assert gone.value.code == "pool.gone"


def test_that_accounts_of_no_pool_are_ignored() -> None:
    venue = _ready(_BTC)
    venue.update("9" * 43, b"whatever", slot=99, seen_ms=1)
    assert "9" * 43 not in venue.accounts()


@pytest.mark.parametrize("market", MARKETS.values(), ids=lambda market: market.pair)
def test_that_sell_is_exact_in_and_buy_is_exact_out(market: Market) -> None:
    venue = _ready(market)
    pool = layout.pool(_genesis(market)[raydium_pools.address(market)])
    vaults = _vaults(market)
    for side, head in ((Side.SELL, "8fbe5adac41e33de"), (Side.BUY, "37d96256a34ab4ad")):
        quote = _one(venue, market, side, 10**6)
        swap = Swap(quote, limit_raw=77, owner="O", base_account="B", quote_account="Q")
        (call,) = venue.instructions(swap)
        amounts = (10**6, 77) if side is Side.SELL else (77, 10**6)
        assert call.data == bytes.fromhex(head) + struct.pack("<QQ", *amounts)
        assert call.program == layout.PROGRAM
        addresses = [meta.address for meta in call.accounts]
        other = Side.BUY if side is Side.SELL else Side.SELL
        into, out = (
            (market.base, market.quote) if side is Side.SELL else (market.quote, market.base)
        )
        assert addresses == [
            *("O", layout.AUTHORITY, pool.config, quote.pool),
            *(("B", "Q") if side is Side.SELL else ("Q", "B")),
            *(vaults[side], vaults[other], layout.TOKEN_PROGRAM, layout.TOKEN_PROGRAM),
            *(into.mint, out.mint, pool.observation),
        ]
        assert call.accounts[0] == AccountMeta("O", is_signer=True, is_writable=False)
        assert [n for n, meta in enumerate(call.accounts) if meta.is_writable] == [
            3,
            4,
            5,
            6,
            7,
            12,
        ]


def test_that_a_quote_of_a_pool_that_became_unreadable_is_not_taken() -> None:
    venue = _ready(_BTC)
    quote = _one(venue, _BTC, Side.SELL, 10**6)
    with pytest.raises(Corrupt):
        venue.update(quote.pool, b"", slot=11, seen_ms=1)
    for stale in (quote, replace(quote, pool="9" * 43)):
        swap = Swap(stale, limit_raw=1, owner="O", base_account="B", quote_account="Q")
        with pytest.raises(Unavailable) as gone:
            venue.instructions(swap)
        assert gone.value.code == "pool.gone"


@pytest.mark.parametrize(("offset", "values"), [(12, (999_500, 0)), (20, (600_000, 500_000))])
def test_that_impossible_fee_rates_are_corrupt(offset: int, values: tuple[int, int]) -> None:
    config = layout.pool(_genesis(_BTC)[raydium_pools.address(_BTC)]).config
    data = _changed(_genesis(_BTC)[config], offset, "<2Q", *values)
    with pytest.raises(Corrupt):
        layout.config(_changed(data, 108, "<Q", 500))


def test_that_an_unknown_creator_fee_mode_is_corrupt() -> None:
    pool = raydium_pools.address(_BTC)
    with pytest.raises(Corrupt) as corrupt:
        layout.pool(_changed(_genesis(_BTC)[pool], 389, "<B", 3))
    assert corrupt.value.code == "account.unreadable"


def test_that_genesis_pools_stand_where_the_real_ones_would() -> None:
    accounts = raydium_pools.accounts(_SOL, price=Decimal(150), depth_usd=_DEPTH, usd=_USD)
    by_address: dict[str, GenesisAccount] = {account.address: account for account in accounts}
    # Config 0 of mainnet: https://docs.raydium.io (fee tier 0.25 %)
    config = by_address["D4FPEruKEHrG5TenZ2mpDGEfu1iUvTiqBxvpU8HLBvC2"]
    assert layout.config(config.data) == layout.Config(2_500, 120_000, 40_000, 0)
    assert layout.AUTHORITY == "GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL"
    vault = by_address[_vaults(_SOL)[Side.SELL]]
    assert vault.lamports == 2_039_280 + 20_000 * 10**9  # wrapped SOL is backed by lamports
    assert {account.owner for account in accounts} == {layout.PROGRAM, layout.TOKEN_PROGRAM}
