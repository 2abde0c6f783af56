"""A message does what the trade says, pays what was asked, and fits a packet."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.instruction import Instruction as Step
from solders.message import MessageV0
from solders.pubkey import Pubkey
from tests.unit.chains.solana.tabled import address, addresses, holding

from quantdesk.chains.port import AccountMeta, Instruction, Trade
from quantdesk.chains.solana import builder, keys
from quantdesk.chains.solana.tables import Table
from quantdesk.core.assets import ASSETS, TOKEN_PROGRAM
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Side

WALLET = keys.wallet("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")
VENUE = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C"
SWAP = Instruction(VENUE, (AccountMeta(WALLET.address, True, False),), b"swap")  # noqa: FBT003
WRAP, MEMO, OPEN, SYNC, CLOSE = (
    (builder.SYSTEM_PROGRAM, 2),
    (builder.MEMO_PROGRAM, ord("q")),
    (builder.ASSOCIATED_TOKEN_PROGRAM, 1),
    (TOKEN_PROGRAM, 17),
    (TOKEN_PROGRAM, 9),
)
TRADED = (VENUE, ord("s"))


def _trade(side: Side, base: str, quote: str, base_raw: int = 70, limit: int = 900) -> Trade:
    return Trade(side, ASSETS[base], ASSETS[quote], base_raw, limit, "qd:order:1")


def _steps(trade: Trade) -> list[Step]:
    return builder.instructions(trade, [SWAP], WALLET)


def _opened(steps: list[Step]) -> list[str]:
    accounts = {account: symbol for symbol, account in WALLET.token_accounts.items()}
    return [
        accounts[str(step.accounts[1].pubkey)]
        for step in steps
        if str(step.program_id) == builder.ASSOCIATED_TOKEN_PROGRAM
    ]


@pytest.mark.parametrize(
    ("trade", "kinds", "opened"),
    [
        (_trade(Side.BUY, "BTC", "USDC"), [MEMO, OPEN, TRADED], ["BTC"]),
        (_trade(Side.SELL, "BTC", "USDC"), [MEMO, OPEN, TRADED], ["USDC"]),
        (_trade(Side.BUY, "SOL", "USDC"), [MEMO, OPEN, TRADED, CLOSE], ["SOL"]),
        (
            _trade(Side.SELL, "SOL", "USDC"),
            [MEMO, OPEN, OPEN, WRAP, SYNC, TRADED, CLOSE],
            ["USDC", "SOL"],
        ),
        (
            _trade(Side.BUY, "BTC", "SOL"),
            [MEMO, OPEN, OPEN, WRAP, SYNC, TRADED, CLOSE],
            ["BTC", "SOL"],
        ),
        (_trade(Side.SELL, "BTC", "SOL"), [MEMO, OPEN, TRADED, CLOSE], ["SOL"]),
    ],
    ids=lambda value: f"{value.side} {value.base.symbol}" if isinstance(value, Trade) else "",
)
def test_opens_wraps_and_closes_what_the_trade_needs(
    trade: Trade, kinds: list[tuple[str, int]], opened: list[str]
) -> None:
    steps = _steps(trade)

    assert [(str(step.program_id), step.data[0]) for step in steps] == kinds
    assert _opened(steps) == opened


@pytest.mark.parametrize(
    ("trade", "lamports"),
    [(_trade(Side.SELL, "SOL", "USDC"), 70), (_trade(Side.BUY, "BTC", "SOL"), 900)],
)
def test_wraps_what_is_given_at_most(trade: Trade, lamports: int) -> None:
    (wrap,) = [s for s in _steps(trade) if str(s.program_id) == builder.SYSTEM_PROGRAM]

    assert struct.unpack("<IQ", wrap.data) == (2, lamports)


def test_carries_the_memo_unsigned() -> None:
    memo = _steps(_trade(Side.BUY, "BTC", "USDC"))[0]

    assert (memo.data, list(memo.accounts)) == (b"qd:order:1", [])


def test_asks_for_compute_first_and_only_the_wallet_signs() -> None:
    compiled = builder.message(
        _steps(_trade(Side.SELL, "SOL", "USDC")),
        payer=WALLET.address,
        blockhash=Hash.default(),
        compute_units=123_456,
        unit_price=789,
    )

    limit, price = compiled.instructions[:2]
    assert builder.called(compiled)[:2] == ("ComputeBudget111111111111111111111111111111",) * 2
    assert struct.unpack("<BI", limit.data) == (2, 123_456)
    assert struct.unpack("<BQ", price.data) == (3, 789)
    assert compiled.header.num_required_signatures == 1
    assert str(compiled.account_keys[0]) == WALLET.address


def _padded(size: int) -> int:
    """Return the bytes of a signed message with instructions of 800 and `size` bytes."""
    compiled = builder.message(
        [Step(Pubkey.from_string(VENUE), bytes(length), []) for length in (800, size)],
        payer=WALLET.address,
        blockhash=Hash.default(),
        compute_units=1,
        unit_price=1,
    )
    return len(bytes(builder.unsigned(compiled)))


def test_takes_a_message_that_just_fits_a_packet_and_no_longer_one() -> None:
    spare = builder.PACKET_BYTES - _padded(130)

    assert _padded(130 + spare) == builder.PACKET_BYTES
    with pytest.raises(Refused) as caught:
        _padded(130 + spare + 1)
    assert caught.value.code == "transaction.too_large"


@pytest.mark.parametrize(
    "trade",
    [
        _trade(Side.SELL, "SOL", "USDC", base_raw=1 << 64),
        _trade(Side.BUY, "BTC", "SOL", limit=1 << 64),
    ],
)
def test_refuses_amounts_no_account_can_hold(trade: Trade) -> None:
    with pytest.raises(Refused) as caught:
        _steps(trade)

    assert caught.value.code == "amount.too_large"


def _pools(accounts: list[list[str]], data: int = 17) -> list[Instruction]:
    """Return a swap with each pool, which writes every second of its accounts."""
    signer = AccountMeta(WALLET.address, is_signer=True, is_writable=True)
    return [
        Instruction(
            address(900 + at),
            (signer, *(AccountMeta(key, False, n % 2 == 0) for n, key in enumerate(one))),  # noqa: FBT003
            bytes(data),
        )
        for at, one in enumerate(accounts)
    ]


def _compiled(trade: Trade, swaps: list[Instruction], tables: list[Table]) -> MessageV0:
    return builder.message(
        builder.instructions(trade, swaps, WALLET),
        payer=WALLET.address,
        blockhash=Hash.default(),
        compute_units=1,
        unit_price=1,
        tables=tables,
    )


THREE = [addresses(14, first=start) for start in (0, 14, 28)]
SALE = _trade(Side.SELL, "SOL", "USDC")


def test_fits_a_split_over_three_pools_by_a_table_and_not_without() -> None:
    every = holding(*(key for one in THREE for key in one))
    plain = builder.size(SALE, _pools(THREE), WALLET)
    tabled = builder.size(SALE, _pools(THREE), WALLET, tables=[every])

    assert (plain.bytes > 1_700, plain.fits, tabled.fits) == (True, False, True)
    with pytest.raises(Refused) as caught:
        _compiled(SALE, _pools(THREE), [])
    compiled = _compiled(SALE, _pools(THREE), [every])
    assert caught.value.code == "transaction.too_large"
    assert tabled == (len(bytes(builder.unsigned(compiled))), plain.accounts)
    assert tabled.bytes < 800


def test_keeps_signers_and_programs_out_of_the_tables() -> None:
    swaps = _pools(THREE)
    pinned = [WALLET.address, *(swap.program for swap in swaps), builder.MEMO_PROGRAM]
    compiled = _compiled(SALE, swaps, [holding(*pinned, *THREE[0], *THREE[1], *THREE[2])])

    static = {str(key) for key in compiled.account_keys}
    assert static >= set(pinned)
    assert static.isdisjoint(THREE[0])


def test_names_its_accounts_in_the_chain_s_order() -> None:
    tables = [holding(*THREE[0], number=1), holding(*THREE[1], *THREE[2], number=2)]
    compiled = _compiled(SALE, _pools(THREE), tables)
    named = builder.keys(compiled, tables)

    count = len(compiled.account_keys)
    writable = sum(len(one.writable_indexes) for one in compiled.address_table_lookups)
    written = {key for one in THREE for n, key in enumerate(one) if n % 2 == 0}
    assert named[:count] == [str(key) for key in compiled.account_keys]
    assert set(named[count : count + writable]) == written
    assert set(named[count + writable :]) == {key for one in THREE for key in one} - written


def test_uses_no_table_for_what_fits_without() -> None:
    small = [addresses(6)]

    compiled = _compiled(SALE, _pools(small), [holding(*small[0])])

    assert not compiled.address_table_lookups


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_locks_no_more_accounts_than_the_chain_lets_it(more: int, *, fits: bool) -> None:
    free = builder.ACCOUNTS_MAX - builder.size(SALE, _pools([[]]), WALLET).accounts
    many = addresses(free + more)

    measured = builder.size(SALE, _pools([many]), WALLET, tables=[holding(*many)])

    assert (measured.accounts, measured.fits) == (builder.ACCOUNTS_MAX + more, fits)
    if fits:
        _compiled(SALE, _pools([many]), [holding(*many)])
    else:
        with pytest.raises(Refused):
            _compiled(SALE, _pools([many]), [holding(*many)])


@given(
    trade=st.sampled_from([SALE, _trade(Side.BUY, "SOL", "USDC"), _trade(Side.BUY, "BTC", "USDC")]),
    pools=st.lists(st.lists(st.integers(0, 40), max_size=25), max_size=4),
    tables=st.lists(st.sets(st.integers(0, 50), max_size=40), max_size=3),
    data=st.sampled_from([0, 17, 127, 128, 300]),
)
def test_measures_what_it_would_compile(
    trade: Trade, pools: list[list[int]], tables: list[set[int]], data: int
) -> None:
    swaps = _pools([list(map(address, one)) for one in pools], data)
    known = [holding(*map(address, one), number=500 + at) for at, one in enumerate(tables)]
    measured = builder.size(trade, swaps, WALLET, tables=known)
    if measured.fits:
        compiled = _compiled(trade, swaps, known)
        assert measured.bytes == len(bytes(builder.unsigned(compiled)))
        assert measured.accounts == len(builder.keys(compiled, known))
        return
    with pytest.raises(Refused) as caught:
        _compiled(trade, swaps, known)
    said = f"measures {measured.bytes} bytes and locks {measured.accounts} accounts"
    assert said in caught.value.detail
