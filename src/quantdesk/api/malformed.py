"""What is wrong with the body of an order, in words for the person who wrote it. Pure.

The decoder speaks of schemas and paths; a trader is told which field, and how to write it.
"""

import json
import re
from collections.abc import Callable, Sequence

_NAME_MAX = 40  # characters of a name or value of theirs that we repeat

HOW = {
    "pair": 'pair must be text such as "SOL-USDC"',
    "amount": "amount must be a number above zero such as 10.5, without quotes",
    "direction": 'direction must be "BUY" or "SELL"',
    "limitPrice": "limitPrice must be a number above zero such as 150.25, without quotes",
    "slippageBps": "slippageBps must be a whole number from 0 to 10000",
    "idempotencyKey": "idempotencyKey must be 1 to 128 letters, digits and signs of ASCII",
    "expiresAt": 'expiresAt must be a time with its zone such as "2026-01-31T12:00:00Z"',
    "quoteId": "quoteId must be the quoteId of a preview",
    "priority": 'priority must be "economy", "normal" or "urgent"',
}
"""How each field of an order is written."""

_EXAMPLE = '{"pair":"SOL-USDC","amount":10.5,"direction":"BUY"}'
_KINDS: dict[type[Exception], str] = {
    UnicodeDecodeError: "the body is not UTF-8 text",
    RecursionError: "the body is nested too deeply",
}
_SAYS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"missing required field `(\w+)`"), lambda it: f"{it[1]} is missing: {HOW[it[1]]}"),
    (
        re.compile(r"unknown field `(.*)`", re.DOTALL),
        lambda it: f'there is no field "{cut(it[1])}"; an order has {", ".join(HOW)}',
    ),
    (re.compile(r"at `\$\.(\w+)`"), lambda it: HOW[it[1]]),
    (
        re.compile(r"JSON is malformed: (.+) \(byte (\d+)\)"),
        lambda it: f"the body is not JSON: {it[1]} at byte {it[2]}",
    ),
    (re.compile("truncated"), lambda _: "the body is not JSON: it ends too early"),
    (re.compile(""), lambda _: f"the body must be a JSON object such as {_EXAMPLE}"),
)
"""What the decoder says → what the trader is told; the first that fits."""


def explained(problem: Exception, body: bytes) -> str:
    """Return what is wrong with a body that the decoder refused, and how to write it."""
    if not body.strip():
        return f"the body is empty; send JSON such as {_EXAMPLE}"
    if type(problem) in _KINDS:
        return _KINDS[type(problem)]
    fits = ((pattern.search(str(problem)), words) for pattern, words in _SAYS)
    return next(words(found) for found, words in fits if found)


def repeated(body: bytes) -> str | None:
    """Return a field that a body, already known to be JSON, names more than once.

    Readers disagree on which of the two counts; with money, neither does.
    """
    # Almost no body holds a name twice, so the slow look is almost never taken.
    if not any(body.count(name) > 1 for name in _QUOTED):
        return None
    names: list[str] = []

    def note(pairs: Sequence[tuple[str, object]]) -> None:
        names[:] = [name for name, _ in pairs]

    json.loads(body, object_pairs_hook=note)
    return next((name for name in names if names.count(name) > 1), None)


def cut(text: str) -> str:
    """Return somebody's own words, short enough to be repeated."""
    return text if len(text) <= _NAME_MAX else f"{text[:_NAME_MAX]}…"


_QUOTED = tuple(f'"{name}"'.encode() for name in HOW)
