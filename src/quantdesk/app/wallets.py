"""The wallets: where their keys are, and who may sign with them.

    <home>/wallet.key     the localnet's, and maker.key its market maker's
    <home>/devnet.key     devnet's, for tokens that are worth nothing
    <home>/wallet.sealed  mainnet's, which only its passphrase opens (`quantdesk unlock`)

All but mainnet's are sealed under the desk's master key; a plain one that is found is sealed. The
localnet's is never used elsewhere: a key that lay about in the clear never holds money. In mode
paper there is none.
"""

import os
from pathlib import Path

from solders.keypair import Keypair

from quantdesk.chains.solana import keys, sealed
from quantdesk.chains.solana.keystore import WalletFile, Wrapping, open_wallet
from quantdesk.core import secret_file
from quantdesk.core.errors import Refused
from quantdesk.localnet.process import MAKER_KEY, WALLET_KEY

DEVNET_KEY = "devnet.key"
SEALED = "wallet.sealed"


def files(home: Path) -> list[WalletFile]:
    """Return the files that the master key seals, whether they are there yet or not."""
    return [WalletFile(home / name) for name in (WALLET_KEY, MAKER_KEY, DEVNET_KEY)]


def localnet(home: Path, wrapping: Wrapping) -> tuple[Keypair, Keypair]:
    """Return the keys of the localnet's trader and of its maker, made at the first start.

    Raises as `open_wallet`.
    """
    trader, maker = (
        open_wallet(home / name, wrapping, entropy=os.urandom) for name in (WALLET_KEY, MAKER_KEY)
    )
    return trader, maker


def devnet(home: Path, wrapping: Wrapping) -> Keypair:
    """Return devnet's key, made at the first start; raises as `open_wallet`."""
    return open_wallet(home / DEVNET_KEY, wrapping, entropy=os.urandom)


def mainnet(home: Path) -> sealed.Sealed:
    """Return mainnet's wallet, still sealed.

    Raises `Refused`: `wallet.missing`, `key.mode`, `key.unreadable`.
    """
    path = home / SEALED
    if not path.exists():
        raise Refused(
            f"no wallet at {path}: make one with `quantdesk unlock --new`, or bring one with"
            " `quantdesk unlock --import FILE`",
            code="wallet.missing",
        )
    return sealed.read(secret_file.read(path))


def create(home: Path, passphrase: str, *, source: Path | None = None) -> str:
    """Seal a new key, or that of a `solana-keygen` file, and return its address.

    Raises `Refused`: `key.exists` rather than overwrite one, `passphrase.short`, `key.*`.
    """
    path = home / SEALED
    if path.exists():
        raise Refused(f"there is a wallet at {path} already", code="key.exists")
    keypair = keys.load(source) if source else Keypair.from_seed(os.urandom(keys.SEED_BYTES))
    made = sealed.seal(keypair, passphrase, entropy=os.urandom)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret_file.create(path, made.text().encode())
    return made.address
