"""Accounts in jsonParsed: tokens, mints, lookup tables; others stay bytes, as the node does it."""

from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from quantdesk.localnet import lookup_table
from quantdesk.localnet.tokens import PROGRAMS, Holding, Mint, holding, mint, ui_amount

Json = Any


def parsed_account(account: Account, decimals: int | None) -> Json:
    """Return the parsed data of an account, None if it has no parser.

    `decimals` are those of the token account's mint; without them it stays bytes.
    """
    program = PROGRAMS.get(account.owner)
    if program is None:
        is_table = str(account.owner) == lookup_table.PROGRAM
        return _table(account.data) if is_table else None
    held = holding(account.data)
    if held is not None and decimals is not None:
        body = {"info": _holding(held, decimals), "type": "account"}
    else:
        coin = mint(account.data)
        if coin is None:
            return None
        body = {"info": _mint(coin), "type": "mint"}
    return {"program": program, "parsed": body, "space": len(account.data)}


def _holding(held: Holding, decimals: int) -> Json:
    info: dict[str, Json] = {
        "mint": str(held.mint),
        "owner": str(held.owner),
        "state": held.state,
        "isNative": held.rent_reserve is not None,
        "tokenAmount": ui_amount(held.amount, decimals),
    }
    if held.delegate is not None:
        info["delegate"] = str(held.delegate)
        info["delegatedAmount"] = ui_amount(held.delegated, decimals)
    if held.rent_reserve is not None:
        info["rentExemptReserve"] = ui_amount(held.rent_reserve, decimals)
    if held.close_authority is not None:
        info["closeAuthority"] = str(held.close_authority)
    return info


def _mint(coin: Mint) -> Json:
    return {
        "mintAuthority": _text(coin.authority),
        "supply": str(coin.supply),
        "decimals": coin.decimals,
        "isInitialized": True,
        "freezeAuthority": _text(coin.freeze_authority),
    }


def _table(data: bytes) -> Json:
    head = lookup_table.meta(data)
    if head is None:
        return None
    info: dict[str, Json] = {
        "deactivationSlot": str(head.deactivated),
        "lastExtendedSlot": str(head.extended),
        "lastExtendedSlotStartIndex": head.start,
        "addresses": lookup_table.entries(data),
    }
    if head.authority is not None:
        info["authority"] = str(head.authority)
    body = {"info": info, "type": "lookupTable"}
    return {"program": "address-lookup-table", "parsed": body, "space": len(data)}


def _text(key: Pubkey | None) -> str | None:
    return None if key is None else str(key)
