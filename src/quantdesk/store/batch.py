"""Group commit: many small writes become few large ones.

Items gather while earlier ones are being written; the next flush takes all that gathered. So the
busier the desk, the larger the batch and the cheaper the order (measured: docs/numbers.md), and an
idle desk waits for nobody. Producers (HTTP handlers, workers) → `put` → flush → Postgres.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from quantdesk.core.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batch(Generic[Item, Result]):
    """Writes items together through `flush`, which returns one result for each, in order.

    At most `parallel` flushes are under way, each of at most `max_items`; at most `queue_max` items
    wait. Must be made and used in one event loop.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        parallel: int = 2,
        max_items: int = 500,
        queue_max: int = 100_000,
    ) -> None:
        assert min(parallel, max_items, queue_max) > 0, "a batch needs room"
        self._flush = flush
        self._max_items = max_items
        self._queue_max = queue_max
        self._idle = parallel
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._writers: set[asyncio.Task[None]] = set()
        self._closed = False
        self._loop = asyncio.get_running_loop()

    def put(self, item: Item) -> asyncio.Future[Result]:
        """Queue an item; the future ends when it is written, with its result or its failure.

        Raises Unavailable `database.busy` when the queue is full or closed.
        """
        if self._closed or len(self._waiting) >= self._queue_max:
            detail = "the desk is stopping" if self._closed else "too much waits to be written"
            raise Unavailable(detail, code="database.busy")
        future: asyncio.Future[Result] = self._loop.create_future()
        self._waiting.append((item, future))
        if self._idle:
            self._idle -= 1
            writer = self._loop.create_task(self._write())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return future

    async def aclose(self) -> None:
        """Take nothing more and return when everything queued is written or has failed."""
        self._closed = True
        while self._writers:
            await asyncio.wait(self._writers)

    def __len__(self) -> int:
        """Return how many items wait for a flush."""
        return len(self._waiting)

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_some()
        finally:
            self._idle += 1

    async def _write_some(self) -> None:
        waiting = self._waiting
        taken = [waiting.popleft() for _ in range(min(len(waiting), self._max_items))]
        try:
            results = await self._flush([item for item, _ in taken])
            assert len(results) == len(taken), "flush must return one result for each item"
        except asyncio.CancelledError:
            for _, future in taken:
                future.cancel()
            raise
        except Exception as problem:  # noqa: BLE001 - handed to those who wait, not handled here
            for _, future in taken:
                if not future.done():
                    future.set_exception(problem)
            return
        for (_, future), result in zip(taken, results, strict=True):
            if not future.done():
                future.set_result(result)
