"""A landed transaction's balance changes → what the wallet really gained and gave; pure.

Tokens are measured in the wallet's own token accounts. SOL is measured in lamports over the wallet
and all its token accounts together, with the network fee added back: wrapping, unwrapping and the
rent of new accounts then cancel out, and only the trade remains.

Shape: https://solana.com/docs/rpc/http/gettransaction
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quantdesk.chains.port import Receipt, Trade, Wallet
from quantdesk.chains.solana import parts
from quantdesk.chains.solana.answers import TokenBalance
from quantdesk.core.assets import Asset
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.markets import Side

_NATIVE: Final = "SOL"
_MS: Final = 1000


class _Loaded(msgspec.Struct, frozen=True):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    fee: int
    pre_balances: list[int]
    post_balances: list[int]
    err: Any = None
    pre_token_balances: list[TokenBalance] | None = None
    post_token_balances: list[TokenBalance] | None = None
    loaded_addresses: _Loaded | None = None


class _Call(msgspec.Struct, frozen=True):
    accounts: list[int] = []


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    account_keys: list[str]
    instructions: list[_Call] = []


class _Signed(msgspec.Struct, frozen=True):
    signatures: list[str]
    message: _Message


class _Landed(msgspec.Struct, frozen=True, rename="camel"):
    slot: int
    transaction: _Signed
    meta: _Meta
    block_time: int | None = None


_ANSWER: Final = msgspec.json.Decoder(_Landed | None)


def receipt(answer: bytes, *, trade: Trade, wallet: Wallet, signature: str, now_ms: int) -> Receipt:
    """Return the realized amounts in a `getTransaction` answer, in base units.

    `now_ms` stands in for a block time the node does not know. Raises `Unavailable`
    (`receipt.pending`) when the node does not know the transaction yet, and `Corrupt`
    (`receipt.unreadable`, `receipt.absurd`) when the answer is not one, or says what cannot be: a
    failed transaction, a gain that is none, or a limit of the trade that was broken.
    """
    try:
        landed = _ANSWER.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Corrupt(f"{signature}: {problem}", code="receipt.unreadable") from None
    if landed is None:
        raise Unavailable("the node has not recorded the transaction yet", code="receipt.pending")
    changes = _Changes(landed, wallet, signature)
    base, quote = changes.of(trade.base), changes.of(trade.quote)
    _check(trade, base, quote, signature)
    return Receipt(
        slot=landed.slot,
        base_raw=abs(base),
        quote_raw=abs(quote),
        network_fee_lamports=landed.meta.fee,
        block_time_ms=now_ms if landed.block_time is None else landed.block_time * _MS,
        legs_quote_raw=changes.by_call(trade.quote, quote),
    )


class _Changes:
    """What one transaction changed in one wallet."""

    def __init__(self, landed: _Landed, wallet: Wallet, signature: str) -> None:
        self._meta = meta = landed.meta
        self._wallet = wallet
        loaded = meta.loaded_addresses or _Loaded()
        self._keys = [
            *landed.transaction.message.account_keys,
            *loaded.writable,
            *loaded.readonly,
        ]
        if signature not in landed.transaction.signatures[:1]:
            raise _absurd(signature, "the node sent another transaction")
        if meta.err is not None:
            raise _absurd(signature, f"it is said to have failed: {meta.err}")
        if self._keys[:1] != [wallet.address]:
            raise _absurd(signature, "another wallet paid for it")
        if not len(self._keys) == len(meta.pre_balances) == len(meta.post_balances):
            raise _absurd(signature, "accounts and balances do not match")
        self._signature = signature
        self._calls = landed.transaction.message.instructions

    def of(self, asset: Asset) -> int:
        """Return the wallet's gain (or loss, negative) of an asset in base units."""
        return self._lamports() if asset.symbol == _NATIVE else self._tokens(asset)

    def by_call(self, asset: Asset, total: int) -> tuple[int, ...]:
        """Return each call's part of what the wallet gained or gave; see `parts.by_call`."""
        balances = self._meta.pre_token_balances, self._meta.post_token_balances
        gained = parts.outside(balances, asset=asset, wallet=self._wallet, keys=self._keys)
        return parts.by_call(gained, [call.accounts for call in self._calls], total=total)

    def _lamports(self) -> int:
        own = {self._wallet.address, *self._wallet.token_accounts.values()}
        meta = self._meta
        changes = zip(self._keys, meta.pre_balances, meta.post_balances, strict=True)
        return meta.fee + sum(post - pre for key, pre, post in changes if key in own)

    def _tokens(self, asset: Asset) -> int:
        meta = self._meta
        before = self._held(meta.pre_token_balances, asset)
        return self._held(meta.post_token_balances, asset) - before

    def _held(self, balances: Sequence[TokenBalance] | None, asset: Asset) -> int:
        if balances is None:
            raise _absurd(self._signature, "token balances are missing")
        account = self._wallet.token_accounts[asset.symbol]
        for balance in balances:
            if not 0 <= balance.account_index < len(self._keys):
                raise _absurd(self._signature, "a balance belongs to no account")
            if self._keys[balance.account_index] != account:
                continue
            amount = balance.ui_token_amount.amount
            if balance.mint != asset.mint or not (amount.isascii() and amount.isdigit()):
                raise _absurd(self._signature, f"the {asset.symbol} balance is not one")
            return int(amount)
        return 0  # the account did not exist


def _check(trade: Trade, base: int, quote: int, signature: str) -> None:
    bought = trade.side is Side.BUY
    kept = (
        base >= trade.base_raw and 0 < -quote <= trade.quote_limit_raw
        if bought
        else 0 < -base <= trade.base_raw and quote >= max(1, trade.quote_limit_raw)
    )
    if not kept:
        said = (
            f"{trade.side} {trade.base_raw} {trade.base.symbol}, "
            f"limit {trade.quote_limit_raw} {trade.quote.symbol}"
        )
        raise _absurd(signature, f"{said}, but balances changed by {base} and {quote}")


def _absurd(signature: str, why: str) -> Corrupt:
    return Corrupt(f"{signature}: {why}", code="receipt.absurd")
