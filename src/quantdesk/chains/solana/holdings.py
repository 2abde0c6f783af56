"""What any wallet holds, whoever's it is: its SOL and its associated token accounts, read at once.

Unlike `Solana.balances` it needs no key: it is asked of whoever signs in with their wallet.
"""

from collections.abc import Sequence
from typing import Final

from quantdesk.chains.solana import keys
from quantdesk.chains.solana.answers import AccountsAnswer, token_amount
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import Asset
from quantdesk.core.errors import Unavailable

_CONFIG: Final = {"encoding": "base64", "commitment": "confirmed"}
_NATIVE: Final = "SOL"


async def holdings(rpc: Rpc, address: str, assets: Sequence[Asset]) -> dict[str, int]:
    """Return what a wallet holds, by symbol, in base units; SOL includes wrapped SOL.

    Raises `Unavailable` and `Refused` (`rpc.*`).
    """
    accounts = keys.wallet(address).token_accounts
    addresses = [address, *(accounts[asset.symbol] for asset in assets)]
    answer = await rpc.ask("getMultipleAccounts", addresses, _CONFIG, answer=AccountsAnswer)
    if len(answer.value) != len(addresses):
        raise Unavailable("the node left accounts out", code="rpc.unreadable")
    native, *tokens = answer.value
    held = {
        asset.symbol: token_amount(account) for asset, account in zip(assets, tokens, strict=True)
    }
    if _NATIVE in held and native is not None:
        held[_NATIVE] += native.lamports
    return held
