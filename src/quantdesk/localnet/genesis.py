"""What the cluster starts with, written once as the first journal."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from quantdesk.core.errors import Refused
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.localnet.frames import framed
from quantdesk.localnet.journal import path_of, sync_folder
from quantdesk.localnet.records import Deployed, Founded, Record, Wrote, encode
from quantdesk.localnet.timeline import Anchor

LAMPORTS_PER_SOL = 1_000_000_000
FAUCET_LAMPORTS = 500_000_000 * LAMPORTS_PER_SOL
SYSTEM = Pubkey.default()
RENT_LAMPORTS_PER_BYTE = 6960  # 3480 a year, two years
RENT_OVERHEAD_BYTES = 128


@dataclass(frozen=True, slots=True)
class Genesis:
    """Accounts, programs by id, and a seed that sets this cluster apart from every other."""

    accounts: Sequence[GenesisAccount] = ()
    programs: Mapping[str, Path] = field(default_factory=dict)
    seed: bytes = b""


def rent_exempt(data_bytes: int) -> int:
    """Return the lamports that make an account of this size rent exempt.

    Source: https://solana.com/docs/core/accounts (rent).
    """
    return (RENT_OVERHEAD_BYTES + data_bytes) * RENT_LAMPORTS_PER_BYTE


def faucet(seed: bytes) -> Keypair:
    """Return the keypair that airdrops come from."""
    return Keypair.from_seed(hashlib.sha256(seed + b"faucet").digest())


def found(folder: Path, genesis: Genesis, *, now_ms: int, slot_ms: int) -> None:
    """Write the first journal; there is all of it or none.

    Raises Refused `localnet.genesis` for an address or program file that cannot be read.
    """
    try:
        records = list(_records(genesis, now_ms=now_ms, slot_ms=slot_ms))
    except (ValueError, OSError) as cause:
        raise Refused(f"genesis: {cause}", code="localnet.genesis") from cause
    path = path_of(folder, 1)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.writelines(framed(encode(record)) for record in records)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(folder)


def _records(genesis: Genesis, *, now_ms: int, slot_ms: int) -> Iterator[Record]:
    # The time of birth is in the seed: a new cluster on the same settings has other blockhashes,
    # so nothing signed for an older one can land on it.
    seed = hashlib.sha256(genesis.seed + now_ms.to_bytes(8, "little")).digest()
    anchor = Anchor(0, now_ms, slot_ms)
    yield Founded(seed, anchor)
    for program, path in genesis.programs.items():
        address = bytes(Pubkey.from_string(program))
        yield Deployed(slot=0, anchor=anchor, address=address, elf=path.read_bytes())
    own = GenesisAccount(str(faucet(seed).pubkey()), str(SYSTEM), b"", FAUCET_LAMPORTS)
    for account in (own, *genesis.accounts):
        lamports = account.lamports
        yield Wrote(
            slot=0,
            anchor=anchor,
            address=bytes(Pubkey.from_string(account.address)),
            lamports=rent_exempt(len(account.data)) if lamports is None else lamports,
            data=account.data,
            owner=bytes(Pubkey.from_string(account.owner)),
            executable=False,
        )
