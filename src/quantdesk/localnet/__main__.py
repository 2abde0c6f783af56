"""The process that `quantdesk up` starts: `-m quantdesk.localnet HOME SLOT_MS DEPTH_USD PORT`."""

import asyncio
import signal
import sys
from decimal import Decimal
from pathlib import Path

import uvloop

from quantdesk.localnet.process import serving
from quantdesk.settings import LocalnetSettings
from quantdesk.telemetry import log


async def _serve(home: Path, settings: LocalnetSettings, port: int) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with serving(home, settings, port=port):
        await stop.wait()


def main() -> None:
    """Serve the cluster of a home on a port; 0 takes a free one."""
    home, slot_ms, depth_usd, port = sys.argv[1:]
    settings = LocalnetSettings(slot_ms=int(slot_ms), depth_usd=Decimal(depth_usd))
    log.configure()
    uvloop.run(_serve(Path(home), settings, int(port)))


if __name__ == "__main__":
    main()
