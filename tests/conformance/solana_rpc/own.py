"""Serves the localnet as its own process: what the conformance suite drives, kills and restarts."""

import asyncio
import json
import os
import sys
from pathlib import Path

from quantdesk.core.clock import SystemClock
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.server import serve


async def main(folder: Path, slot_ms: int) -> None:
    """Serve until standard input closes; print `{rpc, ws}` when ready."""
    localnet = await serve(
        data_dir=folder,
        host="127.0.0.1",
        port=0,
        slot_ms=slot_ms,
        genesis=Genesis(),
        clock=SystemClock(),
    )
    async with localnet:
        sys.stdout.write(json.dumps({"rpc": localnet.rpc_url, "ws": localnet.ws_url}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(os.read, 0, 1)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
