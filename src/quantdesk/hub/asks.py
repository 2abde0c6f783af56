"""What clients of `/ws` may say. docs/reference/websocket.md shows each with an example."""

from collections.abc import Mapping

import msgspec

from quantdesk.core.errors import DeskError, Refused

KEYS_MAX = 500
"""Keys in one message."""


class _Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op"):
    """A message; its answer repeats `id`."""

    id: int | str | None = None


class Subscribe(_Ask, frozen=True, tag="subscribe", kw_only=True):
    """Follow keys of a channel, all without `keys`, at most `hz` messages of each per second."""

    ch: str
    keys: list[str] | None = None
    hz: int | None = None


class Unsubscribe(_Ask, frozen=True, tag="unsubscribe", kw_only=True):
    """Follow keys of a channel no longer, without `keys` the channel."""

    ch: str
    keys: list[str] | None = None


class Resync(_Ask, frozen=True, tag="resync", kw_only=True):
    """Send the state of keys anew, without `keys` of all that are followed."""

    ch: str
    keys: list[str] | None = None


class Ping(_Ask, frozen=True, tag="ping"):
    """Answer at once."""


Ask = Subscribe | Unsubscribe | Resync | Ping

_decode = msgspec.json.Decoder(Ask).decode


def ask_of(text: str) -> Ask:
    """Return what a client says; raise `Refused` (`message.malformed`)."""
    try:
        ask: Ask = _decode(text)
    except (msgspec.DecodeError, UnicodeError) as problem:
        raise Refused(str(problem)[:200], code="message.malformed") from problem
    if not isinstance(ask, Ping) and ask.keys is not None and not 0 < len(ask.keys) <= KEYS_MAX:
        raise Refused(f"name 1 to {KEYS_MAX} keys, or leave them out", code="message.malformed")
    if isinstance(ask, Subscribe) and ask.hz is not None and ask.hz < 1:
        raise Refused("hz is at least 1", code="message.malformed")
    return ask


def answer(ask: Ask, told: Mapping[str, object]) -> bytes:
    """Return the answer to what a client said."""
    op = type(ask).__struct_config__.tag
    named = {} if ask.id is None else {"id": ask.id}
    return msgspec.json.encode({"ch": "answer", "op": op, **named, **told})


def refusal(problem: DeskError, ask: Ask | None) -> bytes:
    """Return what a client is told instead of an answer."""
    named = {} if ask is None or ask.id is None else {"id": ask.id}
    op = {} if ask is None else {"op": type(ask).__struct_config__.tag}
    told = {"code": problem.code, "detail": problem.detail, "retryable": problem.retryable}
    return msgspec.json.encode({"ch": "error", **op, **named, **told})
