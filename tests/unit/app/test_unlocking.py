"""A running desk is unlocked by its passphrase, through a socket that is its owner's alone."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from solders.keypair import Keypair

from quantdesk.access.sealing import Sealer
from quantdesk.app import unlocking, wallets
from quantdesk.app.unlocking import Door, Wish
from quantdesk.chains.solana import keys, sealed
from quantdesk.chains.solana.vault import Vault
from quantdesk.core.errors import Refused, Unavailable

pytestmark = pytest.mark.anyio
SEALER = Sealer({1: bytes(32)})
PASSPHRASE = "a horse that nobody staples"
PAIR = Keypair.from_seed(bytes(range(32)))
SEALED = sealed.seal(PAIR, PASSPHRASE, entropy=lambda n: bytes(range(n)), cost=1 << 10)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    """Time that stands still; who waits is noted and goes on."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_ms(self) -> int:
        """Return a moment."""
        return 1_700_000_000_000

    def now_ns(self) -> int:
        """Return it in nanoseconds."""
        return self.now_ms() * 1_000_000

    def monotonic(self) -> float:
        """Return the same moment."""
        return 100.0

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.slept.append(seconds)


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[tuple[Vault, Clock, Door]]:
    clock = Clock()
    vault = Vault(address=PAIR.pubkey(), clock=clock)
    door = Door(sealed=SEALED, vault=vault, clock=clock)
    async with unlocking.unlocking(home, door):
        yield vault, clock, door


async def raw(home: Path, line: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(home / unlocking.SOCKET))
    writer.write(line)
    said = await reader.readline()
    writer.close()
    return said


async def test_that_the_passphrase_opens_it_and_no_seconds_lock_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (vault, _, door):
        told = await unlocking.ask(tmp_path, Wish(60, PASSPHRASE))
        assert (told.address, told.until_ms) == (str(PAIR.pubkey()), 1_700_000_060_000)
        assert vault.sign_message(b"x") == PAIR.sign_message(b"x")
        assert await door.probe() == "open until 2023-11-14T22:14:20.000Z"

        told = await unlocking.ask(tmp_path, Wish(0))
        assert told.until_ms is None
        assert "locked" in await door.probe()
        with pytest.raises(Refused):
            vault.sign_message(b"x")
    assert not (tmp_path / unlocking.SOCKET).exists()


async def test_that_a_wrong_passphrase_opens_nothing_and_takes_its_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as (vault, clock, _):
        with pytest.raises(Refused) as refused:
            await unlocking.ask(tmp_path, Wish(60, "another"))
        assert refused.value.code == "passphrase.wrong"
        assert (vault.until_ms, clock.slept) == (None, [1.0])


async def test_that_it_is_never_open_for_longer_than_a_day(tmp_path: Path) -> None:
    async with opened(tmp_path) as (vault, _, _):
        with pytest.raises(Refused) as refused:
            await unlocking.ask(tmp_path, Wish(24 * 3600 + 1, PASSPHRASE))
        assert (refused.value.code, vault.until_ms) == ("unlock.too_long", None)


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b'{"seconds":1,"more":2}\n', b"\xff\n", b"[" * 3000 + b"\n"]
)
async def test_that_nonsense_is_answered_and_changes_nothing(tmp_path: Path, line: bytes) -> None:
    async with opened(tmp_path) as (vault, _, _):
        assert b"request.malformed" in await raw(tmp_path, line)
        assert vault.until_ms is None


async def test_that_what_has_no_end_is_dropped(tmp_path: Path) -> None:
    async with opened(tmp_path) as (vault, _, _):
        assert await raw(tmp_path, b"x" * 10_000) == b""
        assert vault.until_ms is None
        assert (await unlocking.ask(tmp_path, Wish(1, PASSPHRASE))).until_ms


async def test_that_the_socket_is_its_owners_alone_however_long_the_path(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    home.mkdir(mode=0o700)
    async with opened(home):
        mode = (home / unlocking.SOCKET).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert (await unlocking.ask(home, Wish(1, PASSPHRASE))).until_ms


async def test_that_a_killed_desks_socket_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / unlocking.SOCKET).touch()
    async with opened(tmp_path):
        assert (await unlocking.ask(tmp_path, Wish(1, PASSPHRASE))).until_ms


async def test_that_no_desk_is_told_as_such(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Unavailable) as problem:
            await unlocking.ask(home, Wish(1, PASSPHRASE))
        assert problem.value.code == "desk.not_running"


def test_that_a_wish_never_shows_its_passphrase() -> None:
    assert PASSPHRASE not in repr(Wish(1, PASSPHRASE))
    assert PASSPHRASE not in f"{Wish(1, PASSPHRASE)}"


def test_that_a_new_wallet_is_sealed_and_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(Refused) as missing:
        wallets.mainnet(tmp_path)
    assert missing.value.code == "wallet.missing"

    address = wallets.create(tmp_path, PASSPHRASE)
    path = tmp_path / wallets.SEALED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = wallets.mainnet(tmp_path)
    assert (found.address, found.cost) == (address, 1 << 17)
    assert str(sealed.opened(found, PASSPHRASE).pubkey()) == address

    with pytest.raises(Refused) as exists:
        wallets.create(tmp_path, PASSPHRASE)
    assert exists.value.code == "key.exists"
    path.chmod(0o644)
    with pytest.raises(Refused) as readable:
        wallets.mainnet(tmp_path)
    assert readable.value.code == "key.mode"


def test_that_a_wallet_is_brought_along(tmp_path: Path) -> None:
    source = tmp_path / "id.json"
    made = keys.make(source, entropy=lambda n: bytes(range(n)))

    assert wallets.create(tmp_path, PASSPHRASE, source=source) == str(made.pubkey())
    assert sealed.opened(wallets.mainnet(tmp_path), PASSPHRASE) == made


def test_that_devnets_key_is_made_once(tmp_path: Path) -> None:
    made = wallets.devnet(tmp_path, SEALER)

    assert wallets.devnet(tmp_path, SEALER) == made
    assert stat.S_IMODE((tmp_path / wallets.DEVNET_KEY).stat().st_mode) == 0o600
