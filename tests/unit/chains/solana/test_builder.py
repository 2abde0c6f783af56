"""A message does what the trade says, pays what was asked, and fits a packet."""

import struct

import pytest
from solders.hash import Hash
from solders.instruction import Instruction as Step
from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountMeta, Instruction, Trade
from quantdesk.chains.solana import builder, keys
from quantdesk.chains.solana.answers import TOKEN_PROGRAM
from quantdesk.core.assets import ASSETS
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
