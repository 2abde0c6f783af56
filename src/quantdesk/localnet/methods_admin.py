"""Methods of the operator, `localnet_*`: faults, rollback, slots, accounts.

Who is the operator the server decides: whoever calls over loopback, but no web page.
"""

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError
from quantdesk.localnet.accounts import token_account
from quantdesk.localnet.encoding import bytes_of
from quantdesk.localnet.genesis import SYSTEM, rent_exempt
from quantdesk.localnet.node import Node, not_found
from quantdesk.localnet.params import U64_MAX, Params, config, pubkey
from quantdesk.localnet.refusals import invalid, unhealthy
from quantdesk.localnet.tokens import (
    ACCOUNT_BYTES,
    TOKEN,
    holding,
    is_token_program,
    mint,
)

Json = Any
Method = Callable[[Node, Params], Json]
ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
DATA_BYTES_MAX = 10 * 1024 * 1024


def set_faults(node: Node, params: Params) -> Json:
    """Switch faults on: `{dropSend, duplicate, delayMs, error, methods, probability, …}`."""
    node.faults.set(config(params.needed(0)).values)
    return node.faults.shown()


def clear_faults(node: Node, _: Params) -> Json:
    """Switch all faults off."""
    node.faults.clear()
    return node.faults.shown()


def rollback(node: Node, params: Params) -> Json:
    """Drop the last `slots` blocks: `{slots, forgetBlockhashes}`."""
    options = params.config(0)
    count = options.number("slots")
    if count is None:
        raise invalid("Invalid params: `slots` is needed")
    forget = options.flag("forgetBlockhashes")
    now_ms = node.clock.now_ms()
    try:
        first = node.cluster.rollback(count, forget_hashes=forget, now_ms=now_ms)
    except DeskError as cause:
        raise invalid(cause.detail) from cause
    return {"firstDropped": first, "slot": node.bank.slot}


def stop_slots(node: Node, _: Params) -> Json:
    """Make no further slots."""
    node.ticking = False
    return {"slot": node.bank.slot}


def resume_slots(node: Node, _: Params) -> Json:
    """Make slots again."""
    node.ticking = True
    return {"slot": node.bank.slot}


def set_account(node: Node, params: Params) -> Json:
    """Set an account: address, then `{lamports, data (base64), owner, executable}`, or null."""
    key = params.pubkey(0)
    if params.needed(1) is None:
        _put(node, key, None)
        return {"slot": node.bank.slot}
    options = params.config(1)
    data = bytes_of(str(options.values.get("data", "")), "base64")
    if len(data) > DATA_BYTES_MAX:
        raise invalid(f"Invalid params: at most {DATA_BYTES_MAX} bytes of data")
    lamports = options.number("lamports")
    account = Account(
        rent_exempt(len(data)) if lamports is None else lamports,
        data,
        pubkey(options.values.get("owner", str(SYSTEM))),
        options.flag("executable"),
        0,
    )
    _put(node, key, account)
    return {"slot": node.bank.slot}


def mint_to(node: Node, params: Params) -> Json:
    """Give tokens out of nothing: `{mint, owner, amount}` in base units; answers the account.

    The owner's associated token account is made when it is not there.
    """
    options = params.config(0)
    coin_key = pubkey(options.values.get("mint"))
    owner = pubkey(options.values.get("owner"))
    amount = options.number("amount")
    coin_account = node.bank.state.svm.get_account(coin_key)
    if coin_account is None or not is_token_program(coin_account.owner):
        raise not_found("could not find mint")
    coin = mint(coin_account.data)
    if coin is None or amount is None:
        raise invalid("Invalid params: `mint`, `owner` and `amount` are needed")
    program = coin_account.owner
    seeds = [bytes(owner), bytes(program), bytes(coin_key)]
    key, _ = Pubkey.find_program_address(seeds, ASSOCIATED)
    before = node.bank.state.svm.get_account(key)
    data = before.data if before is not None else _empty_account(program, coin_key, owner)
    held = holding(data)
    if held is None or held.amount + amount > U64_MAX or coin.supply + amount > U64_MAX:
        raise invalid("Invalid params: the amount does not fit")
    total = (held.amount + amount).to_bytes(8, "little")
    supply = (coin.supply + amount).to_bytes(8, "little")
    lamports = before.lamports if before is not None else rent_exempt(len(data))
    _put(node, key, Account(lamports, data[:64] + total + data[72:], program, False, 0))  # noqa: FBT003
    coin_data = coin_account.data[:36] + supply + coin_account.data[44:]
    _put(node, coin_key, Account(coin_account.lamports, coin_data, program, False, 0))  # noqa: FBT003
    return {"account": str(key), "amount": str(held.amount + amount)}


def get_status(node: Node, _: Params) -> Json:
    """Answer where the cluster stands and what is wrong with it on purpose."""
    bank, cluster = node.bank, node.cluster
    return {
        "slots": {name: bank.slot_at(name) for name in ("processed", "confirmed", "finalized")},
        "blockHeight": bank.timeline.height,
        "ticking": node.ticking,
        "slotMs": cluster.slot_ms,
        "transactions": cluster.transaction_count,
        "accounts": len(bank.state.touched),
        "journal": {
            "generation": cluster.journal.generation,
            "bytes": cluster.journal.size,
            "syncedBytes": cluster.journal.synced,
        },
        "trouble": cluster.trouble,
        "faults": node.faults.shown(),
        "calls": dict(sorted(node.counts.items())),
    }


def _put(node: Node, key: Pubkey, account: Account | None) -> None:
    try:
        node.cluster.put(key, account)
    except DeskError as cause:
        if cause.retryable:
            raise unhealthy(cause.detail) from cause
        raise invalid(cause.detail) from cause


def _empty_account(program: Pubkey, coin: Pubkey, owner: Pubkey) -> bytes:
    initialized = b"\x01"
    data = bytes(coin) + bytes(owner) + bytes(8 + 36) + initialized
    plain = data.ljust(ACCOUNT_BYTES, b"\0")
    if program == TOKEN:
        return plain
    for asset in ASSETS.values():
        if asset.mint == str(coin):  # its transfers look for what its mint's extensions ask for
            return token_account("", asset=asset, owner=str(owner), amount=0).data
    immutable_owner = (7).to_bytes(2, "little") + bytes(2)  # the extension every such account has
    return plain + b"\x02" + immutable_owner


METHODS: dict[str, Method] = {
    "localnet_setFaults": set_faults,
    "localnet_clearFaults": clear_faults,
    "localnet_rollback": rollback,
    "localnet_stopSlots": stop_slots,
    "localnet_resumeSlots": resume_slots,
    "localnet_setAccount": set_account,
    "localnet_mintTo": mint_to,
    "localnet_status": get_status,
}
