"""A snapshot: the cluster at a final slot, so that older journals may go.

One file of frames: a header, one frame per account, an end that counts them. It is written beside,
synced and renamed, so it is there whole or not at all.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey

from quantdesk.core.errors import Corrupt
from quantdesk.localnet.bank import Bank
from quantdesk.localnet.frames import framed, frames
from quantdesk.localnet.history import Position
from quantdesk.localnet.journal import sync_folder
from quantdesk.localnet.timeline import Anchor, Born, Timeline

Saved = tuple[bytes, int, bytes, bytes, bool, int]  # address, then the fields of Account


class Header(msgspec.Struct, frozen=True, array_like=True):
    """Everything but the accounts."""

    slot: int
    seed: bytes
    anchors: list[Anchor]
    skipped: list[tuple[int, int]]
    hashes: list[tuple[bytes, Born]]
    spent: list[tuple[bytes, list[bytes]]]
    history: Position
    accounts: int


def capture(bank: Bank, *, slot: int, history: Position) -> list[bytes]:
    """Return the payloads of a snapshot at this final slot."""
    timeline = bank.timeline
    later = {landed.signature for landed in bank.unfinalized() if landed.slot > slot}
    accounts = bank.state.capture(slot)
    header = Header(
        slot=slot,
        seed=timeline.seed,
        anchors=[anchor for anchor in timeline.anchors if anchor.slot <= slot],
        skipped=[run for run in timeline.skipped if run[0] <= slot],
        hashes=[
            (bytes(known), born) for known, born in timeline.hashes.items() if born.slot <= slot
        ],
        spent=[(bytes(known), list(seen - later)) for known, seen in bank.spent.items()],
        history=history,
        accounts=len(accounts),
    )
    saved = (
        (
            bytes(key),
            account.lamports,
            account.data,
            bytes(account.owner),
            account.executable,
            account.rent_epoch,
        )
        for key, account in accounts
    )
    return [msgspec.msgpack.encode(header), *(msgspec.msgpack.encode(row) for row in saved)]


def write(folder: Path, generation: int, payloads: list[bytes]) -> None:
    """Write a snapshot that covers the journals up to this generation; blocks; raises OSError."""
    path = _path(folder, generation)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        for payload in payloads:
            file.write(framed(payload))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(folder)


def latest(folder: Path) -> int | None:
    """Return the newest generation that has a snapshot."""
    found = [int(path.stem.split("-")[1]) for path in folder.glob("snapshot-*.bin")]
    return max(found, default=None)


def drop_older(folder: Path, generation: int) -> None:
    """Delete the journals and snapshots that this generation's snapshot made superfluous."""
    for path in folder.glob("*-*.bin"):
        kind, _, number = path.stem.partition("-")
        if (kind == "journal" and int(number) <= generation) or (
            kind == "snapshot" and int(number) < generation
        ):
            path.unlink()


def read(folder: Path, generation: int) -> tuple[Header, Iterator[Saved]]:
    """Return a snapshot's header and its accounts; raises Corrupt when it is damaged."""
    path = _path(folder, generation)
    payloads = (payload for payload, _ in frames(path, synced=path.stat().st_size))
    header = msgspec.msgpack.decode(next(payloads), type=Header)
    return header, (msgspec.msgpack.decode(payload, type=Saved) for payload in payloads)


def restore(header: Header, accounts: Iterator[Saved], bank: Bank) -> None:
    """Fill a fresh bank that stands at the snapshot's slot; raises Corrupt if accounts lack."""
    bank.timeline.restore(
        skipped=header.skipped,
        anchors=header.anchors,
        hashes=[(Hash(known), born) for known, born in header.hashes],
    )
    bank.spent = {Hash(known): set(seen) for known, seen in header.spent}
    count = 0
    for address, lamports, data, owner, executable, rent_epoch in accounts:
        account = Account(lamports, data, Pubkey(owner), executable, rent_epoch)
        bank.state.restore(Pubkey(address), account)
        count += 1
    if count != header.accounts:
        raise Corrupt(f"snapshot: {count} of {header.accounts} accounts", code="localnet.snapshot")


def fresh_timeline(header: Header) -> Timeline:
    """Return a timeline that stands at the snapshot's slot."""
    return Timeline(seed=header.seed, anchor=Anchor(header.slot, 0, 1))


def _path(folder: Path, generation: int) -> Path:
    return folder / f"snapshot-{generation:08d}.bin"
