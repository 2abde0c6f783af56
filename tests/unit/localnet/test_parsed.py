"""Promise: instructions read back by their RPC names, and no bytes break the reader."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from spl.token import instructions as token
from spl.token import models
from spl.token.constants import TOKEN_PROGRAM_ID

from quantdesk.localnet import base58
from quantdesk.localnet.parsed import parsed_instruction
from quantdesk.localnet.tokens import holding, mint, ui_amount

A, B, C, D = (Keypair.from_seed(bytes([n]) * 32).pubkey() for n in range(4))
CASES: list[tuple[Instruction, str, dict[str, Any]]] = [
    (
        transfer(TransferParams(from_pubkey=A, to_pubkey=B, lamports=7)),
        "transfer",
        {"source": str(A), "destination": str(B), "lamports": 7},
    ),
    (
        create_account(
            CreateAccountParams(from_pubkey=A, to_pubkey=B, lamports=7, space=9, owner=C)
        ),
        "createAccount",
        {"source": str(A), "newAccount": str(B), "lamports": 7, "space": 9, "owner": str(C)},
    ),
    (
        token.transfer_checked(
            models.TransferCheckedParams(
                program_id=TOKEN_PROGRAM_ID,
                source=A,
                mint=B,
                dest=C,
                owner=D,
                amount=1_500_000,
                decimals=6,
            )
        ),
        "transferChecked",
        {
            "source": str(A),
            "mint": str(B),
            "destination": str(C),
            "authority": str(D),
            "tokenAmount": {
                "amount": "1500000",
                "decimals": 6,
                "uiAmount": 1.5,
                "uiAmountString": "1.5",
            },
        },
    ),
    (
        token.initialize_mint(
            models.InitializeMintParams(
                decimals=9,
                program_id=TOKEN_PROGRAM_ID,
                mint=A,
                mint_authority=B,
                freeze_authority=C,
            )
        ),
        "initializeMint",
        {
            "mint": str(A),
            "decimals": 9,
            "mintAuthority": str(B),
            "freezeAuthority": str(C),
            "rentSysvar": "SysvarRent111111111111111111111111111111111",
        },
    ),
    (
        token.set_authority(
            models.SetAuthorityParams(
                program_id=TOKEN_PROGRAM_ID,
                account=A,
                authority=models.AuthorityType.ACCOUNT_OWNER,
                current_authority=B,
                new_authority=None,
            )
        ),
        "setAuthority",
        {
            "account": str(A),
            "authority": str(B),
            "authorityType": "accountOwner",
            "newAuthority": None,
        },
    ),
    (
        token.close_account(
            models.CloseAccountParams(program_id=TOKEN_PROGRAM_ID, account=A, dest=B, owner=C)
        ),
        "closeAccount",
        {"account": str(A), "destination": str(B), "owner": str(C)},
    ),
]


@pytest.mark.parametrize(("instruction", "name", "info"), CASES, ids=[case[1] for case in CASES])
def test_that_an_instruction_is_told_by_name(
    instruction: Instruction, name: str, info: dict[str, Any]
) -> None:
    accounts = [str(account.pubkey) for account in instruction.accounts]
    found = parsed_instruction(str(instruction.program_id), bytes(instruction.data), accounts)
    assert found["parsed"] == {"type": name, "info": info}


PROGRAMS = [str(case[0].program_id) for case in CASES]


@given(st.sampled_from(PROGRAMS), st.binary(max_size=80), st.integers(0, 6))
def test_that_no_bytes_break_the_reader(program: str, data: bytes, count: int) -> None:
    found = parsed_instruction(program, data, [str(A)] * count)
    assert found is None or found["parsed"]


@given(st.binary(max_size=400))
def test_that_no_account_breaks_the_token_reader(data: bytes) -> None:
    held, coin = holding(data), mint(data)
    assert held is None or len(data) >= 165
    assert coin is None or len(data) >= 82


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [
        (0, 6, "0"),
        (1, 6, "0.000001"),
        (10**9, 9, "1"),
        (1230, 2, "12.3"),
        (5, 0, "5"),
        (100, 0, "100"),
    ],
)
def test_that_amounts_are_written_without_loss(amount: int, decimals: int, text: str) -> None:
    assert ui_amount(amount, decimals)["uiAmountString"] == text


@given(st.binary(max_size=80))
def test_that_base_58_reads_back(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data


def test_that_base_58_agrees_with_the_binding() -> None:
    for seed in range(50):
        raw = bytes([0, seed]) * 16
        assert base58.encode(raw) == str(Pubkey(raw))
