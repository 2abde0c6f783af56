"""Assets: the tokens the desk trades, with their Solana mints.

The mints are those of mainnet; the localnet creates them at the same addresses, so nothing above
the chain can tell the two apart. Sources: https://github.com/solana-labs/token-list (frozen list).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asset:
    """A token: `decimals` says how many base units make one."""

    symbol: str
    decimals: int
    mint: str


ASSETS: dict[str, Asset] = {
    asset.symbol: asset
    for asset in (
        Asset("SOL", 9, "So11111111111111111111111111111111111111112"),
        Asset("USDC", 6, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
        Asset("USDT", 6, "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"),
        Asset("BTC", 8, "3NZ9JMVBmGAqocybic2c7LQCJScmgsAZ6vQqTDzcqmJh"),
        Asset("ETH", 8, "7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs"),
    )
}
