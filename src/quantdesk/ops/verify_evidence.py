"""Verify an evidence pack of QuantDesk with nothing but Python: python verify_evidence.py PACK.

No desk, no network, no package is needed, and nothing of the desk's own code is used: this is a
second opinion, short enough to be read first. What it checks, from the inside out:

1. Each row of the order is hashed (its leaf), and stands among the leaves of its batch.
2. The digest over a batch's leaves stands in a row of the audit.
3. That row's hash, with the Merkle path beside it, gives the root that a statement tells of.
4. The statement is signed (Ed25519, RFC 8032) by the key in the pack. Compare that key with
   `audit.pub`, which you got from the desk beforehand: `--key HEX` does.
5. What people read (intent, decision, quotes, receipt, amounts) is what the rows say, events are
   versions 1 to n, and every event that names a transaction has its signed bytes.

Exit code 0: all of it holds. 1: something does not; it is said which. Layouts:
migrations 0012 and 0018.
"""

import hashlib
import json
import struct
import sys
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

FORMAT = "quantdesk evidence 1"
PREFIX = b"quantdesk audit root 1\n"
KEYED = 3  # words: PACK --key HEX
PUBLIC_BYTES, SIGNATURE_BYTES = 32, 64
POSTGRES_EPOCH_US = 946_684_800_000_000  # its moments count from 2000-01-01

FIELDS = {
    "pack": "attempts batches events format intent keys orderId quotes realised receipt"
    " riskDecision roots rows status",
    "intent": "accountId baseRaw createdAtUs decisionId direction expiresAtUs limitPrice mode"
    " notionalUsd pair slippageBps",
    "event": "atUs attempt batch data status version",
    "attempt": "attempt batch lastValidBlockHeight route signature signedAtUs simulation"
    " transaction",
    "batch": "kind leaves number row",
    "row": "body path prevHash root seq",
    "root": "key signature statement",
    "key": "id publicKey",
}


class Wrong(Exception):
    """The pack does not prove what it says."""


UNPROVEN = (
    Wrong, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError,
    OSError, struct.error,
)  # fmt: skip
"""What a file raises that proves nothing."""


def main(arguments: list[str]) -> int:
    """Verify a file and say what it proves; return the exit code."""
    if not (len(arguments) == 1 or (len(arguments) == KEYED and arguments[1] == "--key")):
        sys.stderr.write("usage: python verify_evidence.py PACK.json [--key HEX]\n")
        return 2
    key = arguments[2] if len(arguments) == KEYED else None
    try:
        with open(arguments[0], encoding="utf-8") as file:  # noqa: PTH123 - nothing to import
            said = verify(read(file.read()), key)
    except UNPROVEN as problem:
        sys.stdout.write(f"NOT PROVEN: {problem!r}\n")
        return 1
    sys.stdout.write("".join(line + "\n" for line in said))
    return 0


def read(text: str) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with exact numbers; a name said twice is refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        expect(len({name for name, _ in pairs}) == len(pairs), "a name stands twice in an object")
        return dict(pairs)

    return json.loads(text, parse_float=Decimal, object_pairs_hook=once)


def verify(pack: dict[str, Any], key: "str | None" = None) -> list[str]:
    """Return what a pack proves, as lines; raise `Wrong` if it does not."""
    has(pack, "pack", "the pack")
    expect(pack["format"] == FORMAT, f"the format is not {FORMAT!r}")
    keys = {one["id"]: public_key(one) for one in pack["keys"]}
    expect(len(keys) == len(pack["keys"]), "a key stands twice")
    expect(key is None or list(keys.values()) == [bytes.fromhex(key)], "another key signed it")
    statements = [statement(root, keys) for root in pack["roots"]]
    expect(set(keys) == {root["key"] for root in pack["roots"]}, "a key signed nothing")
    bodies = {row["seq"]: body(row, statements) for row in pack["rows"]}
    expect(len(bodies) == len(pack["rows"]), "a row of the audit stands twice")
    leaves = {(one["kind"], one["number"]): batch(one, bodies) for one in pack["batches"]}
    expect(len(leaves) == len(pack["batches"]), "a batch stands twice")
    covered(pack, leaves)
    related(pack, bodies)
    consistent(pack)
    used = {row["root"] for row in pack["rows"]}
    expect(used == set(range(len(statements))), "a root proves nothing")
    return summary(pack, statements, keys)


