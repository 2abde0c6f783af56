"""Promise: a locked wallet signs nothing, a sealed one opens for its passphrase alone."""

import json
from dataclasses import dataclass

import pytest
from solders.keypair import Keypair

from quantdesk.chains.solana import sealed
from quantdesk.chains.solana.vault import Vault
from quantdesk.core.errors import Refused

PAIR = Keypair.from_seed(bytes(range(32)))
PASSPHRASE = "a horse that nobody staples"
COST = 1 << 10


def entropy(count: int) -> bytes:
    return bytes(range(count))


@dataclass
class Clocks:
    """Two clocks that a test moves apart."""

    s: float = 100.0
    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        """Return the wall clock."""
        return self.ms

    def now_ns(self) -> int:
        """Return the wall clock, finer."""
        return self.ms * 1_000_000

    def monotonic(self) -> float:
        """Return the other one."""
        return self.s

    async def sleep(self, seconds: float) -> None:
        """Fail."""
        raise AssertionError(f"nothing here waits, least of all {seconds} s")


def code(vault: Vault) -> str:
    with pytest.raises(Refused) as refused:
        vault.sign_message(b"message")
    with pytest.raises(Refused):
        vault.check()
    assert vault.until_ms is None
    return refused.value.code


def test_that_a_locked_vault_knows_its_address_and_signs_nothing() -> None:
    vault = Vault(address=PAIR.pubkey(), clock=Clocks())

    assert vault.pubkey() == PAIR.pubkey()
    assert code(vault) == "wallet.locked"


def test_that_an_unlocked_vault_signs_as_its_key_does() -> None:
    clocks = Clocks()
    vault = Vault(address=PAIR.pubkey(), clock=clocks)
    vault.unlock(PAIR, for_s=60)

    vault.check()
    assert vault.sign_message(b"message") == PAIR.sign_message(b"message")
    assert vault.until_ms == clocks.ms + 60_000


@pytest.mark.parametrize(("s", "ms"), [(60.0, 0), (0.0, 60_000), (60.0, 60_000)])
def test_that_it_locks_when_its_time_is_over_by_either_clock(s: float, ms: int) -> None:
    clocks = Clocks()
    vault = Vault(address=PAIR.pubkey(), clock=clocks)
    vault.unlock(PAIR, for_s=60)
    clocks.s, clocks.ms = clocks.s + s, clocks.ms + ms
    assert code(vault) == "wallet.locked"

    clocks.s, clocks.ms = 100.0, 1_700_000_000_000
    assert code(vault) == "wallet.locked", "a clock that is set back brings no key back"


def test_that_locking_forgets_and_another_wallets_key_is_refused() -> None:
    vault = Vault(address=PAIR.pubkey(), clock=Clocks())
    vault.unlock(PAIR, for_s=60)
    vault.lock()
    assert code(vault) == "wallet.locked"
    with pytest.raises(Refused) as refused:
        vault.unlock(Keypair(), for_s=60)
    assert refused.value.code == "wallet.other"


def test_that_a_sealed_wallet_opens_for_its_passphrase_alone() -> None:
    made = sealed.seal(PAIR, PASSPHRASE, entropy=entropy, cost=COST)
    kept = sealed.read(made.text().encode())

    assert kept == made
    assert kept.pubkey == PAIR.pubkey()
    assert sealed.opened(kept, PASSPHRASE) == PAIR
    with pytest.raises(Refused) as refused:
        sealed.opened(kept, PASSPHRASE + "!")
    assert refused.value.code == "passphrase.wrong"


def test_that_nothing_of_the_key_is_readable() -> None:
    text = sealed.seal(PAIR, PASSPHRASE, entropy=entropy, cost=COST).text()

    assert PASSPHRASE not in text
    assert set(json.loads(text)) == {"version", "address", "cost", "salt", "nonce", "sealed"}
    assert bytes(PAIR)[:32].hex() not in text


@pytest.mark.parametrize("name", ["address", "cost", "salt", "nonce", "sealed"])
def test_that_a_changed_file_does_not_open(name: str) -> None:
    told = json.loads(sealed.seal(PAIR, PASSPHRASE, entropy=entropy, cost=COST).text())
    other = sealed.seal(
        Keypair(), PASSPHRASE, entropy=lambda n: bytes(range(1, n + 1)), cost=2 * COST
    )
    told[name] = json.loads(other.text())[name]

    with pytest.raises(Refused) as refused:
        sealed.opened(sealed.read(json.dumps(told).encode()), PASSPHRASE)
    assert refused.value.code == "passphrase.wrong"


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"cost": 1 << 24}, {"cost": 3}, {"cost": 0}, {"address": "nobody"}]
)
def test_that_what_is_no_sealed_wallet_is_refused(change: dict[str, object]) -> None:
    told = json.loads(sealed.seal(PAIR, PASSPHRASE, entropy=entropy, cost=COST).text())

    with pytest.raises(Refused) as refused:
        sealed.read(json.dumps(told | change).encode())
    assert refused.value.code == "key.unreadable"


def test_that_a_short_passphrase_seals_nothing() -> None:
    with pytest.raises(Refused) as refused:
        sealed.seal(PAIR, "short", entropy=entropy, cost=COST)
    assert refused.value.code == "passphrase.short"
