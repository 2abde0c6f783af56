"""Orders end to end on the localnet: real transactions, from POST to CONFIRMED on the stream.

Promises: at least 150 confirmed orders per second on two cores, and, unhurried, a median delay of
at most 50 ms to SUBMITTED (routed, built, simulated, signed and committed) and of two slots and
100 ms to CONFIRMED.
"""

import argparse
import asyncio
import statistics
import sys
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from benches.children import end_on_terminate
from benches.desk import State, home, started
from benches.figures import markdown, table

RATE_MIN = 150
DELAY_MS_MAX = 2 * 400 + 100
SIGNED_MS_MAX = 50
_ENDED = {"CONFIRMED", "FAILED", "CANCELLED"}
_PATIENCE_S = 60


@dataclass(slots=True)
class Trader:
    """One client: places orders and follows them all on one stream."""

    session: aiohttp.ClientSession
    url: str
    waiting: dict[str, asyncio.Future[str]]
    early: dict[str, str]
    signed: dict[str, float]

    async def follow(self, stream: aiohttp.ClientWebSocketResponse) -> None:
        """Settle the futures of orders as they end."""
        async for message in stream:
            event: dict[str, Any] = msgspec.json.decode(message.data)
            if event["status"] == "SUBMITTED":
                self.signed.setdefault(event["orderId"], time.perf_counter())
            if event["status"] in _ENDED:
                future = self.waiting.pop(event["orderId"], None)
                if future is None:
                    self.early[event["orderId"]] = event["status"]
                else:
                    future.set_result(event["status"])

    async def trade(self, side: str) -> tuple[str, float, float]:
        """Place one order; return how it ended, and the seconds until it was signed and ended."""
        began = time.perf_counter()
        order = {"pair": "SOL-USDC", "amount": 0.5, "direction": side}
        async with self.session.post(f"{self.url}/api/orders", json=order) as answer:
            body = await answer.json()
            if answer.status != 201:
                return body["code"], 0.0, time.perf_counter() - began
        order_id: str = body["orderId"]
        ended = self.early.pop(order_id, None)
        if ended is None:
            self.waiting[order_id] = asyncio.get_running_loop().create_future()
            ended = await asyncio.wait_for(self.waiting[order_id], _PATIENCE_S)
        signed = self.signed.pop(order_id, began) - began
        return ended, signed, time.perf_counter() - began


async def hurried(trader: Trader, orders: int, in_flight: int) -> tuple[float, list[str]]:
    """Return confirmed orders per second with so many unfinished at once, and how each ended."""
    sides, ends = cycle(("BUY", "SELL")), list[str]()
    left = orders

    async def lane() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            end, _, _ = await trader.trade(next(sides))
            ends.append(end)

    began = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(in_flight)))
    return ends.count("CONFIRMED") / (time.perf_counter() - began), ends


async def unhurried(trader: Trader, orders: int) -> list[tuple[float, float]]:
    """Return the milliseconds to SUBMITTED and CONFIRMED of orders placed one after the other."""
    delays = []
    for number in range(orders):
        end, signed, took = await trader.trade("BUY" if number % 2 else "SELL")
        assert end == "CONFIRMED", end
        delays.append((signed * 1e3, took * 1e3))
        await asyncio.sleep((number * 0.137) % 0.4)  # spread over the slot
    return delays


async def _measure(state: State, key: str, orders: int) -> list[tuple[str, ...]]:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(f"{state.urls.api}/ws/orders") as stream,
    ):
        trader = Trader(session, state.urls.api, {}, {}, {})
        following = asyncio.create_task(trader.follow(stream))
        await hurried(trader, 100, 50)
        rate, ends = await hurried(trader, orders, 200)
        delays = await unhurried(trader, 40)
        following.cancel()
    signed, took = zip(*delays, strict=True)
    failed = sum(end != "CONFIRMED" for end in ends)
    return [
        ("confirmed orders/s, 200 in flight", f"{rate:.0f}", f">= {RATE_MIN}"),
        ("of these not confirmed", str(failed), "0"),
        ("POST to SUBMITTED p50, ms", f"{statistics.median(signed):.0f}", f"<= {SIGNED_MS_MAX}"),
        ("POST to CONFIRMED p50, ms", f"{statistics.median(took):.0f}", f"<= {DELAY_MS_MAX}"),
        ("POST to CONFIRMED max, ms", f"{max(took):.0f}", ""),
    ]


def main() -> int:
    """Measure and print; 0 when every order was confirmed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    asked = parser.parse_args()
    end_on_terminate()
    with home() as place, started(place, "localnet") as state:
        key = Path(place / "owner.key").read_text().strip()
        lines = asyncio.run(_measure(state, key, asked.orders))
    heads = ("localnet", "measured", "promise")
    print(table(heads, lines))
    print("\n" + markdown(heads, lines))
    return 0 if lines[1][1] == "0" else 1


if __name__ == "__main__":
    sys.exit(main())
