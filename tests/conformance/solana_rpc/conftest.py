"""The two chains the suite runs against: ours, and Surfpool as an independent implementation."""

import asyncio
import inspect
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair
from tests.conformance.solana_rpc.chain import Chain, started, stopped

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SURFPOOL = "@solana/surfpool-linux-x64-gnu@1.5.0"
INSTALL_S = 120
SLOT_MS = 25


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session", params=["localnet", "surfpool"])
def chain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chain]:
    if request.param == "localnet":
        command = own_command(tmp_path_factory.mktemp("localnet"))
    else:
        command = ["node", str(HERE / "surfpool.mjs"), str(_surfpool())]
    found, process = started(request.param, command)
    yield found
    stopped(process)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Our localnet alone, for what Surfpool need not do."""
    found, process = started("localnet", own_command(tmp_path_factory.mktemp("own")))
    yield found
    stopped(process)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "surfpool_differs(reason): where Surfpool is no cluster")


@pytest.fixture(autouse=True)
def _deviation(request: pytest.FixtureRequest) -> None:
    """Expect a case to fail on Surfpool where it differs from the cluster; the mark says how."""
    mark = request.node.get_closest_marker("surfpool_differs")
    if mark is None or "chain" not in request.fixturenames:
        return
    if request.getfixturevalue("chain").name == "surfpool":
        request.applymarker(pytest.mark.xfail(reason=mark.args[0], strict=True))


@pytest.fixture
def payer(chain: Chain) -> Keypair:
    """Return a wallet with 10 SOL on the chain under test."""
    wallet = Keypair()
    asyncio.run(chain.fund(wallet.pubkey()))
    return wallet


def own_command(folder: Path, slot_ms: int = SLOT_MS) -> list[str]:
    path = f"PYTHONPATH={ROOT / 'src'}"  # this checkout, whatever is installed
    return ["env", path, sys.executable, str(HERE / "own.py"), str(folder), str(slot_ms)]


def _surfpool() -> Path:
    """Install Surfpool once, as a test-only tool; skip with the reason where it cannot be had."""
    folder = ROOT / "build" / "surfpool"
    if not shutil.which("node") or not shutil.which("npm"):
        _loud_skip("node and npm are not on this machine")
    if not (folder / "node_modules" / "@solana").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        install = ["npm", "install", "--no-save", "--no-audit", "--no-fund", SURFPOOL]
        done = subprocess.run(
            install, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
        if done.returncode:
            _loud_skip(f"npm cannot install {SURFPOOL}: {done.stderr.strip()[-200:]}")
    return folder


def _loud_skip(reason: str) -> None:
    pytest.skip(f"Surfpool NOT compared: {reason}")
