"""The wallets of devnet and mainnet: where their keys are, and who may sign with them.

    <home>/devnet.key     a key like the localnet's, for tokens that are worth nothing
    <home>/wallet.sealed  mainnet's, which only its passphrase opens (`quantdesk unlock`)

The localnet's own key is neither: a key that lay about in the clear never holds money.
"""

import os
from pathlib import Path

from solders.keypair import Keypair

from quantdesk.chains import secret_file
from quantdesk.chains.solana import keys, sealed
from quantdesk.core.errors import Refused

DEVNET_KEY = "devnet.key"
SEALED = "wallet.sealed"


def devnet(home: Path) -> Keypair:
    """Return devnet's key, made at the first start; raises as `keys.load`."""
    path = home / DEVNET_KEY
    return keys.load(path) if path.exists() else keys.make(path, entropy=os.urandom)


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
    keys.keep(path, made.text().encode())
    return made.address
