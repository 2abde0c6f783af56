"""Print what the real AMM v4 program does with swaps chosen by a seeded generator.

The program's bytes are no part of this checkout: dump them (`solana program dump <id> FILE`) and

    PYTHONPATH=src:. python -m tests.oracles.raydium.ask_amm_v4 FILE > FILE_OF_VECTORS

It runs in LiteSVM, called with the venue's own instructions. Each row is
[exact input?, token paid (0 or 1), amount, [vault 0, vault 1], [owed 0, owed 1],
 [fee numerator, denominator], the program's error or [paid, received]].
"""

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Any, Final

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata
from tests.oracles.raydium.amm_v4_accounts import amm_account, token_account

from quantdesk.venues.raydium.amm_v4.instructions import Leg, swap_base_in, swap_base_out
from quantdesk.venues.raydium.amm_v4.layout import AUTHORITY, PROGRAM
from quantdesk.venues.reading import TOKEN_PROGRAM

_SEED: Final = 20_250_303
_PER_SHAPE: Final = 80
_SHAPES: Final = ((30, 45, 42), (1, 40, 40), (6, 12, 12), (44, 44, 44), (61, 61, 61), (20, 62, 30))
_FEES: Final = ((25, 10_000), (30, 10_000), (0, 1), (9_999, 10_000), (1, 3))
_PURSE: Final = (1 << 64) - 1

_trader = Keypair.from_seed(bytes(32)).pubkey()
_pool, *_keys = (Pubkey(bytes([n]) * 32) for n in range(1, 8))
_vaults, _mints, _purses = _keys[:2], _keys[2:4], _keys[4:]


class Program:
    """The program, one pool and one trader."""

    def __init__(self, code: bytes) -> None:
        self._svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        self._svm.add_program(Pubkey.from_string(PROGRAM), code)
        self._svm.airdrop(_trader, 10**12)

    def put(self, address: Pubkey, data: bytes, owner: str = TOKEN_PROGRAM) -> None:
        """Set an account."""
        account = Account(10**10, data, Pubkey.from_string(owner), False, 0)  # noqa: FBT003
        self._svm.set_account(address, account)

    def amount(self, address: Pubkey) -> int:
        """Return the balance of a token account."""
        account = self._svm.get_account(address)
        assert account is not None
        return int.from_bytes(account.data[64:72], "little")

    def ask(self, row: list[Any]) -> list[int] | int | str:
        """Return what a swap paid and brought, or the error."""
        exact_in, token, amount, held, owed, fee = row
        self.put(_pool, amm_account(_vaults, _mints, owed=owed, fee=fee), PROGRAM)
        for i in range(2):
            self.put(_vaults[i], token_account(_mints[i], Pubkey.from_string(AUTHORITY), held[i]))
            self.put(_purses[i], token_account(_mints[i], _trader, _PURSE if i == token else 0))
        addresses = (str(_purses[token]), str(_purses[1 - token]))
        vaults = (str(_vaults[0]), str(_vaults[1]))
        leg = Leg(str(_trader), str(_pool), vaults, *addresses)
        if exact_in:
            call = swap_base_in(leg, amount_in=amount, minimum_out=0)
        else:
            call = swap_base_out(leg, maximum_in=_PURSE, amount_out=amount)
        metas = [
            AccountMeta(Pubkey.from_string(meta.address), meta.is_signer, meta.is_writable)
            for meta in call.accounts
        ]
        swap = Instruction(Pubkey.from_string(call.program), call.data, metas)
        self._svm.expire_blockhash()
        message = MessageV0.try_compile(_trader, [swap], [], self._svm.latest_blockhash())
        result = self._svm.send_transaction(
            VersionedTransaction.populate(message, [Signature.default()])
        )
        if isinstance(result, TransactionMetadata):
            return [_PURSE - self.amount(_purses[token]), self.amount(_purses[1 - token])]
        inner = getattr(result.err(), "err", result.err())
        return inner.code if hasattr(inner, "code") else str(inner).rpartition(".")[2]


def _asked(chance: random.Random) -> list[list[Any]]:
    asked: list[list[Any]] = []
    for exact_in in (True, False):
        for number in range(_PER_SHAPE * len(_SHAPES)):
            bits, *reserves = _SHAPES[number % len(_SHAPES)]
            amount, *held = (1 + chance.getrandbits(n) for n in (bits, *reserves))
            owed = [chance.randrange(one) if number % 3 == 1 else 0 for one in held]
            fee = _FEES[number % 10 // 2]
            asked.append([exact_in, number // len(_SHAPES) % 2, amount, held, owed, list(fee)])
    return asked


def main() -> None:
    """Ask, and write the answers to standard output."""
    code = Path(sys.argv[1]).read_bytes()
    program = Program(code)
    rows = [[*row, program.ask(row)] for row in _asked(random.Random(_SEED))]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    digest = hashlib.sha256(code).hexdigest()
    sys.stdout.write(f'{{"program":"{digest}","rows":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
