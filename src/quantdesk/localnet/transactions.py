"""Landed transactions as the RPC writes them, in every encoding."""

from collections.abc import Sequence
from typing import Any

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from quantdesk.localnet import base58
from quantdesk.localnet.encoding import encoded
from quantdesk.localnet.landed import (
    AnyMessage,
    Inner,
    Landed,
    TokenBalance,
    is_writable,
    message_of,
)
from quantdesk.localnet.parsed import parsed_instruction
from quantdesk.localnet.refusals import VERSION, RpcError
from quantdesk.localnet.tokens import ui_amount

Json = Any
ENCODINGS = ("json", "jsonParsed", "base58", "base64", "binary")


def shown(landed: Landed, *, encoding: str, version_max: int | None) -> dict[str, Json]:
    """Return `transaction`, `meta` and, where versions are accepted, `version`.

    Raises RpcError -32015 for a versioned transaction the client did not say it can read.
    """
    transaction = landed.transaction()
    is_v0 = isinstance(transaction.message, MessageV0)
    if is_v0 and version_max is None:
        raise RpcError(
            VERSION,
            "Transaction version (0) is not supported by the requesting client. Please try the "
            "request again with the following configuration parameter: "
            '"maxSupportedTransactionVersion": 0',
        )
    found: dict[str, Json] = {
        "transaction": _transaction(landed, transaction, encoding),
        "meta": meta(landed, encoding),
    }
    if version_max is not None:
        found["version"] = 0 if is_v0 else "legacy"
    return found


def meta(landed: Landed, encoding: str) -> Json:
    """Return the meta object: fee, balances, inner instructions, logs, error."""
    done = landed.outcome
    names = [base58_key(key) for key in landed.keys]
    inner = [
        {
            "index": index,
            "instructions": [inner_shown(call, names, encoding) for call in calls],
        }
        for index, calls in done.inner
    ]
    found: dict[str, Json] = {
        "err": done.err,
        "status": status(done.err),
        "fee": done.fee,
        "preBalances": done.before,
        "postBalances": done.after,
        "innerInstructions": inner,
        "logMessages": done.logs,
        "preTokenBalances": [token_shown(balance) for balance in done.tokens_before],
        "postTokenBalances": [token_shown(balance) for balance in done.tokens_after],
        "rewards": [],
        "computeUnitsConsumed": done.units,
    }
    if encoding != "jsonParsed":
        found["loadedAddresses"] = {"writable": done.loaded[0], "readonly": done.loaded[1]}
    if done.returned is not None:
        found["returnData"] = return_data(done.returned)
    return found


def status(err: Json) -> Json:
    """Return the old form of an error, which clients still read."""
    return {"Ok": None} if err is None else {"Err": err}


def return_data(returned: tuple[str, bytes]) -> Json:
    """Return what a program handed back."""
    return {"programId": returned[0], "data": encoded(returned[1], "base64")}


def token_shown(balance: TokenBalance) -> Json:
    """Return what a token account held."""
    return {
        "accountIndex": balance.index,
        "mint": balance.mint,
        "owner": balance.owner,
        "programId": balance.program,
        "uiTokenAmount": ui_amount(balance.amount, balance.decimals),
    }


def account_keys(landed: Landed, message: AnyMessage) -> list[Json]:
    """Return the keys with their roles, as jsonParsed and `accounts` list them."""
    static = len(message.account_keys)
    written = static + len(landed.outcome.loaded[0])
    return [
        {
            "pubkey": base58_key(key),
            "signer": at < message.header.num_required_signatures,
            "writable": is_writable(message, at) if at < static else at < written,
            "source": "transaction" if at < static else "lookupTable",
        }
        for at, key in enumerate(landed.keys)
    ]


def base58_key(key: bytes) -> str:
    """Return an address as text."""
    return str(Pubkey(key))


def _transaction(landed: Landed, transaction: VersionedTransaction, encoding: str) -> Json:
    if encoding in {"base58", "base64"}:
        return encoded(landed.raw, encoding)
    if encoding == "binary":
        return base58.encode(landed.raw)
    message = message_of(transaction)
    is_parsed = encoding == "jsonParsed"
    body = _parsed_message(landed, message) if is_parsed else _raw_message(message)
    return {"signatures": [str(signature) for signature in transaction.signatures], "message": body}


def _raw_message(message: AnyMessage) -> Json:
    header = message.header
    body: dict[str, Json] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": instruction.program_id_index,
                "accounts": list(instruction.accounts),
                "data": base58.encode(bytes(instruction.data)),
                "stackHeight": 1,
            }
            for instruction in message.instructions
        ],
    }
    return body | _lookups(message)


def _parsed_message(landed: Landed, message: AnyMessage) -> Json:
    names = [base58_key(key) for key in landed.keys]
    body: dict[str, Json] = {
        "accountKeys": account_keys(landed, message),
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            _parsed(
                names[instruction.program_id_index],
                bytes(instruction.data),
                [names[at] for at in bytes(instruction.accounts)],
                1,
            )
            for instruction in message.instructions
        ],
    }
    return body | _lookups(message)


def _lookups(message: AnyMessage) -> dict[str, Json]:
    if not isinstance(message, MessageV0):
        return {}
    return {
        "addressTableLookups": [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in message.address_table_lookups
        ]
    }


def inner_shown(call: Inner, names: Sequence[str], encoding: str) -> Json:
    """Return an instruction a program called."""
    if encoding == "jsonParsed":
        accounts = [names[at] for at in call.accounts]
        return _parsed(names[call.program], call.data, accounts, call.height)
    return {
        "programIdIndex": call.program,
        "accounts": list(call.accounts),
        "data": base58.encode(call.data),
        "stackHeight": call.height,
    }


def _parsed(program: str, data: bytes, accounts: list[str], height: int) -> Json:
    found = parsed_instruction(program, data, accounts)
    if found is None:
        found = {"accounts": accounts, "data": base58.encode(data)}
    return found | {"programId": program, "stackHeight": height}
