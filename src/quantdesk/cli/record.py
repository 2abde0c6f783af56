"""`quantdesk record`: sources straight to tape, without a desk."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.terminal import Home, answer, err, say
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import Refused

if TYPE_CHECKING:
    from quantdesk.ingest.recorder import Recorder
    from quantdesk.sources.port import Source

FOLDER = "recordings"
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(s|m|min|h|d)", re.ASCII)
_COUNT_S = 0.5
_KILO = 1000


def record(
    source: Annotated[
        list[str] | None,
        typer.Option(help="binance, binance.futures, simulated …; may be given several times."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where to; <home>/recordings unless given.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--for", help="How long, like 90s, 10m or 1h; else until Ctrl-C.")
    ] = None,
    symbols: Annotated[str, typer.Option(help="Assets, with commas.")] = ",".join(ASSETS),
    home: Home = None,
) -> None:
    """Record what sources send, message by message, until Ctrl-C.

    Play it with `quantdesk replay DIR` or `quantdesk up --source recorded:DIR`.
    """
    # Sources take a while to import; other commands do not pay for them.
    from quantdesk.app.sources import opened  # noqa: PLC0415
    from quantdesk.ingest.recorder import Keep, Recorder  # noqa: PLC0415

    place = knobs.home(home)
    session = Session(
        folder=(folder or place / FOLDER).expanduser().absolute(),
        symbols=assets(symbols),
        seconds=None if duration is None else seconds(duration),
        clock=SystemClock(),
    )
    settings = knobs.load(place).sources
    sources = [opened(name, settings, session.clock) for name in source or ["binance"]]
    recorder = Recorder(session.folder, keep=Keep()).start()
    try:
        with suppress(Stopped):  # Ctrl-C is how it is meant to end
            run(session.record(sources, recorder))
    finally:
        recorder.close()
        answer(session.summary(recorder))
    recorder.probe()


@dataclass
class Session:
    """One recording: what, where to, and for how long (None: until it is stopped)."""

    folder: Path
    symbols: tuple[str, ...]
    seconds: float | None
    clock: Clock

    async def record(self, sources: "list[Source]", recorder: "Recorder") -> None:
        """Record until the time is up, all sources have ended, or the recorder gives up.

        Raises what a source gives up with.
        """
        running = [asyncio.ensure_future(self._listen(source, recorder)) for source in sources]
        began = self.clock.monotonic()
        try:
            with _counting() as draw:
                while not all(task.done() for task in running) and recorder.problem is None:
                    elapsed_s = self.clock.monotonic() - began
                    draw(_line(recorder, elapsed_s))
                    left_s = None if self.seconds is None else self.seconds - elapsed_s
                    if left_s is not None and left_s <= 0:
                        return
                    await asyncio.wait(
                        running,
                        timeout=_COUNT_S if left_s is None else min(_COUNT_S, left_s),
                        return_when=asyncio.FIRST_EXCEPTION,
                    )
                    for task in running:
                        if task.done():
                            task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _listen(self, source: "Source", recorder: "Recorder") -> None:
        say(f"listening to {source.name}")
        await source.run(self.symbols, recorder.tap)

    def summary(self, recorder: "Recorder") -> str:
        """Return what came of it, in a line."""
        counts = recorder.counts
        lost = f", {counts['dropped']} dropped" if counts["dropped"] else ""
        return (
            f"recorded {counts['frames']} messages{lost} in {_size(counts['bytes'])}"
            f" → {self.folder}"
        )


def assets(text: str) -> tuple[str, ...]:
    """Return the assets a list with commas names; raise `Refused` (`symbol.unknown`)."""
    named = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    unknown = [symbol for symbol in named if symbol not in ASSETS]
    if unknown or not named:
        about = ", ".join(unknown) or "an empty list"
        raise Refused(f"--symbols: {about} is not among {', '.join(ASSETS)}", code="symbol.unknown")
    return named


def seconds(text: str) -> float:
    """Return a duration like 90s, 10m or 1.5h in seconds; raise `Refused`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        raise Refused(f"--for {text}: write 90s, 10m, 1h or 2d", code="duration.unreadable")
    return float(found[1]) * _SECONDS[found[2]]


@contextmanager
def _counting() -> Iterator[Callable[[Text], None]]:
    """Give a way to draw the count: in place on a terminal, nowhere else."""
    if not err.is_terminal:
        yield lambda _: None
        return
    with Live(console=err, auto_refresh=False, transient=True) as live:
        yield lambda line: live.update(line, refresh=True)


def _line(recorder: "Recorder", elapsed_s: float) -> Text:
    counts = recorder.counts
    per_s = counts["frames"] / elapsed_s if elapsed_s > 0 else 0
    line = Text(
        f"{elapsed_s:6.0f} s  {counts['frames']} messages  {per_s:.0f}/s  {_size(counts['bytes'])}"
    )
    if counts["dropped"]:
        line.append(f"  {counts['dropped']} dropped", style="red")
    return line


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < _KILO:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KILO
    return f"{count:.2f} GB"
