"""What each call of a transaction moved of an asset between a wallet and the pools; pure.

A simulation and a landed transaction tell the same: what every token account held before and after.
An account belongs to the calls that name it, so what a call's accounts outside the wallet gained
is that call's part.

Shape: https://solana.com/docs/rpc/json-structures#token-balances
"""

from collections.abc import Collection, Iterable, Sequence

from quantdesk.chains.port import Wallet
from quantdesk.chains.solana.answers import TokenBalance
from quantdesk.core.assets import Asset

Balances = tuple[Sequence[TokenBalance] | None, Sequence[TokenBalance] | None]
"""Token balances before and after a transaction; None where the node tells none."""


def outside(balances: Balances, *, asset: Asset, wallet: Wallet, keys: Sequence[str]) -> list[int]:
    """Return how much of an asset each of a transaction's accounts gained, in base units.

    The wallet's own accounts and what is no amount of `asset` count as nothing.
    """
    own = set(wallet.token_accounts.values())
    gained = [0] * len(keys)
    for sign, told in zip((-1, 1), balances, strict=True):
        for balance in told or ():
            at, amount = balance.account_index, balance.ui_token_amount.amount
            is_outside = 0 <= at < len(keys) and keys[at] not in own
            if is_outside and balance.mint == asset.mint and amount.isascii() and amount.isdigit():
                gained[at] += sign * int(amount)
    return gained


def by_call(
    gained: Sequence[int], calls: Iterable[Collection[int]], *, total: int
) -> tuple[int, ...]:
    """Return the part of each call that moved the asset, in the order of the calls, base units.

    `gained` is by account and `calls` name theirs by number; `total` is what the wallet gained
    itself. Nothing when the parts do not add up to it, as where two calls share a vault or a token
    takes a fee of its own, or when they point in different directions.
    """
    count = len(gained)
    parts = [sum(gained[at] for at in set(call) if at < count) for call in calls]
    moved = [part for part in parts if part]
    is_one_way = all(part > 0 for part in moved) or all(part < 0 for part in moved)
    return tuple(map(abs, moved)) if is_one_way and sum(moved) == -total else ()
