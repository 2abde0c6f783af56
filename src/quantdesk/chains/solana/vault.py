"""A wallet's key that is there only for a while.

Until it is unlocked, and once its time is over by either clock, nothing is signed and the key is
forgotten. What was signed before goes on: its fate does not depend on the key.
"""

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused


class Vault:
    """Signs for one address while it is unlocked. Satisfies `keys.Signer`."""

    __slots__ = ("_address", "_clock", "_held", "_until_ms", "_until_s")

    def __init__(self, *, address: Pubkey, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._held: Keypair | None = None
        self._until_s = 0.0
        self._until_ms = 0

    def __repr__(self) -> str:
        return f"Vault({self._address})"

    @property
    def until_ms(self) -> int | None:
        """Return when it locks itself (Unix milliseconds), None while it is locked."""
        return self._until_ms if self._key() is not None else None

    def unlock(self, keypair: Keypair, *, for_s: float) -> None:
        """Hold the key for so many seconds; raise `Refused` (`wallet.other`) for another's."""
        if keypair.pubkey() != self._address:
            raise Refused("this key is of another wallet", code="wallet.other")
        self._until_s = self._clock.monotonic() + for_s
        self._until_ms = self._clock.now_ms() + round(for_s * 1000)
        self._held = keypair

    def lock(self) -> None:
        """Forget the key."""
        self._held = None

    def check(self) -> None:
        """Return if it would sign now; raise `Refused` (`wallet.locked`)."""
        if self._key() is None:
            raise _locked()

    def pubkey(self) -> Pubkey:
        """Return the wallet's address."""
        return self._address

    def sign_message(self, message: bytes) -> Signature:
        """Return the signature of a message; raise `Refused` (`wallet.locked`)."""
        held = self._key()
        if held is None:
            raise _locked()
        return held.sign_message(message)

    def _key(self) -> Keypair | None:
        # The monotonic clock stands still while a machine sleeps, the other one may be set back.
        clock = self._clock
        if clock.monotonic() >= self._until_s or clock.now_ms() >= self._until_ms:
            self._held = None
        return self._held


def _locked() -> Refused:
    return Refused("the wallet is locked: run `quantdesk unlock`", code="wallet.locked")
