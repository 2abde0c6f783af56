"""A key file is made once, for its owner alone, and read back or refused with the reason."""

import json
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from quantdesk.chains.solana import keys
from quantdesk.chains.solana.builder import ASSOCIATED_TOKEN_PROGRAM
from quantdesk.core.assets import ASSETS, TOKEN_2022, TOKEN_PROGRAM
from quantdesk.core.errors import Refused

SEED = bytes(range(32))


def _make(folder: Path) -> Path:
    path = folder / "wallet.json"
    keys.make(path, entropy=lambda count: SEED[:count])
    return path


def test_reads_back_the_key_it_made(tmp_path: Path) -> None:
    path = _make(tmp_path)

    assert keys.load(path) == Keypair.from_seed(SEED)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == list(bytes(Keypair.from_seed(SEED)))


def test_never_overwrites_a_key(tmp_path: Path) -> None:
    path = _make(tmp_path)

    with pytest.raises(Refused) as caught:
        keys.make(path, entropy=bytes)

    assert caught.value.code == "key.exists"
    assert keys.load(path) == Keypair.from_seed(SEED)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o610])
def test_refuses_a_file_others_may_touch(tmp_path: Path, mode: int) -> None:
    path = _make(tmp_path)
    path.chmod(mode)

    with pytest.raises(Refused) as caught:
        keys.load(path)

    assert caught.value.code == "key.mode"
    assert "chmod 600" in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{}",
        "[]",
        "[1,2]",
        "[256]",
        "[-1]",
        json.dumps([1] * 64),
        json.dumps([1.5] * 64),
        json.dumps([*SEED]),
        json.dumps([*bytes(Keypair.from_seed(SEED)), 0]),
    ],
)
def test_refuses_what_is_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wallet.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(Refused) as caught:
        keys.load(path)

    assert caught.value.code == "key.unreadable"


def test_says_when_there_is_none_and_follows_no_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(_make(tmp_path))

    for path in (tmp_path / "nothing", link):
        with pytest.raises(Refused) as caught:
            keys.load(path)
        assert caught.value.code == "key.missing"


def test_knows_a_token_account_for_every_asset() -> None:
    wallet = keys.wallet("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")

    assert set(wallet.token_accounts) == set(ASSETS)
    assert len({wallet.address, *wallet.token_accounts.values()}) == len(ASSETS) + 1


def test_derives_a_token_account_by_the_program_of_its_token() -> None:
    owner = Pubkey.from_string("7fUAJdStEuGbc3sM84cKRL6yYaaSstyLSU4ve5oovLS7")
    wallet = keys.wallet(str(owner))

    for symbol, program in {"USDC": TOKEN_PROGRAM, "PYUSD": TOKEN_2022}.items():
        seeds = [owner, Pubkey.from_string(program), Pubkey.from_string(ASSETS[symbol].mint)]
        found, _ = Pubkey.find_program_address(
            [bytes(seed) for seed in seeds], Pubkey.from_string(ASSOCIATED_TOKEN_PROGRAM)
        )
        assert wallet.token_accounts[symbol] == str(found)
