"""Token accounts of both token programs are read, and nothing else is taken for one."""

from base64 import b64encode

import pytest

from quantdesk.chains.port import Trade
from quantdesk.chains.solana import builder, keys, simulated
from quantdesk.chains.solana.answers import AccountAnswer, token_amount
from quantdesk.chains.solana.simulated import Holding
from quantdesk.core.assets import ASSETS, TOKEN_2022, TOKEN_PROGRAM
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side
from quantdesk.localnet.accounts import token_account

WALLET = keys.wallet("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")
PLAIN = bytes(64) + (77).to_bytes(8, "little") + bytes(93)
IS_ACCOUNT, IS_MINT = b"\x02", b"\x01"


def _account(data: bytes, owner: str) -> AccountAnswer:
    return AccountAnswer(5, owner, (b64encode(data).decode(), "base64"))


def _opened(symbol: str) -> AccountAnswer:
    """Return an account as the localnet opens it."""
    address = WALLET.token_accounts[symbol]
    made = token_account(address, asset=ASSETS[symbol], owner=WALLET.address, amount=77)
    return _account(made.data, made.owner)


@pytest.mark.parametrize(
    "account",
    [
        _account(PLAIN, TOKEN_PROGRAM),
        _account(PLAIN, TOKEN_2022),
        _account(PLAIN + IS_ACCOUNT, TOKEN_2022),
        _account(PLAIN + IS_ACCOUNT + bytes(20), TOKEN_2022),
        _opened("USDC"),
        _opened("PYUSD"),
    ],
)
def test_reads_what_an_account_of_either_program_holds(account: AccountAnswer) -> None:
    assert token_amount(account) == 77


@pytest.mark.parametrize(
    "account",
    [
        _account(PLAIN + IS_ACCOUNT, TOKEN_PROGRAM),  # it knows no extensions
        _account(PLAIN[:-1], TOKEN_2022),
        _account(PLAIN + IS_MINT, TOKEN_2022),
        _account((PLAIN + IS_ACCOUNT).ljust(355, b"\0"), TOKEN_2022),  # a multisig's length
        _account(PLAIN, WALLET.address),
        _account(b"", TOKEN_2022),
    ],
)
def test_takes_nothing_else_for_a_token_account(account: AccountAnswer) -> None:
    with pytest.raises(Unavailable) as caught:
        token_amount(account)

    assert caught.value.code == "rpc.unreadable"


def test_counts_both_kinds_in_a_simulation_and_none_where_there_are_none() -> None:
    plain = _account(b"", builder.SYSTEM_PROGRAM)
    found = simulated.read(["a", "b", "c"], [_opened("USDC"), _opened("PYUSD"), plain])

    assert found == {"a": Holding(5, 77), "b": Holding(5, 77), "c": Holding(5, 0)}


@pytest.mark.parametrize(("side", "received"), [(Side.BUY, "PYUSD"), (Side.SELL, "USDC")])
def test_opens_an_account_with_the_program_of_its_token(side: Side, received: str) -> None:
    trade = Trade(side, ASSETS["PYUSD"], ASSETS["USDC"], 1, 1, "qd:order:1")
    _, opening, *_ = builder.instructions(trade, [], WALLET)

    assert [str(meta.pubkey) for meta in opening.accounts] == [
        *(WALLET.address, WALLET.token_accounts[received], WALLET.address),
        *(ASSETS[received].mint, builder.SYSTEM_PROGRAM, ASSETS[received].token_program),
    ]
