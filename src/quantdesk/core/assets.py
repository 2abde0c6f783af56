"""Assets: the tokens the desk trades, with their Solana mints.

The mints are those of mainnet; the localnet creates them at the same addresses, so nothing above
the chain can tell the two apart. Sources: https://github.com/solana-labs/token-list (frozen list);
PYUSD: https://developer.paypal.com/community/blog/pyusd-solana-token-extensions.
"""

from dataclasses import dataclass
from typing import Final

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 an address
TOKEN_2022: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105 an address
TOKEN_PROGRAMS: Final = frozenset((TOKEN_PROGRAM, TOKEN_2022))


@dataclass(frozen=True, slots=True)
class Asset:
    """A token: `decimals` says how many base units make one, `token_program` who moves it."""

    symbol: str
    decimals: int
    mint: str
    token_program: str = TOKEN_PROGRAM


ASSETS: dict[str, Asset] = {
    asset.symbol: asset
    for asset in (
        Asset("SOL", 9, "So11111111111111111111111111111111111111112"),
        Asset("USDC", 6, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
        Asset("USDT", 6, "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"),
        Asset("BTC", 8, "3NZ9JMVBmGAqocybic2c7LQCJScmgsAZ6vQqTDzcqmJh"),
        Asset("ETH", 8, "7vfCXTUXx5WJV5JADk17DUJ4ksgau7utNKj4b963voxs"),
        Asset("PYUSD", 6, "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo", TOKEN_2022),
    )
}