def covered(pack: dict[str, Any], leaves: dict[tuple[str, int], list[str]]) -> None:
    """Find each row of the order among the leaves of its batch."""
    needed = set()
    for event in pack["events"]:
        has(event, "event", "an event")
        integers(">q", event["batch"])
        needed.add(("event", event["batch"]))
        found = event_leaf(pack, event) in leaves[("event", event["batch"])]
        expect(found, f"event {event['version']} is not the one that was recorded")
    for attempt in pack["attempts"]:
        has(attempt, "attempt", "an attempt")
        integers(">q", attempt["batch"])
        needed.add(("attempt", attempt["batch"]))
        found = attempt_leaf(pack, attempt) in leaves[("attempt", attempt["batch"])]
        expect(found, f"attempt {attempt['attempt']} is not the one that was recorded")
    expect(needed == set(leaves), "a batch covers nothing of this order")


def related(pack: dict[str, Any], bodies: dict[int, dict[str, Any]]) -> None:
    """Let no row of the audit stand in a pack that says nothing of its order."""
    covering = {one["row"] for one in pack["batches"]}
    for seq, told in bodies.items():
        about = told.get("about") == "order:" + pack["orderId"]
        expect(seq in covering or about, f"row {seq} is not about this order")


def consistent(pack: dict[str, Any]) -> None:
    """Compare what people read with what the rows say."""
    events, attempts = pack["events"], pack["attempts"]
    versions = [event["version"] for event in events]
    expect(versions == list(range(1, len(events) + 1)), "events are missing or out of order")
    documents = [read(event["data"]) for event in events]
    receipts = [data["receipt"] for data in documents if data.get("receipt") is not None]
    receipt = receipts[-1] if receipts else None
    names = ("base", "quote", "networkFeeLamports")
    realised = None if receipt is None else {name: receipt.get(name) for name in names}
    quotes = read(attempts[-1]["route"]).get("quotes") if attempts else None
    same(pack["status"], events[-1]["status"], "status")
    same(pack["riskDecision"], documents[0].get("decision"), "riskDecision")
    same(pack["quotes"], quotes, "quotes")
    same(pack["receipt"], receipt, "receipt")
    same(pack["realised"], realised, "realised")
    decision = pack["riskDecision"] or {}
    expect(decision.get("decisionId") == pack["intent"]["decisionId"], "another decision approved")
    numbers = [attempt["attempt"] for attempt in attempts]
    expect(numbers == sorted(set(numbers)), "attempts stand twice or out of order")
    signed = {attempt["signature"] for attempt in attempts}
    for event, data in zip(events, documents):  # noqa: B905 - runs on old Pythons too
        hash_ = data.get("txHash")
        expect(hash_ is None or hash_ in signed, f"event {event['version']} lacks its signed bytes")


def event_leaf(pack: dict[str, Any], event: dict[str, Any]) -> str:
    """Return the leaf of an event; the first one takes along what was asked for."""
    text = identifier(pack["orderId"])
    text += integers(">ii", event["version"], event["attempt"]) + moment(event["atUs"])
    text += event["status"].encode() + b"\0"
    if event["version"] == 1:
        text += intent(pack["intent"])
    return hashlib.sha256(text + event["data"].encode()).hexdigest()


