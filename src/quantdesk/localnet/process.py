"""The localnet as a process of its own, so that killing the desk leaves the chain running.

<home>/localnet/              the cluster's data
<home>/localnet/opening.json  prices its pools open at; read once, when the cluster is founded
<home>/localnet.json          where a running cluster is: {pid, rpc, ws}
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from quantdesk.chains.solana.keys import make, wallet
from quantdesk.chains.solana.keystore import address
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused
from quantdesk.localnet.opening import opening
from quantdesk.localnet.server import Localnet, serve
from quantdesk.settings import LocalnetSettings
from quantdesk.sources.simulated import MODELS

PLACE: Final = "localnet.json"
WALLET_KEY: Final = "wallet.key"
MAKER_KEY: Final = "maker.key"
FOLDER: Final = "localnet"
_OPENING: Final = "opening.json"


def prepare(home: Path, usd: Mapping[str, Decimal]) -> None:
    """Say at which prices (US dollars per unit) a cluster is to open, and make its wallets.

    Those that are there already are left as they are: a desk has sealed them, and whoever runs the
    chain needs their addresses only.
    """
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / _OPENING).write_bytes(msgspec.json.encode(dict(usd)))
    for name in (WALLET_KEY, MAKER_KEY):
        if not (home / name).exists():
            make(home / name, entropy=os.urandom)


@asynccontextmanager
async def serving(
    home: Path,
    settings: LocalnetSettings,
    *,
    port: int,
    programs: Mapping[str, Path] = MappingProxyType({}),
) -> AsyncIterator[Localnet]:
    """Serve the cluster of a home while the block runs, and say where in `localnet.json`.

    `programs` are loaded in place of ours, by id, when the cluster is founded. Raises `Refused`
    (`localnet.running`, `localnet.genesis`, `localnet.founded`), `Corrupt` for damaged data, and
    `OSError` when the port is taken.
    """
    if programs and any((home / FOLDER).glob("journal-*")):
        raise Refused(
            "programs are loaded when a chain is founded; choose a --home without one",
            code="localnet.founded",
        )
    prepare(home, _usd(home))
    trader, maker = (address(home / name) for name in (WALLET_KEY, MAKER_KEY))
    genesis = opening(
        trader=wallet(trader),
        maker=wallet(maker),
        usd=_usd(home),
        depth_usd=settings.depth_usd,
    )
    localnet = await serve(
        data_dir=home / FOLDER,
        host="127.0.0.1",
        port=port,
        slot_ms=settings.slot_ms,
        genesis=replace(genesis, programs={**genesis.programs, **programs}),
        clock=SystemClock(),
    )
    place = home / PLACE
    try:
        _write(place, {"pid": os.getpid(), "rpc": localnet.rpc_url, "ws": localnet.ws_url})
        yield localnet
    finally:
        place.unlink(missing_ok=True)
        await localnet.close()


def _usd(home: Path) -> dict[str, Decimal]:
    usd = {symbol: model.start for symbol, model in MODELS.items()}
    path = home / FOLDER / _OPENING
    if path.exists():
        usd |= msgspec.json.decode(path.read_bytes(), type=dict[str, Decimal])
    return usd


def _write(path: Path, told: dict[str, Any]) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(msgspec.json.encode(told))
    fresh.chmod(0o600)
    fresh.replace(path)
