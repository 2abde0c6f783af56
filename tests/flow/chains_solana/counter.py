"""A trading counter made of nothing but token accounts.

The counter's accounts name the wallet as their delegate, so a plain transfer signed by the wallet
alone moves tokens either way: a swap at any price a test likes, without a pool's program.
"""

import struct

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountMeta, Instruction, Trade, Wallet
from quantdesk.core.assets import ASSETS, TOKEN_PROGRAM, Asset
from quantdesk.core.markets import Side
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.localnet.genesis import rent_exempt

COUNTER = Pubkey.from_bytes(bytes([7]) * 32)
STOCK = 10**13
CASH = 10**12
SYMBOLS = ("SOL", "USDC", "BTC")
RENT = rent_exempt(165)
_TRANSFER = struct.Struct("<BQ")


def address(symbol: str) -> str:
    """Return the counter's account of an asset."""
    return str(Pubkey.from_bytes(bytes([8 + SYMBOLS.index(symbol)]) * 32))


def accounts(wallet: Wallet) -> list[GenesisAccount]:
    """Return the mints, the stocked counter, and a wallet with 100 SOL and a million USDC."""
    usdc = ASSETS["USDC"]
    return [
        *(_mint(ASSETS[symbol]) for symbol in SYMBOLS),
        *(_stock(ASSETS[symbol], wallet) for symbol in SYMBOLS),
        GenesisAccount(wallet.address, str(Pubkey.default()), b"", 100 * 10**9),
        GenesisAccount(
            wallet.token_accounts["USDC"], TOKEN_PROGRAM, _holding(usdc, wallet.address, CASH)
        ),
    ]


def swap(trade: Trade, quote_raw: int, wallet: Wallet) -> list[Instruction]:
    """Return the transfers that do a trade for `quote_raw`."""
    base, quote = trade.base.symbol, trade.quote.symbol
    given, taken = (quote, base) if trade.side is Side.BUY else (base, quote)
    amount = {base: trade.base_raw, quote: quote_raw}
    own = wallet.token_accounts
    return [
        _transfer(own[given], address(given), wallet.address, amount[given]),
        _transfer(address(taken), own[taken], wallet.address, amount[taken]),
    ]


def _transfer(source: str, target: str, authority: str, amount: int) -> Instruction:
    metas = (
        AccountMeta(source, is_signer=False, is_writable=True),
        AccountMeta(target, is_signer=False, is_writable=True),
        AccountMeta(authority, is_signer=True, is_writable=False),
    )
    return Instruction(TOKEN_PROGRAM, metas, _TRANSFER.pack(3, amount))


def _mint(asset: Asset) -> GenesisAccount:
    data = bytes(36) + struct.pack("<QBB", 2**60, asset.decimals, 1) + bytes(36)
    return GenesisAccount(asset.mint, TOKEN_PROGRAM, data)


def _stock(asset: Asset, wallet: Wallet) -> GenesisAccount:
    native = asset.symbol == "SOL"
    data = _holding(asset, str(COUNTER), STOCK, delegate=wallet.address, native=native)
    lamports = RENT + STOCK if native else None
    return GenesisAccount(address(asset.symbol), TOKEN_PROGRAM, data, lamports)


def _holding(
    asset: Asset, owner: str, amount: int, *, delegate: str | None = None, native: bool = False
) -> bytes:
    keys = bytes(Pubkey.from_string(asset.mint)) + bytes(Pubkey.from_string(owner))
    named = struct.pack("<I", 1) + bytes(Pubkey.from_string(delegate)) if delegate else bytes(36)
    rent = struct.pack("<IQ", 1, RENT) if native else bytes(12)
    lent = struct.pack("<Q", 2**62 if delegate else 0)
    return keys + struct.pack("<Q", amount) + named + bytes([1]) + rent + lent + bytes(36)
