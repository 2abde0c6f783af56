"""What a simulation says a trade would move, and whether that is what its quote promised; pure.

    what the accounts hold before and after → what the wallet gains of one asset and gives of the
    other, and each call's part of it → worse than quoted by more than the bound: no trade

As in a receipt, SOL is measured in lamports over the wallet and all its token accounts, with the
network fee added back. Shape: https://solana.com/docs/rpc/http/simulatetransaction
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from quantdesk.chains.port import Trade, Wallet
from quantdesk.chains.solana.answers import (
    AccountAnswer,
    SimulationResult,
    TokenBalance,
    token_amount,
)
from quantdesk.core.assets import ASSETS, TOKEN_PROGRAMS, Asset
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import from_raw

_NATIVE: Final = "SOL"
_BPS: Final = 10_000


class Holding(NamedTuple):
    """What an account holds; `tokens` in base units, 0 when it is no token account."""

    lamports: int
    tokens: int


Holdings = Mapping[str, Holding]
_NOTHING: Final = Holding(0, 0)


class Moved(NamedTuple):
    """What the wallet would gain of one asset and give of the other, in base units.

    `legs_quote_raw` is the part of each call that moves the quote asset, where that is known.
    """

    base_raw: int
    quote_raw: int
    legs_quote_raw: tuple[int, ...] = ()


def told(result: SimulationResult, keys: Sequence[str]) -> tuple[Holdings, Holdings] | None:
    """Return what every account of the transaction held before and after it.

    None when the node does not tell, or tells it of other accounts than `keys`.
    """
    before = _held(keys, result.pre_balances, result.pre_token_balances)
    after = _held(keys, result.post_balances, result.post_token_balances)
    return None if before is None or after is None else (before, after)


def read(addresses: Sequence[str], accounts: Sequence[AccountAnswer | None]) -> Holdings:
    """Return what accounts hold; raise `Unavailable` (`rpc.unreadable`) when they are none."""
    if len(accounts) != len(addresses):
        raise Unavailable("accounts are missing in the answer", code="rpc.unreadable")
    return {
        address: Holding(
            account.lamports, token_amount(account) if account.owner in TOKEN_PROGRAMS else 0
        )
        for address, account in zip(addresses, accounts, strict=True)
        if account is not None
    }


def moved(trade: Trade, wallet: Wallet, holdings: tuple[Holdings, Holdings], *, fee: int) -> Moved:
    """Return what a trade would move; an amount is negative when it goes the wrong way.

    `fee` is the network fee the simulation charged, in lamports.
    """
    base = _gain(trade.base, wallet, holdings, fee)
    quote = _gain(trade.quote, wallet, holdings, fee)
    return Moved(base, -quote) if trade.side is Side.BUY else Moved(-base, quote)


def lost(
    result: SimulationResult, trade: Trade, wallet: Wallet, holdings: tuple[Holdings, Holdings]
) -> dict[str, int]:
    """Return what a trade would take of assets it is not about, by mint, in base units.

    SOL is among them, the network fee too, where it is not traded. Token accounts are told by their
    owner, so that accounts opened for the occasion count as well.
    """
    traded = {trade.base.mint, trade.quote.mint, ASSETS[_NATIVE].mint}
    held: Counter[str] = Counter()
    for sign, balances in ((-1, result.pre_token_balances), (1, result.post_token_balances)):
        for balance in balances or ():
            if balance.owner == wallet.address and balance.mint not in traded:
                held[balance.mint] += sign * int(balance.ui_token_amount.amount)
    if _NATIVE not in (trade.base.symbol, trade.quote.symbol):
        held[ASSETS[_NATIVE].mint] = _gain(ASSETS[_NATIVE], wallet, holdings, 0)
    return {mint: -gain for mint, gain in held.items() if gain < 0}


def check(trade: Trade, found: Moved, *, deviation_bps: int) -> None:
    """Raise `Unavailable` (`quote.deviates`) when a trade would do worse than its quote said.

    Doing better is no reason to refuse it. Nothing is checked where nothing was expected.
    """
    expected, quote = trade.expected_quote_raw, found.quote_raw
    pays = trade.side is Side.BUY
    worse = quote - expected if pays else expected - quote
    if expected == 0 or worse * _BPS <= deviation_bps * expected:
        return
    decimals, symbol = trade.quote.decimals, trade.quote.symbol
    raise Unavailable(
        f"The trade would {'pay' if pays else 'receive'} {from_raw(quote, decimals):f} {symbol}; "
        f"its quote said {from_raw(expected, decimals):f}, {worse * _BPS // expected} bps better.",
        code="quote.deviates",
    )


def _held(
    keys: Sequence[str], lamports: Sequence[int] | None, tokens: Sequence[TokenBalance] | None
) -> Holdings | None:
    if lamports is None or tokens is None or len(lamports) != len(keys):
        return None
    amounts: dict[int, int] = {}
    for balance in tokens:
        text = balance.ui_token_amount.amount
        if not (text.isascii() and text.isdigit()):
            return None
        amounts[balance.account_index] = int(text)
    return {key: Holding(lamports[at], amounts.get(at, 0)) for at, key in enumerate(keys)}


def _gain(asset: Asset, wallet: Wallet, holdings: tuple[Holdings, Holdings], fee: int) -> int:
    before, after = holdings
    if asset.symbol == _NATIVE:
        own = {wallet.address, *wallet.token_accounts.values()}
        return fee + sum(_at(after, key).lamports - _at(before, key).lamports for key in own)
    account = wallet.token_accounts[asset.symbol]
    return _at(after, account).tokens - _at(before, account).tokens


def _at(holdings: Holdings, address: str) -> Holding:
    return holdings.get(address, _NOTHING)