def intent(asked: dict[str, Any]) -> bytes:
    """Return the bytes of what was asked for."""
    known = {name: told for name, told in asked.items() if name != "priority"}
    has(known, "intent", "the intent")
    text = identifier(asked["accountId"]) + integers(">q", exact(asked["baseRaw"]))
    text += integers(">i", asked["slippageBps"]) + identifier(asked["decisionId"])
    text += moment(asked["createdAtUs"])
    text += b"\xff" * 8 if asked["expiresAtUs"] is None else moment(asked["expiresAtUs"])
    expect(asked["limitPrice"] != "", "limitPrice is null or a price")
    limit = asked["limitPrice"] or ""
    words = [asked["mode"], asked["pair"], asked["direction"], limit, asked["notionalUsd"]]
    words += [asked["priority"]] if "priority" in asked else []  # only of orders that have one
    expect(not any("\n" in word for word in words), "a term of the intent is two")
    return text + "\n".join(words).encode() + b"\0"


def attempt_leaf(pack: dict[str, Any], attempt: dict[str, Any]) -> str:
    """Return the leaf of a signed attempt."""
    raw = unhex(attempt["transaction"])
    simulation = attempt["simulation"].encode()
    text = identifier(pack["orderId"]) + integers(">i", attempt["attempt"])
    text += integers(">q", attempt["lastValidBlockHeight"]) + moment(attempt["signedAtUs"])
    text += attempt["signature"].encode() + b"\0" + integers(">i", len(raw)) + raw
    text += integers(">i", len(simulation)) + simulation + attempt["route"].encode()
    return hashlib.sha256(text).hexdigest()


def batch(one: dict[str, Any], bodies: dict[int, dict[str, Any]]) -> list[str]:
    """Return a batch's leaves once a row of the audit holds their digest."""
    has(one, "batch", "a batch")
    digest = hashlib.sha256(b"".join(unhex(leaf) for leaf in one["leaves"])).hexdigest()
    integers(">qq", one["number"], one["row"])
    told = [one["kind"], one["number"], len(one["leaves"]), digest]
    expect(told in bodies[one["row"]].get("batches", []), f"batch {one['number']} was changed")
    return list(one["leaves"])


