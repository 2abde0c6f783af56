"""A wallet's key at rest: sealed, taken over from a plain file without ever being in danger."""

import json
import stat
from pathlib import Path

import pytest
from solders.keypair import Keypair

from quantdesk.access.sealing import Sealer
from quantdesk.chains.solana import keys, keystore
from quantdesk.chains.solana.keystore import WalletFile, open_wallet
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.testing.cutting import lives

SEED = bytes(range(32))
KEYPAIR = Keypair.from_seed(SEED)
OLD, BOTH = Sealer({1: bytes(32)}), Sealer({1: bytes(32), 2: bytes([5] * 32)})
NEW = Sealer({2: bytes([5] * 32)})


def entropy(count: int) -> bytes:
    return SEED[:count]


def plain(folder: Path) -> Path:
    path = folder / "wallet.key"
    path.unlink(missing_ok=True)
    keys.make(path, entropy=entropy)
    return path


def holds_the_secret(path: Path) -> bool:
    text = path.read_bytes()
    return SEED in text or json.dumps(list(SEED), separators=(",", ":")).encode()[1:-1] in text


def test_that_a_new_wallet_is_never_in_the_clear(tmp_path: Path) -> None:
    path = tmp_path / "wallet.key"

    assert open_wallet(path, OLD, entropy=entropy) == KEYPAIR
    assert not holds_the_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_wallet(path, OLD) == KEYPAIR
    assert keystore.address(path) == str(KEYPAIR.pubkey())


def test_that_a_plain_wallet_is_sealed_in_its_place(tmp_path: Path) -> None:
    path = plain(tmp_path)
    assert holds_the_secret(path)
    assert WalletFile(path).number() is None
    assert keystore.address(path) == str(KEYPAIR.pubkey())

    assert open_wallet(path, OLD, entropy=bytes) == KEYPAIR
    assert [each.name for each in tmp_path.iterdir()] == ["wallet.key"]
    assert not holds_the_secret(path)
    assert WalletFile(path).number() == 1


def test_that_a_kill_while_sealing_never_loses_the_key(tmp_path: Path) -> None:
    seen = set()
    for knife in lives():
        path = plain(tmp_path)
        with knife:
            open_wallet(path, OLD)
        seen.add(WalletFile(path).number())
        assert open_wallet(path, OLD) == KEYPAIR
        assert not holds_the_secret(path)
    assert seen == {None, 1}


def test_that_a_wallet_moves_to_the_newest_master_key(tmp_path: Path) -> None:
    path = tmp_path / "wallet.key"
    open_wallet(path, OLD, entropy=entropy)
    WalletFile(path).rewrap(BOTH)

    assert WalletFile(path).number() == 2
    assert open_wallet(path, NEW) == KEYPAIR
    with pytest.raises(Corrupt) as caught:
        open_wallet(path, OLD)
    assert caught.value.code == "secret.unreadable"


class Unopened(Sealer):
    """A master key under which nothing may be opened."""

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Fail."""
        raise AssertionError("a secret was opened")


def test_that_a_start_and_a_rotation_check_a_wallet_without_opening_it(tmp_path: Path) -> None:
    """In mode paper too, where no key may be in the process."""
    path = tmp_path / "wallet.key"
    open_wallet(path, OLD, entropy=entropy)
    WalletFile(path).check(Unopened({1: bytes(32)}))
    WalletFile(path).rewrap(Unopened({1: bytes(32), 2: bytes([5] * 32)}))
    with pytest.raises(Corrupt):
        WalletFile(path).check(Unopened({1: bytes([1] * 32), 2: bytes(32)}))
    assert open_wallet(path, NEW) == KEYPAIR


def test_that_a_wallet_under_another_address_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "wallet.key"
    open_wallet(path, OLD, entropy=entropy)
    other = str(Keypair.from_seed(bytes(32)).pubkey())
    path.write_text(path.read_text().replace(str(KEYPAIR.pubkey()), other))
    for use in (lambda: open_wallet(path, OLD), lambda: WalletFile(path).check(OLD)):
        with pytest.raises(Corrupt):
            use()


@pytest.mark.parametrize(
    "text",
    ["{}", '{"version":2,"address":"7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7","sealed":""}',
     '{"version":1,"address":"no","sealed":""}', "[1,2]", ""],
)  # fmt: skip
def test_that_what_is_no_wallet_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wallet.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Refused) as caught:
        open_wallet(path, OLD, entropy=entropy)
    assert caught.value.code == "key.unreadable"
    assert path.read_text() == text


def test_that_a_sealed_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wallet.key"
    open_wallet(path, OLD, entropy=entropy)
    path.chmod(0o640)
    with pytest.raises(Refused) as caught:
        open_wallet(path, OLD)
    assert caught.value.code == "key.mode"
