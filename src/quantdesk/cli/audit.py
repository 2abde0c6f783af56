"""`quantdesk audit`: verify the audit, take it away, and give the evidence of one order."""

import csv
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, TextIO

import msgspec
import typer

from quantdesk import settings as knobs
from quantdesk.access.audit import verify as auditing
from quantdesk.access.audit.chain import Row
from quantdesk.access.audit.store import chain
from quantdesk.access.audit.witness import Files
from quantdesk.api.audit import row_view
from quantdesk.cli.client import client
from quantdesk.cli.history import moment
from quantdesk.cli.orders import Id, resolve
from quantdesk.cli.running import run
from quantdesk.cli.stored import stored
from quantdesk.cli.terminal import Home, answer, say
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.ops import folder
from quantdesk.store.pool import Pools

_PAGE: Final = 5_000
_TRIES: Final = 10
_AGAIN_S: Final = 0.5
_COLUMNS: Final = (
    "seq", "at", "action", "account_id", "key_id", "session_id", "about", "code", "ip", "agent",
    "request_id", "before", "after", "hash",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""
_SCRIPT: Final = "verify_evidence.py"

app = typer.Typer(help="Verify the audit, export it, or take an order's evidence away.")


@app.command()
def verify(home: Home = None) -> None:
    """Check every row, batch of orders and signed root; say the first that is wrong (exit 1)."""
    place = knobs.home(home)
    clock = SystemClock()
    kept = Files(place).kept()

    async def check() -> auditing.Verdict:
        async with stored(place, knobs.load(place)) as pools:
            return await auditing.verify(pools, witnessed=kept)

    began = clock.monotonic()
    found = run(check())
    took = clock.monotonic() - began
    answer(
        f"the audit holds: {found.rows} rows, {found.order_rows} rows of orders, {found.roots}"
        f" signed roots, {found.witnessed} kept in {place} ({took:.1f} s)"
    )
    if found.waiting:
        say(f"{found.waiting} more are written and not chained yet")
    if not kept:
        say("nothing is kept outside of the database: rows cut off its end would not be missed")


@app.command()
def export(
    since: Annotated[str, typer.Option(help="2026-01-31, with a time, or 7d, 12h ago.")] = "",
    until: Annotated[str, typer.Option(help="Until when; now unless given.")] = "",
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    file: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    home: Home = None,
) -> None:
    """Write rows of the audit, oldest first; a line of jsonl has all that its hash is made of."""
    writer = FORMS.get(form)
    if writer is None:
        raise Refused(f"--format {form}: choose {', '.join(FORMS)}", code="format.unknown")
    place, now_ms = knobs.home(home), SystemClock().now_ms()
    from_ms = moment(since, now_ms) if since else None
    to_ms = moment(until, now_ms) if until else None

    async def write(out: TextIO) -> int:
        count = 0
        async with stored(place, knobs.load(place)) as pools:
            async for page in _pages(pools, from_ms, to_ms):
                out.write(writer(page, count == 0))
                count += len(page)
        return count

    with _opened(file) as out:
        count = run(write(out))
    if file is not None:
        say(f"{count} rows of the audit: {file}")


@app.command()
def evidence(
    order: Id,
    file: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    script: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--script", help="Also write the program that verifies it, beside it.")
    ] = False,
    home: Home = None,
) -> None:
    """Give a pack that proves an order to somebody who has no desk."""
    order_id, told = run(_pack(knobs.home(home), order))
    target = file or Path(f"evidence-{order_id}.json")
    folder.write(target, msgspec.json.format(told, indent=2).decode() + "\n")
    answer(f"evidence of {order_id}: {target} (only you can read it)")
    beside = target.with_name(_SCRIPT)
    if script:
        source = resources.files("quantdesk.ops") / _SCRIPT
        folder.write(beside, source.read_text("utf-8"))
    answer(f"verify it with: python {beside if script else _SCRIPT} {target}")


def jsonl(page: list[Row], first: bool) -> str:  # noqa: FBT001, ARG001 - a form
    """Return rows as lines of JSON; the body is exactly what was hashed."""
    return "".join(
        f'{{"seq":{row.seq},"prevHash":"{row.prev_hash.hex()}","hash":"{row.hash.hex()}",'
        f'"body":{row.body}}}\n'
        for row in page
    )


def spreadsheet(page: list[Row], first: bool) -> str:  # noqa: FBT001 - a form
    """Return rows as CSV, with its head before the first; no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if first:
        writer.writerow(_COLUMNS)
    for row in page:
        view = row_view(row)
        writer.writerow([_cell(getattr(view, name)) for name in _COLUMNS])
    return text.getvalue()


FORMS: Final[dict[str, Callable[[list[Row], bool], str]]] = {"jsonl": jsonl, "csv": spreadsheet}


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text


async def _pages(pools: Pools, from_ms: int | None, to_ms: int | None) -> AsyncIterator[list[Row]]:
    async with pools.read.snapshot() as c:
        after = 0
        while page := await chain.between(
            c, after=after, from_ms=from_ms, to_ms=to_ms, limit=_PAGE
        ):
            yield page
            after = page[-1].seq


@contextmanager
def _opened(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    with file.open("x", encoding="utf-8") as out:
        file.chmod(0o600)
        yield out


async def _pack(home: Path, order: str) -> tuple[str, bytes]:
    clock = SystemClock()
    async with client(home) as desk:
        order_id = await resolve(desk, order)
        for left in reversed(range(_TRIES)):
            try:
                return order_id, await desk.get(f"/api/orders/{order_id}/evidence/pack")
            except DeskError as problem:
                if problem.code != "audit.pending" or not left:
                    raise
            await clock.sleep(_AGAIN_S)
    raise AssertionError("the last try returns or raises")
