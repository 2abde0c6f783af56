"""A stream in memory, on three servers where there are three: made, brought up to date, found.

    asked for on three → "no cluster", "too few" → on one → asked again, as the cluster may grow

Three copies outlive any one server. Two would not: a majority of two is both. What was kept on more
servers stays there. Errors: https://github.com/nats-io/nats-server, `server/errors.json`.
"""

from typing import Final

import structlog
from nats.aio.client import Client
from nats.js.api import StreamConfig, StreamInfo
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

from quantdesk.bus.nats.link import ANSWER_S, Link

log = structlog.get_logger()

COPIES: Final = 3
LOOK_S: Final = 60.0
"""So often a cluster that had too few servers is asked whether it has grown."""
_NO_CLUSTER: Final = 10074
_TOO_FEW: Final = 10005
_DIFFERS: Final = 10058


class Kept:
    """One stream, as one process knows it."""

    def __init__(self, link: Link, config: StreamConfig) -> None:
        self._link = link
        self._config = config
        self._is_known = False
        self._look_s: float | None = None

    @property
    def name(self) -> str:
        """Return the name of the stream."""
        return str(self._config.name)

    async def ensure(self, client: Client) -> None:
        """Make the stream unless it is known to be there; a new connection changes nothing.

        Raises as the library does.
        """
        due_s = self._look_s
        if not self._is_known or (due_s is not None and self._link.clock.monotonic() >= due_s):
            await self.opened(client)

    async def opened(self, client: Client) -> StreamInfo:
        """Make the stream, or make it what this version wants it to be.

        Raises as the library does.
        """
        streams = client.jetstream(timeout=ANSWER_S)
        self._look_s = None
        try:
            info = await self._made(streams, COPIES)
        except APIError as problem:
            if problem.err_code not in (_NO_CLUSTER, _TOO_FEW):
                raise
            info = await self._made(streams, 1)
            if problem.err_code == _TOO_FEW:
                self._look_s = self._link.clock.monotonic() + LOOK_S
                log.warning("bus.too_few_servers", stream=self.name, wanted=COPIES)
        self._is_known = True
        return info

    def lost(self) -> None:
        """Note that the stream was not found: it is made anew next time."""
        self._is_known = False

    async def _made(self, streams: JetStreamContext, copies: int) -> StreamInfo:
        wanted = self._config.evolve(num_replicas=copies)
        try:
            return await streams.add_stream(wanted)
        except APIError as problem:
            if problem.err_code != _DIFFERS:
                raise
        there = await streams.stream_info(self.name)
        more = max(copies, there.config.num_replicas or 1)
        return await streams.update_stream(wanted.evolve(num_replicas=more))
