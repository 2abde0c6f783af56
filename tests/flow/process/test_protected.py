"""A whole desk and its secrets: over TLS, in its log, in what it tells, and in its files."""

import json
import os
import signal
import ssl
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.running import LOCALNET, PAPER, READY_S, Process

from quantdesk.access.master import keyring
from quantdesk.access.sealing import Sealer
from quantdesk.app import wallets
from quantdesk.chains.solana import keystore
from quantdesk.testing.certificates import self_signed

PASSWORD = "a-password-of-no-form"
SECRETS = {
    "jupiter.api_key": "jupiter-key-planted",
    "binance.key": "binance-key-planted",
    "news.x_token": "x-token-planted",
    # pragma: allowlist nextline secret
    "solana.rpc_url": "https://ann:rpc-password-planted@127.0.0.1:1/?api-key=rpc-key-planted",
}
PLANTED = ("jupiter-key-planted", "binance-key-planted", "x-token-planted",
           "rpc-password-planted", "rpc-key-planted")  # fmt: skip


def quantdesk(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "quantdesk", *words],
        capture_output=True, text=True, timeout=READY_S * 2, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def ask(desk: Process, path: str, trust: ssl.SSLContext, **headers: str) -> tuple[int, str]:
    """Return status and body of an answer over TLS, as the owner gets it."""
    request = urllib.request.Request(
        desk.url + path, headers={"Authorization": f"Bearer {desk.key}", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=60, context=trust) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, problem.read().decode()


def test_that_a_desk_speaks_tls_and_tells_no_secret_of_its_settings(
    folder: Path, desks: Desks
) -> None:
    cert, key = self_signed(folder, "desk.example.com")
    told = {**SECRETS, "api.tls_cert": str(cert), "api.tls_key": str(key)}
    named = desks("home", *PAPER)
    named.home.mkdir(mode=0o700)
    sections: dict[str, list[str]] = {}
    for name, value in told.items():
        section, _, knob = name.partition(".")
        sections.setdefault(section, []).append(f"{knob} = {json.dumps(value)}")
    (named.home / "quantdesk.toml").write_text(
        "".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())
    )
    named.launch()
    named.until((named.home / "desk.json").exists, "told where it is")

    assert named.url.startswith("https://127.0.0.1:")
    assert {file.name for file in named.home.glob("*.key")} == {"owner.key", "master.key"}
    trust = ssl.create_default_context(cafile=cert)
    status, system = ask(named, "/api/system", trust)
    assert status == 200
    asked = quantdesk("orders", "--home", str(named.home))
    assert asked.returncode == 0, asked.stderr
    assert ask(named, "/api/system", trust, Host="desk.example.com")[0] == 200
    assert ask(named, "/api/system", trust, Host="evil.example")[0] == 421
    doctor = quantdesk("doctor", "--home", str(named.home), "--json")
    well = json.loads(doctor.stdout)
    assert {finding["level"] for finding in well if finding["about"] == "desk"} == {"ok"}
    for said in (system, doctor.stdout, doctor.stderr, named.said(), asked.stdout, asked.stderr):
        assert not [secret for secret in PLANTED if secret in said]
    assert named.stop() == 0


def test_that_a_database_that_refuses_tells_no_password(desks: Desks, folder: Path) -> None:
    url = f"database_url=postgres://desk:{PASSWORD}@127.0.0.1:1/desk?sslpassword={PASSWORD}"
    for words in (url, url.replace("://", ":")):
        named = desks("home", *PAPER, "--set", words)
        named.launch()
        assert named.wait() == 1
        assert "database." in named.said()
        assert PASSWORD not in named.said()
    (folder / "home" / "quantdesk.toml").write_text(url.replace("=", ' = "', 1) + '"\n')
    doctor = quantdesk("doctor", "--home", str(folder / "home"))
    assert PASSWORD not in doctor.stdout + doctor.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_that_an_open_desk_does_not_start_bare(desks: Desks, host: str) -> None:
    named = desks("home", *PAPER, "--set", f"api.host={host}")
    named.launch()
    assert named.wait() == 1
    assert "listen.insecure: " in named.said()
    assert "api.tls_cert" in named.said()


def test_that_a_tls_key_others_can_read_stops_the_start(desks: Desks, folder: Path) -> None:
    cert, key = self_signed(folder, "desk")
    key.chmod(0o644)
    named = desks("home", *PAPER, "--set", f"api.tls_cert={cert}", "--set", f"api.tls_key={key}")
    named.launch()
    assert named.wait() == 1
    assert "key.mode: " in named.said()


def sealed(home: Path) -> dict[str, int | None]:
    return {name: keystore.WalletFile(home / name).number() for name in ("wallet.key", "maker.key")}


def test_that_the_localnets_wallet_is_sealed_and_outlives_a_rotation(
    desks: Desks, folder: Path
) -> None:
    named = desks("home", *LOCALNET)
    named.start()
    wallet = named.told["wallet"]
    assert sealed(named.home) == {"wallet.key": 1, "maker.key": 1}
    assert stat.S_IMODE((named.home / "master.key").stat().st_mode) == 0o600

    running = quantdesk("master", "rotate", "--home", str(named.home))
    assert (running.returncode, "desk.running" in running.stderr) == (1, True)
    assert named.stop() == 0
    done = quantdesk("master", "rotate", "--home", str(named.home))

    assert done.returncode == 0, done.stderr
    assert "master key 2" in done.stdout
    assert sealed(named.home) == {"wallet.key": 2, "maker.key": 2}
    assert len((named.home / "master.key").read_text().splitlines()) == 2
    named.start()
    assert named.told["wallet"] == wallet
    sold = named.post({"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}).body["orderId"]
    assert [order["status"] for order in named.ended([sold])] == ["CONFIRMED"]
    assert named.stop() == 0

    key = (named.home / "master.key").rename(folder / "elsewhere.key")
    named.launch()
    assert named.wait() == 1
    assert "master.missing: " in named.said()
    assert not (named.home / "master.key").exists()
    named.flags = (*LOCALNET, "--set", f"access.master_key_file={key}")
    named.start()
    assert named.told["wallet"] == wallet
    assert named.stop() == 0


def test_that_a_rotation_killed_for_good_goes_on(desks: Desks, folder: Path, database: str) -> None:
    """Kill -9 at moments spread over its whole run; the wallet and the desk live on."""
    flags = ("--set", f"database_url={database}")
    named = desks("home", "--mode", "paper", "--source", "simulated", *flags)
    named.start()
    assert named.stop() == 0
    before = wallets.localnet(named.home, Sealer(keyring.read(named.home / "master.key")))
    whole_s = _rotated(named.home, flags, kill_s=None)
    numbers = set()
    for part in range(8):
        _rotated(named.home, flags, kill_s=whole_s * (part + 1) / 8.5)
        keys = keyring.read(named.home / "master.key")
        assert wallets.localnet(named.home, Sealer(keys)) == before
        numbers |= set(keys)
    _rotated(named.home, flags, kill_s=None)
    keys = keyring.read(named.home / "master.key")
    assert len(keys) == 1
    assert max(keys) > max(2, *(numbers - set(keys)))
    assert wallets.localnet(named.home, Sealer(keys)) == before


def _rotated(home: Path, flags: tuple[str, ...], *, kill_s: float | None) -> float:
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "quantdesk", "master", "rotate", "--home", str(home), *flags],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _, said = process.communicate(timeout=kill_s or READY_S)
        assert process.returncode == 0, said
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    return time.monotonic() - began
