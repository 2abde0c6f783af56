"""TLS over a real socket: modern only, renewed while it serves, its key for its owner alone."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.unit.api.protection.served import HOST, KEY, Front, front

from quantdesk.api.tls import LOOK_S, Tls
from quantdesk.core.errors import Refused
from quantdesk.testing.certificates import self_signed

pytestmark = pytest.mark.anyio

DESK = "Host: desk\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(*self_signed(tmp_path, "desk"))


def trusting(folder: Path, called: str = "desk") -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / f"{called}.crt")


@pytest.fixture
async def serving(tls: Tls, tmp_path: Path) -> AsyncIterator[Front]:
    async with front(context=tls.context, trust=trusting(tmp_path), names=tls.names) as opened:
        yield opened


async def test_that_both_ways_and_sockets_are_served_over_tls(
    serving: Front, tmp_path: Path
) -> None:
    answers = [await serving.get(headers=DESK), await serving.post(DESK)]
    assert [answer.status for answer in answers] == [200, 201]
    for answer in answers:
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert serving.seen[0]["scheme"] == "https"
    own = f"{DESK}Origin: https://desk\r\n"
    assert (await serving.post(own)).status == 201
    assert (await serving.post(own.replace("https", "http"))).status == 403
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"wss://127.0.0.1:{serving.port}/ws",
            ssl=trusting(tmp_path),
            headers={"Authorization": f"Bearer {KEY}"},
        ) as socket,
    ):
        await socket.receive()
        assert socket.close_code == 1000


async def test_that_plain_http_gets_nothing(serving: Front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(f"GET /healthz HTTP/1.1\r\n{HOST}\r\n".encode())
    async with asyncio.timeout(60):
        assert b"HTTP" not in await reader.read()
    writer.close()


async def hello(port: int, context: ssl.SSLContext) -> tuple[str, str]:
    """Return the version and the cipher of a handshake."""
    _, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="desk"
    )
    told: ssl.SSLObject = writer.get_extra_info("ssl_object")
    cipher = told.cipher()
    assert cipher is not None
    writer.close()
    return str(told.version()), cipher[0]


async def test_that_versions_and_ciphers_are_modern(serving: Front, tmp_path: Path) -> None:
    modern = trusting(tmp_path)
    assert (await hello(serving.port, modern))[0] == "TLSv1.3"
    modern.maximum_version = ssl.TLSVersion.TLSv1_2
    version, cipher = await hello(serving.port, modern)
    assert version == "TLSv1.2"
    assert cipher.startswith("ECDHE-")
    for weak in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"):
        modern.set_ciphers(weak)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await hello(serving.port, modern)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
async def test_that_old_versions_are_turned_away(serving: Front, tmp_path: Path) -> None:
    old = trusting(tmp_path)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await hello(serving.port, old)


async def test_that_a_renewed_certificate_is_taken_without_a_restart(
    serving: Front, tls: Tls, tmp_path: Path
) -> None:
    before = (tmp_path / "desk.crt").read_bytes()
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", serving.port, ssl=trusting(tmp_path), server_hostname="desk"
    )
    assert not tls.look()
    self_signed(tmp_path, "desk")
    renewed((tmp_path / "desk.crt"), 1)
    assert (tmp_path / "desk.crt").read_bytes() != before

    assert tls.look()
    assert not tls.look()

    await hello(serving.port, trusting(tmp_path))  # trusts the new one alone
    with pytest.raises(ssl.SSLCertVerificationError):
        await serving.get(headers=DESK)
    writer.write(f"GET /healthz HTTP/1.1\r\n{DESK}Connection: close\r\n\r\n".encode())
    async with asyncio.timeout(60):
        assert (await reader.read()).startswith(b"HTTP/1.1 404")  # of the old one, still served
    writer.close()


def renewed(file: Path, seconds: int) -> None:
    now = file.stat().st_mtime
    os.utime(file, (now + seconds, now + seconds))


async def test_that_a_pair_that_does_not_fit_changes_nothing(
    serving: Front, tls: Tls, tmp_path: Path
) -> None:
    cert, _ = self_signed(tmp_path, "desk", called="other")
    good = (tmp_path / "desk.crt").read_bytes()
    cert.replace(tmp_path / "desk.crt")
    with pytest.raises(Refused) as caught:
        tls.look()
    assert caught.value.code == "tls.unreadable"
    assert (await serving.get(headers=DESK)).status == 200

    (tmp_path / "desk.crt").write_bytes(good)
    renewed(tmp_path / "desk.crt", 5)
    assert tls.look()


async def test_that_a_desk_looks_and_goes_on_when_files_are_wrong(tls: Tls, tmp_path: Path) -> None:
    slept: list[float] = []

    class Enough(Exception):
        pass

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            (tmp_path / "desk.crt").unlink()
        if len(slept) == 2:
            self_signed(tmp_path, "desk", "new.example")
        if len(slept) == 3:
            raise Enough

    with pytest.raises(Enough):
        await tls.run(sleep)
    assert slept == [LOOK_S] * 3
    assert tls.names == ("desk", "new.example")
    assert not tls.look()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_that_a_key_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    cert, key = self_signed(tmp_path, "desk")
    key.chmod(mode)
    with pytest.raises(Refused) as caught:
        Tls(cert, key)
    assert caught.value.code == "key.mode"
    assert "chmod 600" in caught.value.detail


def test_that_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path, "desk")
    with pytest.raises(Refused) as absent:
        Tls(tmp_path / "absent.crt", key)
    cert.write_text("nonsense")
    with pytest.raises(Refused) as nonsense:
        Tls(cert, key)
    assert [absent.value.code, nonsense.value.code] == ["tls.unreadable"] * 2


def test_that_names_with_a_wildcard_are_not_ours_by_themselves(tmp_path: Path) -> None:
    assert Tls(*self_signed(tmp_path, "a.example", "*.b.example")).names == ("a.example",)
