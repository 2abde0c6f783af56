"""A program that says secrets through every door of the log: its secrets come in as JSON."""

import asyncio
import gc
import json
import logging
import sys
import threading
import warnings
from typing import Any

import structlog

from quantdesk.telemetry import log as doors


class Unraisable:
    """Fails where nobody can catch it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __del__(self) -> None:
        raise RuntimeError(self._secret)


def structured(secret: str) -> None:
    log = structlog.get_logger()
    log.info("plant.value", detail=secret)
    log.info("plant.nested", found={"a": [1, ("b", secret)], secret: 1})
    log.info("plant.bytes", told=secret.encode())
    log.info("plant.object", problem=ValueError(secret))
    log.bind(bound=secret).warning("plant.bound")
    structlog.contextvars.bind_contextvars(context=secret)
    log.info("plant.context")
    structlog.contextvars.clear_contextvars()
    log.info(secret)
    log.info("plant.stack", stack_info=True, told=secret)


def fail(secret: str) -> None:
    raise ValueError(secret)


def excepted(secret: str) -> None:
    log = structlog.get_logger()
    try:
        try:
            fail(secret)
        except ValueError as problem:
            local = secret
            raise RuntimeError(f"again {local}") from problem
    except RuntimeError:
        log.exception("plant.exception", path="/x")
        logging.getLogger("uvicorn.error").exception("in a request: %s", secret)


def foreign(secret: str) -> None:
    for name in ("uvicorn.error", "asyncio", "aiohttp.client", "anybody"):
        logging.getLogger(name).error("says %s", secret)
        logging.getLogger(name).warning(secret)
    logging.getLogger("anybody").error("wrongly %d", secret)  # cannot be written
    warnings.warn(secret, stacklevel=1)


def threaded(secret: str) -> None:
    def fail() -> None:
        raise RuntimeError(secret)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


async def looped(secret: str) -> None:
    async def fail() -> None:
        raise RuntimeError(secret)

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    del task
    gc.collect()
    asyncio.get_running_loop().call_exception_handler({"message": secret})
    await asyncio.sleep(0)


def main() -> None:
    """Say every secret through every door, and end by one."""
    told: dict[str, Any] = json.load(sys.stdin)
    doors.configure()
    doors.hide(*told["hidden"])
    for secret in told["secrets"]:
        structured(secret)
        excepted(secret)
        foreign(secret)
        threaded(secret)
        asyncio.run(looped(secret))
        Unraisable(secret)
        gc.collect()
    structlog.get_logger().info("plant.last")
    raise RuntimeError(" ".join(told["secrets"]))


if __name__ == "__main__":
    main()
