"""`quantdesk sign-in` signs the desk's own text with a key file, and keeps the session safe."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.flow.access.wallet_stage import Stage

from quantdesk.api.server import bind, serving
from quantdesk.cli import sign_in
from quantdesk.core.errors import Refused
from quantdesk.ops import folder
from quantdesk.store.pool import Pools
from quantdesk.testing.wallets import SolanaWallet

pytestmark = pytest.mark.anyio

WALLET = SolanaWallet()
TEXT = (
    f"127.0.0.1:4000 wants you to sign in with your Solana account:\n{WALLET.address}\n\n"
    "Sign in to this QuantDesk.\n\nURI: http://127.0.0.1:4000\nVersion: 1\nNonce: 0"
)


@asynccontextmanager
async def running(stage: Stage, home: Path) -> AsyncIterator[None]:
    """Serve a stage as the desk of a data folder."""
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    stage.origins = (url,)
    told = {"pid": os.getpid(), "urls": {"api": url}}
    folder.write(home / folder.DESK, msgspec.json.encode(told).decode())
    folder.write(home / folder.OWNER_KEY, "qd_owner\n")
    async with serving(stage.app(), bound):
        yield


def key_file(at: Path, *, mode: int = 0o600) -> Path:
    path = at / "id.json"
    path.write_text(str(list(bytes(WALLET.keypair))))
    path.chmod(mode)
    return path


async def test_a_key_file_signs_in(pools: Pools, tmp_path: Path) -> None:
    stage = Stage(pools)
    async with running(stage, tmp_path):
        address, opened = await sign_in._opened(tmp_path, key_file(tmp_path))

    assert address == WALLET.address
    assert opened.token == f"token-of-{stage.door.welcomed[0].id}"


async def test_a_second_factor_sends_to_the_page(pools: Pools, tmp_path: Path) -> None:
    stage = Stage(pools)
    stage.door.asks_for_factor = True
    async with running(stage, tmp_path):
        with pytest.raises(Refused) as refused:
            await sign_in._opened(tmp_path, key_file(tmp_path))
    assert refused.value.code == "factor.needed"


async def test_a_key_that_others_can_read_is_not_used(pools: Pools, tmp_path: Path) -> None:
    stage = Stage(pools)
    async with running(stage, tmp_path):
        with pytest.raises(Refused) as refused:
            await sign_in._opened(tmp_path, key_file(tmp_path, mode=0o640))
    assert refused.value.code == "key.mode"
    assert await stage.count("wallet_nonces") == 0


def test_the_session_is_kept_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def opened(_: Path, __: Path) -> tuple[str, sign_in.Opened]:
        user = sign_in.User("6ASf5E…", "trader")
        return WALLET.address, sign_in.Opened("secret", "renewal", "2026-01-01T00:00:00Z", user)

    monkeypatch.setattr(sign_in, "_opened", opened)
    sign_in.sign_in(tmp_path / "key", tmp_path)

    kept = tmp_path / sign_in.SESSION
    assert kept.stat().st_mode & 0o777 == 0o600
    assert msgspec.json.decode(kept.read_bytes()) == {
        "address": WALLET.address,
        "token": "secret",
        "refreshToken": "renewal",
        "expiresAt": "2026-01-01T00:00:00Z",
    }
    assert "secret" not in capsys.readouterr().out


def test_the_text_of_a_sign_in_here_is_signed() -> None:
    sign_in.check(TEXT, url="http://127.0.0.1:4000", address=WALLET.address)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("127.0.0.1:4000 wants", "127.0.0.1:4001 wants"),
        (WALLET.address, SolanaWallet(2).address),
        ("Sign in to this", "Let this wallet sign in to your"),
        ("URI: http://127.0.0.1:4000", "URI: https://evil.example"),
        ("Version: 1", "Version: 2"),
        (TEXT, "transfer everything"),
        (TEXT, ""),
    ],
)
def test_nothing_else_is_signed(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(Refused) as refused:
        sign_in.check(TEXT.replace(old, new), url="http://127.0.0.1:4000", address=WALLET.address)
    assert refused.value.code == "message.unexpected"
