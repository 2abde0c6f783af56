"""Promise: more orders confirmed per second, sooner and for less CPU than the documents' stack.

    python -m benches.orders                     desk and peer in turn, three rounds
    python -m benches.orders --only peer --rounds 1
    python -m benches.orders --million           the desk with and without a million old orders

Every order is placed over HTTP and counted when the WebSocket says CONFIRMED; durable Postgres,
set alike for both. Prints each sample as it comes, then medians, ratios turn by turn, and the
Markdown of docs/numbers.md. Ends every program it started, on Ctrl-C too.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benches.children import end_on_terminate
from benches.desk import desk, seasoned
from benches.figures import HEADS, Sample, markdown, ratio_rows, rows, table
from benches.loadgen.drive import BACKLOG, CLOSED_LOOP, PER_ORDER, compile_loadgen
from benches.peer.target import peer
from benches.rounds import Plan, measure
from benches.target import Target
from quantdesk.core.errors import DeskError

BUILD = Path(__file__).parents[1] / "build"


def main() -> int:
    """Measure and print; return 1 when something could not be had or an order was not confirmed."""
    asked = _arguments()
    end_on_terminate()
    samples: list[Sample] = []
    try:
        plan, targets = _plan(asked), _targets(asked)
        loadgen = compile_loadgen(BUILD)
        for sample in measure(targets, plan, loadgen=loadgen, say=_say):
            samples.append(sample)
            _say(table(HEADS, rows([sample])))
    except DeskError as failure:
        _say(f"bench stopped: {failure.detail}")
        return 1
    except KeyboardInterrupt:
        _say("bench interrupted")
        return 130
    _report(samples, targets)
    return 0 if all(sample.clean for sample in samples) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.orders")
    parser.add_argument("--only", choices=("desk", "peer"), help="measure one of the two")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--orders", type=int, default=8_000, help="per load")
    parser.add_argument("--warmup", type=int, default=1_000, help="orders before the first load")
    parser.add_argument("--concurrency", type=int, default=50, help="the peer's jobs at once")
    parser.add_argument("--pool", type=int, default=20, help="the peer's database connections")
    parser.add_argument("--million", action="store_true", help="the desk with and without history")
    parser.add_argument("--each", action="store_true", help="also: one WebSocket per order")
    return parser.parse_args()


def _plan(asked: argparse.Namespace) -> Plan:
    loads = (BACKLOG, CLOSED_LOOP, PER_ORDER) if asked.each else (BACKLOG, CLOSED_LOOP)
    return Plan(rounds=asked.rounds, warmup=asked.warmup, orders=asked.orders, loads=loads)


def _targets(asked: argparse.Namespace) -> list[Target]:
    ours = desk()
    if asked.million:
        return [seasoned(), ours]
    theirs = peer(BUILD, concurrency=asked.concurrency, pool=asked.pool)
    return {"desk": [ours], "peer": [theirs], None: [ours, theirs]}[asked.only]


def _report(samples: Sequence[Sample], targets: Sequence[Target]) -> None:
    lines = rows(samples)
    if len(targets) > 1:
        ours, theirs = targets
        lines += ratio_rows(samples, ours=ours.name, theirs=theirs.name)
    _say("\n" + table(HEADS, lines))
    _say("\n" + markdown(HEADS, lines))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
