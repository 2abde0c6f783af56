"""Where the shipped servers listen: a port of this machine that the system picks."""

from typing import Final

from aiohttp import web

_HOST: Final = "127.0.0.1"
_PATIENCE_S: Final = 0.1  # for clients that are still connected at the end


class Serving:
    """An aiohttp application that is served from `begin` to `end`."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None

    async def begin(self, app: web.Application, *, cancels: bool = False) -> str:
        """Serve it; return host and port, as they stand in a URL.

        With `cancels` a question ends when whoever asked it hangs up.
        """
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_PATIENCE_S, handler_cancellation=cancels
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def end(self) -> None:
        """Stop serving and close every connection."""
        assert self._runner is not None, "begun before ended"
        await self._runner.cleanup()