def body(row: dict[str, Any], statements: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a row of the audit says once its path leads to a signed root."""
    has(row, "row", "a row of the audit")
    told = read(row["body"])
    expect(repr(told["seq"]) == repr(row["seq"]), f"row {row['seq']} has the body of another")
    integers(">q", row["root"])
    expect(0 <= row["root"] < len(statements), f"row {row['seq']} names no root")
    signed = statements[row["root"]]
    entry = sha(unhex(row["prevHash"]), row["body"].encode())
    reached = sha(b"\0", entry)
    for side, beside in row["path"]:
        expect(side in ("left", "right"), "a path has two sides")
        other = unhex(beside)
        reached = sha(b"\1", other, reached) if side == "left" else sha(b"\1", reached, other)
    expect(reached.hex() == signed["tree"], f"row {row['seq']} is not under its signed root")
    index, count = row["seq"] - signed["first"], signed["last"] - signed["first"] + 1
    expect([side for side, _ in row["path"]] == sides(index, count), "a path is of another row")
    return dict(told)


def sides(index: int, count: int) -> list[str]:
    """Return on which sides the hashes beside a leaf's way stand (RFC 9162 §2.1.3)."""
    expect(0 <= index < count, "a row is outside of its root")
    found = []
    while count > 1:
        half = 1 << ((count - 1).bit_length() - 1)
        found.append("left" if index >= half else "right")
        index, count = (index - half, count - half) if index >= half else (index, half)
    return found[::-1]


def statement(root: dict[str, Any], keys: dict[str, bytes]) -> dict[str, Any]:
    """Return what a root says once its signature holds."""
    has(root, "root", "a root")
    expect(root["key"] in keys, "a root's key is missing")
    signature = unhex(root["signature"])
    good = signed_by(keys[root["key"]], PREFIX + root["statement"].encode(), signature)
    expect(good, "a signature does not hold")
    return dict(read(root["statement"]))


def public_key(one: dict[str, Any]) -> bytes:
    """Return a key's bytes once its number is theirs."""
    has(one, "key", "a key")
    public = unhex(one["publicKey"])
    expect(hashlib.sha256(public).hexdigest()[:32] == one["id"], "a key has another's number")
    return public


def summary(
    pack: dict[str, Any], statements: list[dict[str, Any]], keys: dict[str, bytes]
) -> list[str]:
    """Return what was proven, for a person."""
    asked, rows = pack["intent"], pack["rows"]
    what = f"{asked['direction']} {asked['pair']}, is {pack['status']}"
    counts = f"{len(pack['events'])} events, {len(pack['attempts'])} signed"
    lines = [
        f"PROVEN: order {pack['orderId']}, {what} ({counts})",
        f"rows of the audit: {', '.join(str(row['seq']) for row in rows)}",
    ]
    for root in statements:
        when = root["day"] or "asked for"
        lines.append(f"root ({when}): rows {root['first']} to {root['last']}, tree {root['tree']}")
    lines += [f"signed by the key {public.hex()}" for public in keys.values()]
    return lines


def has(document: dict[str, Any], kind: str, name: str) -> None:
    """Hold an object to exactly its fields."""
    expect(isinstance(document, dict), f"{name} is no object")
    fields = set(FIELDS[kind].split())
    expect(set(document) == fields, f"{name} has other fields: {sorted(set(document) ^ fields)}")


def same(told: object, recorded: object, name: str) -> None:
    """Compare two documents, numbers by their exact value and kind."""
    expect(repr(told) == repr(recorded), f"{name} is not what was recorded")


def moment(us: int) -> bytes:
    """Return a moment (microseconds of Unix time) as Postgres sends it."""
    return integers(">q", us - POSTGRES_EPOCH_US)


def integers(layout: str, *values: int) -> bytes:
    """Return integers, and nothing that only counts as one, as Postgres sends them."""
    expect(all(type(value) is int for value in values), "a number is no integer")
    return struct.pack(layout, *values)


def identifier(text: str) -> bytes:
    """Return the bytes of an identifier that is written as it always is."""
    expect(str(UUID(text)) == text, f"{text!r} is no identifier as the desk writes it")
    return UUID(text).bytes


def unhex(text: str) -> bytes:
    """Return bytes that are written in lower-case hexadecimal."""
    expect(bytes.fromhex(text).hex() == text, "something is not plain hexadecimal")
    return bytes.fromhex(text)


def exact(text: str) -> int:
    """Return an integer that is written in the one way it can be."""
    expect(str(int(text)) == text, f"{text!r} is no plain integer")
    return int(text)


def sha(*parts: bytes) -> bytes:
    """Return a SHA-256."""
    return hashlib.sha256(b"".join(parts)).digest()


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - an assertion
    """Raise `Wrong` unless it holds."""
    if not holds:
        fail(otherwise)


def fail(why: str) -> NoReturn:
    """Raise `Wrong`."""
    raise Wrong(why)


# Ed25519, verification only, with the formulas of RFC 8032 §5.1: points are (X, Y, Z, T).
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is a key's (RFC 8032 §5.1.7)."""
    if len(public) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    key, nonce = point(public), point(signature[:32])
    if key is None or nonce is None or scalar >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % L
    x1, y1, z1, _ = times(scalar, BASE)
    x2, y2, z2, _ = added(nonce, times(challenge, key))
    return (x1 * z2 - x2 * z1) % P == 0 and (y1 * z2 - y2 * z1) % P == 0


def point(text: bytes) -> "Point | None":
    """Return a point from its 32 bytes (RFC 8032 §5.1.3), None if there is none."""
    number = int.from_bytes(text, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def added(one: Point, other: Point) -> Point:
    """Return the sum of two points."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, of: Point) -> Point:
    """Return a multiple of a point."""
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = added(total, of)
        of, scalar = added(of, of), scalar >> 1
    return total


_BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
assert _BASE is not None, "the base point is on the curve"
BASE: Point = _BASE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
