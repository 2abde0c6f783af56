"""RPC methods on accounts and tokens, each as of the commitment asked for."""

from collections.abc import Callable, Iterator
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from quantdesk.localnet.encoding import matcher, view
from quantdesk.localnet.node import Node, not_found, with_context
from quantdesk.localnet.params import Config, Params, config, items, pubkey
from quantdesk.localnet.refusals import invalid
from quantdesk.localnet.tokens import PROGRAMS, Holding, holding, is_token_program, mint, ui_amount

Json = Any
Method = Callable[[Node, Params], Json]
ACCOUNTS_MAX = 100
LARGEST = 20


def get_balance(node: Node, params: Params) -> Json:
    """Answer an account's lamports."""
    key = params.pubkey(0)
    slot = node.slot(params.config(1))
    account = node.account(key, slot)
    return with_context(slot, account.lamports if account else 0)


def get_account_info(node: Node, params: Params) -> Json:
    """Answer an account, null if there is none."""
    key = params.pubkey(0)
    options = params.config(1)
    slot = node.slot(options)
    return with_context(slot, _show(node, options, slot)(node.account(key, slot)))


def get_multiple_accounts(node: Node, params: Params) -> Json:
    """Answer up to 100 accounts."""
    keys = [pubkey(key) for key in items(params.needed(0), most=ACCOUNTS_MAX)]
    options = params.config(1)
    slot = node.slot(options)
    show = _show(node, options, slot)
    return with_context(slot, [show(node.account(key, slot)) for key in keys])


def get_program_accounts(node: Node, params: Params) -> Json:
    """Answer a program's accounts that match the filters."""
    program = params.pubkey(0)
    options = params.config(1)
    slot = node.slot(options)
    matches = matcher(options.values.get("filters"))
    show = _show(node, options, slot)
    found = [
        {"pubkey": str(key), "account": show(account)}
        for key, account in node.bank.state.owned(program, slot=slot)
        if matches(account.data)
    ]
    return with_context(slot, found) if options.flag("withContext") else found


def get_token_account_balance(node: Node, params: Params) -> Json:
    """Answer what a token account holds."""
    key = params.pubkey(0)
    slot = node.slot(params.config(1))
    account = node.account(key, slot)
    if account is None:
        raise not_found("could not find account")
    decimals = node.decimals(account, slot)
    held = holding(account.data)
    if decimals is None or held is None:
        raise not_found("not a Token account")
    return with_context(slot, ui_amount(held.amount, decimals))


def get_token_supply(node: Node, params: Params) -> Json:
    """Answer how much of a token there is."""
    key = params.pubkey(0)
    slot = node.slot(params.config(1))
    account = node.account(key, slot)
    if account is None:
        raise not_found("could not find account")
    coin = mint(account.data) if is_token_program(account.owner) else None
    if coin is None:
        raise not_found("not a Token mint")
    return with_context(slot, ui_amount(coin.supply, coin.decimals))


def get_token_accounts_by_owner(node: Node, params: Params) -> Json:
    """Answer an owner's token accounts, of one mint or one token program."""
    return _token_accounts(node, params, lambda held: held.owner)


def get_token_accounts_by_delegate(node: Node, params: Params) -> Json:
    """Answer the token accounts a delegate may spend from."""
    return _token_accounts(node, params, lambda held: held.delegate)


def get_token_largest_accounts(node: Node, params: Params) -> Json:
    """Answer a mint's 20 largest accounts."""
    key = params.pubkey(0)
    slot = node.slot(params.config(1))
    account = node.account(key, slot)
    coin = mint(account.data) if account and is_token_program(account.owner) else None
    if coin is None or account is None:
        raise not_found("not a Token mint")
    found = [(held, at) for at, _, held in _holdings(node, account.owner, slot) if held.mint == key]
    found.sort(key=lambda pair: (-pair[0].amount, str(pair[1])))
    value = [
        {"address": str(at), **ui_amount(held.amount, coin.decimals)}
        for held, at in found[:LARGEST]
    ]
    return with_context(slot, value)


def _token_accounts(node: Node, params: Params, role: Callable[[Holding], Pubkey | None]) -> Json:
    wanted = params.pubkey(0)
    options = params.config(2)
    slot = node.slot(options)
    program, only = _token_filter(node, config(params.needed(1)), slot)
    show = _show(node, options, slot)
    found = [
        {"pubkey": str(key), "account": show(account)}
        for key, account, held in _holdings(node, program, slot)
        if role(held) == wanted and only in (None, held.mint)
    ]
    return with_context(slot, found)


def _token_filter(node: Node, wanted: Config, slot: int) -> tuple[Pubkey, Pubkey | None]:
    if "mint" in wanted.values:
        only = pubkey(wanted.values["mint"])
        account = node.account(only, slot)
        if account is None or not is_token_program(account.owner):
            raise not_found("could not find mint")
        return account.owner, only
    if "programId" in wanted.values:
        program = pubkey(wanted.values["programId"])
        if program not in PROGRAMS:
            raise not_found("unrecognized Token program id")
        return program, None
    raise invalid("Invalid params: expected `mint` or `programId`")


def _holdings(node: Node, program: Pubkey, slot: int) -> Iterator[tuple[Pubkey, Account, Holding]]:
    for key, account in node.bank.state.owned(program, slot=slot):
        held = holding(account.data)
        if held is not None:
            yield key, account, held


def _show(node: Node, options: Config, slot: int) -> Callable[[Account | None], Json]:
    show = view(options)
    is_parsed = options.values.get("encoding") == "jsonParsed"

    def shown(account: Account | None) -> Json:
        if account is None:
            return None
        return show(account, node.decimals(account, slot) if is_parsed else None)

    return shown


METHODS: dict[str, Method] = {
    "getBalance": get_balance,
    "getAccountInfo": get_account_info,
    "getMultipleAccounts": get_multiple_accounts,
    "getProgramAccounts": get_program_accounts,
    "getTokenAccountBalance": get_token_account_balance,
    "getTokenSupply": get_token_supply,
    "getTokenAccountsByOwner": get_token_accounts_by_owner,
    "getTokenAccountsByDelegate": get_token_accounts_by_delegate,
    "getTokenLargestAccounts": get_token_largest_accounts,
}
