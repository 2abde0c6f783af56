"""The chain of the audit: what is hashed, and how one row holds on to the row before it. Pure.

    hash = sha256(hash of the row before ‖ body)        before the first: 32 zero bytes

A body is canonical JSON: UTF-8, no spaces, keys sorted, decimals exactly as written; it is stored
byte for byte, so nobody has to make it again to check it. Its `seq` is the row's number.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from quantdesk.access.acts import Act
from quantdesk.core.errors import Corrupt

GENESIS_HASH: Final = bytes(32)

_ACTION_MAX: Final = 80
_ABOUT_MAX: Final = 200
_AGENT_MAX: Final = 200
_DOCUMENTS_BYTES_MAX: Final = 32_768

_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_decode_act = msgspec.json.Decoder(Act, float_hook=Decimal).decode


class Head(msgspec.Struct, frozen=True):
    """The last row of a chain."""

    seq: int
    hash: bytes


GENESIS: Final = Head(0, GENESIS_HASH)


class Row(msgspec.Struct, frozen=True):
    """A row of the audit."""

    seq: int
    prev_hash: bytes
    hash: bytes
    body: str


class Batch(msgspec.Struct, frozen=True):
    """Rows of orders that were written together; `digest` is over their leaves, in order."""

    kind: str
    number: int
    rows: int
    digest: bytes


class Body(msgspec.Struct, frozen=True):
    """What the verifier reads of a row's body."""

    seq: int
    at: int
    action: str
    about: str = ""
    batches: tuple[tuple[str, int, int, str], ...] = ()
    """Kind, number, rows and digest of each batch that the row covers."""

    def covered(self) -> list[Batch]:
        """Return the batches of orders that the row covers."""
        return [
            Batch(kind, number, rows, bytes.fromhex(digest))
            for kind, number, rows, digest in self.batches
        ]


RECORDED: Final = "orders.recorded"
"""The action of rows that cover batches of orders."""
SIGNED: Final = "audit.signed"
"""The action of rows that tell of a root, so that it cannot go unnoticed; `about` names it."""
ROOT: Final = "audit_root:"
KEY_MADE: Final = "audit.key_made"
KEY: Final = "audit_key:"


def canonical(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of a body that are hashed and stored."""
    try:
        told = _encode(body)
    except UnicodeEncodeError:
        return _encode(_clean(body))
    # Postgres keeps no NUL in text: one in what a client sent must not stop the audit.
    return _encode(_clean(body)) if b"\\u0000" in told else told


def row_hash(prev_hash: bytes, body: bytes) -> bytes:
    """Return the hash of a row."""
    return hashlib.sha256(prev_hash + body).digest()


def linked(head: Head, bodies: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows that carry these bodies on from a head."""
    rows: list[Row] = []
    for body in bodies:
        text = canonical({**body, "seq": head.seq + 1})
        row = Row(head.seq + 1, head.hash, row_hash(head.hash, text), text.decode())
        rows.append(row)
        head = Head(row.seq, row.hash)
    return rows


def told(number: int, stored: str) -> dict[str, Any]:
    """Return the body of an act as it was stored; one that nobody can read is kept as text."""
    try:
        return body_of(_decode_act(stored))
    except msgspec.DecodeError:
        return {"action": "audit.unreadable", "at": 0, "after": stored, "about": f"act:{number}"}


def body_of(act: Act) -> dict[str, Any]:
    """Return the body of an act's row without its number; what is empty is left out."""
    origin = act.origin
    body = {
        "id": act.id,
        "at": act.at_ms,
        "action": act.action[:_ACTION_MAX],
        "account": act.account_id,
        "key": act.key_id,
        "session": act.session_id,
        "about": act.about[:_ABOUT_MAX],
        "code": act.code[:_ACTION_MAX],
        "ip": origin.ip,
        "agent": origin.agent[:_AGENT_MAX],
        "request": origin.request_id,
        "before": bounded(act.before),
        "after": bounded(act.after),
    }
    return {name: value for name, value in body.items() if value is not None and value != ""}


def recorded(batches: Sequence[Batch], *, id_: object, at_ms: int) -> dict[str, Any]:
    """Return the body of a row that covers batches of orders."""
    return {
        "id": id_,
        "at": at_ms,
        "action": RECORDED,
        "batches": [(one.kind, one.number, one.rows, one.digest.hex()) for one in batches],
    }


def bounded(document: object) -> object:
    """Return a document, or its size and SHA-256 if it is too large to be kept whole."""
    if document is None or isinstance(document, bool | int):
        return document
    text = canonical({"": document})
    if len(text) <= _DOCUMENTS_BYTES_MAX:
        return document
    return {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}


_decode_body = msgspec.json.Decoder(Body).decode


def read(row: Row) -> Body:
    """Return what a body says; raise `Corrupt` (`audit.broken`) if it is not the row's own."""
    try:
        body = _decode_body(row.body)
    except msgspec.DecodeError as problem:
        raise broken(row.seq, f"its body is unreadable ({problem})") from problem
    if body.seq != row.seq:
        raise broken(row.seq, f"its body is that of row {body.seq}")
    return body


def follow(head: Head, row: Row) -> Head:
    """Return the head after a row; raise `Corrupt` (`audit.broken`) if it does not follow."""
    if row.seq != head.seq + 1:
        raise broken(head.seq + 1, f"it is missing; row {row.seq} comes next")
    if row.prev_hash != head.hash:
        raise broken(row.seq, "it does not hold the hash of the row before it")
    if row.hash != row_hash(row.prev_hash, row.body.encode()):
        raise broken(row.seq, "its body is not the one that was hashed")
    return Head(row.seq, row.hash)


def broken(seq: int, why: str) -> Corrupt:
    """Return what is said of the first row that is not as it was chained."""
    return Corrupt(f"row {seq} of the audit: {why}", code="audit.broken")


def _clean(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case dict():
            return {_clean(name): _clean(held) for name, held in value.items()}
        case list() | tuple():
            return [_clean(held) for held in value]
        case _:
            return value
