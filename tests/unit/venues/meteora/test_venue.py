"""The venue follows its pools, quotes them for either side of a market, and builds the swap."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from quantdesk.core.errors import Corrupt, DeskError
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.localnet import meteora_pools
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.venues.meteora import layout
from quantdesk.venues.meteora.venue import Meteora
from quantdesk.venues.port import Quote, Swap, Venue

_SOL_USDC = MARKETS["SOL-USDC"]
_USD = {"SOL": Decimal(200), "USDC": Decimal(1), "USDT": Decimal(1), "BTC": Decimal(90_000)}
_NOW_MS = 1_800_000_000_000
_SOL = 10**9
_NAMED = {
    "amount.invalid",
    "amount.overflow",
    "bin.unrepresentable",
    "liquidity.insufficient",
    "pool.disabled",
    "pool.gone",
    "pool.inactive",
    "pool.incomplete",
    "pool.unsupported",
    "quoted",
}
_STATUS, _PAIR_TYPE, _ACTIVE_ID, _ACTIVATION_POINT, _TOKEN_FLAG = 82, 75, 76, 816, 880


def _pool(market: Market) -> dict[str, bytes]:
    price = _USD[market.base.symbol] / _USD[market.quote.symbol]
    made: Iterable[GenesisAccount] = meteora_pools.accounts(
        market, price=price, depth_usd=Decimal(1_000_000), usd=_USD
    )
    return {account.address: account.data for account in made}


_ACCOUNTS = _pool(_SOL_USDC)
_PAIR = meteora_pools.address(_SOL_USDC)


def _feed(venue: Meteora, accounts: Mapping[str, bytes], *, slot: int = 5) -> None:
    for _ in range(2):  # the pair first says which arrays to follow
        for address in venue.accounts():
            venue.update(address, accounts.get(address, b""), slot=slot, seen_ms=_NOW_MS)


def _ready(accounts: Mapping[str, bytes] = _ACCOUNTS, pool: str = _PAIR) -> Meteora:
    venue = Meteora([pool])
    _feed(venue, accounts)
    return venue


def _spoiled(offset: int, value: bytes) -> dict[str, bytes]:
    data = _ACCOUNTS[_PAIR]
    return _ACCOUNTS | {_PAIR: data[:offset] + value + data[offset + len(value) :]}


def _quote(venue: Meteora, side: Side, raw: int, market: Market = _SOL_USDC) -> Quote:
    (quote,) = venue.quotes(market, side, raw, now_ms=_NOW_MS)
    return quote


def _code(venue: Meteora, side: Side = Side.SELL, raw: int = _SOL) -> str:
    with pytest.raises(DeskError) as error:
        venue.quotes(_SOL_USDC, side, raw, now_ms=_NOW_MS)
    return error.value.code


def _outcome(venue: Meteora, side: Side, raw: int) -> str:
    try:
        quote = _quote(venue, side, raw)
    except DeskError as error:
        return error.code
    return "quoted" if quote.quote_raw > 0 else "given away"


def test_meets_the_port() -> None:
    venue: Venue = Meteora([])

    assert venue.name == "meteora"
    assert venue.accounts() == ()


def test_follows_the_nearest_bin_arrays_of_both_sides() -> None:
    venue = _ready()

    followed = {layout.decode_bin_array(_ACCOUNTS[a]).index for a in venue.accounts()[1:]}

    assert followed == {-26, -25, -24, -23, -22, -21, -20}


def test_moves_with_the_active_bin() -> None:
    venue = _ready()
    moved = _spoiled(_ACTIVE_ID, (-1_540).to_bytes(4, "little", signed=True))

    _feed(venue, moved, slot=6)

    followed = {layout.decode_bin_array(_ACCOUNTS[a]).index for a in venue.accounts()[1:]}
    assert followed == {-25, -24, -23, -22, -21, -20, -19}
    assert _quote(venue, Side.SELL, _SOL).mid > _quote(_ready(), Side.SELL, _SOL).mid


def test_keeps_what_it_knows_of_arrays_that_stay_near() -> None:
    venue = _ready()
    moved = _spoiled(_ACTIVE_ID, (-1_540).to_bytes(4, "little", signed=True))

    venue.update(_PAIR, moved[_PAIR], slot=6, seen_ms=_NOW_MS)

    assert _quote(venue, Side.SELL, _SOL).slot == 6


def test_quotes_a_sale_below_and_a_purchase_above_the_mid() -> None:
    sale, purchase = (_quote(_ready(), side, 10 * _SOL) for side in (Side.SELL, Side.BUY))

    assert abs(sale.mid / 200 - 1) < Decimal("0.0005")
    assert sale.mid == purchase.mid
    assert sale.price == Decimal(sale.quote_raw) / 10**7
    assert sale.price < sale.mid < purchase.price
    assert abs(sale.fee_bps - 10) < Decimal("0.01")
    assert sale.impact_bps < Decimal("0.01")
    assert (sale.slot, sale.seen_ms, sale.pool) == (5, _NOW_MS, _PAIR)


def test_moves_the_price_more_for_a_larger_size() -> None:
    impacts = [_quote(_ready(), Side.BUY, size * _SOL).impact_bps for size in (1, 1_000, 4_000)]

    assert impacts == sorted(impacts)
    assert impacts[-1] > 40


def test_quotes_a_pool_whose_token_y_is_the_base() -> None:
    inverse = Market(_SOL_USDC.quote, _SOL_USDC.base)
    venue = _ready(_pool(inverse), meteora_pools.address(inverse))

    sale, purchase = (_quote(venue, side, 10 * _SOL) for side in (Side.SELL, Side.BUY))

    assert abs(sale.mid / 200 - 1) < Decimal("0.0006")
    assert Decimal("198.5") < sale.price < sale.mid < purchase.price < Decimal("201.5")
    assert sale.base_raw == purchase.base_raw == 10 * _SOL


def test_quotes_only_pools_of_the_market() -> None:
    with pytest.raises(DeskError) as error:
        _ready().quotes(MARKETS["SOL-USDT"], Side.SELL, _SOL, now_ms=_NOW_MS)

    assert error.value.code == "pool.gone"


def test_charges_more_after_the_price_has_moved() -> None:
    volatile = _spoiled(40, (300_000).to_bytes(4, "little"))
    recent = (_NOW_MS // 1_000 - 60).to_bytes(8, "little")
    pair = volatile[_PAIR]
    venue = _ready(volatile | {_PAIR: pair[:56] + recent + pair[64:]})

    assert _quote(venue, Side.SELL, _SOL).fee_bps > 10
    (later,) = venue.quotes(_SOL_USDC, Side.SELL, _SOL, now_ms=_NOW_MS + 600_000)
    assert abs(later.fee_bps - 10) < Decimal("0.01")


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (_STATUS, b"\1", "pool.disabled"),
        (_TOKEN_FLAG, b"\1", "pool.unsupported"),
    ],
)
def test_says_why_a_pool_does_not_trade(offset: int, value: bytes, code: str) -> None:
    assert _code(_ready(_spoiled(offset, value))) == code


def test_waits_for_the_activation_slot() -> None:
    gated = _spoiled(_PAIR_TYPE, b"\2")
    pair = gated[_PAIR]
    gated[_PAIR] = pair[:_ACTIVATION_POINT] + b"\6" + pair[_ACTIVATION_POINT + 1 :]
    venue = _ready(gated)

    assert _code(venue) == "pool.inactive"
    venue.update(_PAIR, gated[_PAIR], slot=6, seen_ms=_NOW_MS)
    assert _quote(venue, Side.SELL, _SOL).slot == 6


def test_refuses_more_than_the_arrays_it_follows_hold() -> None:
    assert _code(_ready(), raw=10**9 * _SOL) == "liquidity.insufficient"


def test_refuses_a_size_too_small_to_buy_anything() -> None:
    assert _code(_ready(), raw=1) == "amount.invalid"
    assert _code(_ready(), raw=0) == "amount.invalid"


def test_says_that_a_bin_array_has_not_been_seen() -> None:
    venue = Meteora([_PAIR])
    venue.update(_PAIR, _ACCOUNTS[_PAIR], slot=5, seen_ms=_NOW_MS)

    assert _code(venue) == "pool.incomplete"


@pytest.mark.parametrize("disabled_first", [True, False])
def test_names_the_size_before_the_state_of_another_pool(*, disabled_first: bool) -> None:
    other = meteora_pools.address(MARKETS["SOL-USDT"])
    accounts = _ACCOUNTS | {other: _spoiled(_STATUS, b"\1")[_PAIR]}
    venue = Meteora([other, _PAIR] if disabled_first else [_PAIR, other])
    _feed(venue, accounts)

    assert _code(venue, raw=10**9 * _SOL) == "liquidity.insufficient"
    assert _quote(venue, Side.SELL, _SOL).pool == _PAIR


def test_ignores_older_slots_and_strangers() -> None:
    venue = _ready()
    disabled = _spoiled(_STATUS, b"\1")

    venue.update(_PAIR, disabled[_PAIR], slot=4, seen_ms=_NOW_MS)
    venue.update("So11111111111111111111111111111111111111112", b"x", slot=9, seen_ms=_NOW_MS)

    assert _quote(venue, Side.SELL, _SOL).slot == 5


def test_stops_quoting_while_a_pair_is_unreadable() -> None:
    venue = _ready()

    with pytest.raises(Corrupt):
        venue.update(_PAIR, _ACCOUNTS[_PAIR][:-1], slot=6, seen_ms=_NOW_MS)

    assert _code(venue) == "pool.gone"
    _feed(venue, _ACCOUNTS, slot=7)
    assert _quote(venue, Side.SELL, _SOL).slot == 7


def test_stops_quoting_while_a_bin_array_is_unreadable() -> None:
    venue = _ready()
    active = layout.bin_array_address(_PAIR, -23)
    other = layout.bin_array_address(_PAIR, -22)

    for data in (b"\0" * 10_136, _ACCOUNTS[other]):
        with pytest.raises(Corrupt):
            venue.update(active, data, slot=6, seen_ms=_NOW_MS)
        assert _code(venue) == "pool.incomplete"

    venue.update(active, _ACCOUNTS[active], slot=6, seen_ms=_NOW_MS)
    assert _quote(venue, Side.SELL, _SOL).slot == 6


@settings(deadline=None)
@given(
    spoils=st.lists(
        st.tuples(st.integers(0, 10_135), st.binary(min_size=1, max_size=8)), max_size=9
    ),
    side=st.sampled_from(Side),
    base_raw=st.integers(0, 1 << 64),
)
def test_answers_any_bytes_with_a_quote_or_a_named_error(
    spoils: list[tuple[int, bytes]], side: Side, base_raw: int
) -> None:
    venue = _ready()
    for address, data in _ACCOUNTS.items():
        spoiled = data
        for offset, value in spoils:
            at = offset % len(data)
            spoiled = spoiled[:at] + value + spoiled[at + len(value) :]
        with suppress(Corrupt):
            venue.update(address, spoiled, slot=6, seen_ms=_NOW_MS)

    assert _outcome(venue, side, base_raw) in _NAMED


def test_forgets_a_pool_that_no_longer_exists() -> None:
    venue = _ready()

    venue.update(_PAIR, b"", slot=6, seen_ms=_NOW_MS)

    assert _code(venue) == "pool.gone"


def test_follows_the_bitmap_extension_of_a_far_pool() -> None:
    far = _spoiled(_ACTIVE_ID, (40_000).to_bytes(4, "little"))
    extension_at = layout.extension_address(_PAIR)
    bits = (1 << (571 - 512)).to_bytes(2 * 12 * 64, "little")
    extension = layout.EXTENSION_DISCRIMINATOR + bytes(Pubkey.from_string(_PAIR)) + bits
    venue = Meteora([_PAIR])
    venue.update(_PAIR, far[_PAIR], slot=5, seen_ms=_NOW_MS)

    assert venue.accounts() == (_PAIR, extension_at)
    venue.update(extension_at, extension, slot=5, seen_ms=_NOW_MS)
    assert layout.bin_array_address(_PAIR, 571) in venue.accounts()
    with pytest.raises(Corrupt):
        venue.update(extension_at, extension[:8] + bytes(32) + bits, slot=6, seen_ms=_NOW_MS)


@pytest.mark.parametrize(
    ("side", "discriminator", "amounts"),
    [
        (Side.SELL, "414b3f4ceb5b5b88", (_SOL, 199_000_000)),
        (Side.BUY, "2bd7f784893cf351", (199_000_000, _SOL)),
    ],
)
def test_builds_the_swap(side: Side, discriminator: str, amounts: tuple[int, int]) -> None:
    venue = _ready()
    quote = _quote(venue, side, _SOL)
    owner, base, quoted = (str(Pubkey.from_bytes(bytes([byte]) * 32)) for byte in (11, 12, 13))

    (made,) = venue.instructions(Swap(quote, 199_000_000, owner, base, quoted))

    first, second = (amount.to_bytes(8, "little") for amount in amounts)
    assert made.data == bytes.fromhex(discriminator) + first + second + bytes(4)
    addresses = [meta.address for meta in made.accounts]
    assert addresses[4:6] == ([base, quoted] if side is Side.SELL else [quoted, base])
    assert [meta.address for meta in made.accounts if meta.is_signer] == [owner]
    ahead = (-23, -24, -25, -26) if side is Side.SELL else (-23, -22, -21, -20)
    behind = -22 if side is Side.SELL else -24
    arrays = [layout.bin_array_address(_PAIR, index) for index in (*ahead, behind)]
    assert addresses[16:] == arrays
    assert all(meta.is_writable for meta in made.accounts[16:])


def test_builds_no_swap_through_a_pool_it_does_not_know() -> None:
    quote = _quote(_ready(), Side.SELL, _SOL)
    owner = str(Pubkey.from_bytes(bytes([11]) * 32))

    with pytest.raises(DeskError) as error:
        Meteora([]).instructions(Swap(quote, 1, owner, owner, owner))

    assert error.value.code == "pool.gone"
