"""Logs: one line per event, readable on a terminal and JSON elsewhere, and never a secret in one.

structlog, the standard library's loggers (uvicorn, asyncio, aiohttp …), warnings, and errors
that end a thread or the process  ─▶  redaction  ─▶  standard error
"""

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from quantdesk.telemetry.redaction import redaction

Event = MutableMapping[str, Any]


def configure(*, verbose: bool = False) -> None:
    """Send logs to standard error from `info` up, or from `debug` up when verbose."""
    level = logging.DEBUG if verbose else logging.INFO
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        redacted,
    ]
    structlog.configure(
        processors=[*shared, _renderer(sys.stderr)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_in_the_others(shared, verbose=verbose)
    sys.excepthook = _ended
    threading.excepthook = _thread_ended
    sys.unraisablehook = _unraisable


def redacted(_: object, __: str, event: Event) -> Event:
    """Return an event without its secrets."""
    return {name: redaction.value(told, name=name) for name, told in event.items()}


def hide(*secrets: str) -> None:
    """Keep these values out of every line from now on."""
    redaction.hide(*secrets)


def _renderer(stream: TextIO) -> structlog.typing.Processor:
    if stream.isatty():
        # Tracebacks come as text by then; its own would show the values of local variables.
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()


def _take_in_the_others(shared: list[structlog.typing.Processor], *, verbose: bool) -> None:
    """Let every logger of the standard library speak through the same lines."""
    taking = _Lines(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    taking.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[remove, *shared, _renderer(sys.stderr)],
        )
    )
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _Lines)] + [taking]
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.captureWarnings(capture=True)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines; what cannot be written is told without what it was."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its base's name
        """Say that a line could not be written, and never print it unredacted."""
        sys.stderr.write(f'{{"event": "log.unwritable", "logger": "{record.name}"}}\n')


def _ended(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    """Print an error that ends the process, as Python does, without its secrets."""
    told = "".join(traceback.format_exception(kind, problem, trace))
    sys.stderr.write(redaction.text(told))


def _thread_ended(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _ended(told.exc_type, told.exc_value, told.exc_traceback)


def _unraisable(told: "sys.UnraisableHookArgs") -> None:
    if told.exc_value is not None:
        _ended(told.exc_type, told.exc_value, told.exc_traceback)
