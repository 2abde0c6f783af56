"""Subscriptions: who is told what when something reaches a commitment.

Each connection has a bounded outbox; one that does not keep up is closed rather than waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from quantdesk.localnet.cluster import Notice, SlotBegan, Told
from quantdesk.localnet.encoding import Matches, matcher, view
from quantdesk.localnet.landed import Landed
from quantdesk.localnet.node import Node
from quantdesk.localnet.params import Config, Params, config, items, pubkey, signature
from quantdesk.localnet.refusals import METHOD_NOT_FOUND, RpcError, invalid
from quantdesk.localnet.rpc import encode

Json = Any
SUBSCRIPTIONS_MAX = 1000  # per connection
Show = Callable[[Account, int | None], Json]
Key = tuple[str, str | None, bytes | str | None]  # kind, commitment, address or signature
GONE = Account(lamports=0, data=b"", owner=Pubkey.default(), executable=False, rent_epoch=0)
KINDS = ("signature", "account", "program", "logs", "slot", "root")


@dataclass(slots=True)
class Subscription:
    """One wish of one connection."""

    ident: int
    kind: str
    key: Key
    wire: "Wire"
    show: Show | None = None
    matches: Matches | None = None


@dataclass(slots=True, eq=False)
class Wire:
    """One connection: where its messages go, and what it wants."""

    send: Callable[[bytes], None]
    mine: dict[int, Subscription] = field(default_factory=dict)


class PubSub:
    """All subscriptions of the node."""

    def __init__(self) -> None:
        self._idents = count(1)
        self._by_key: dict[Key, dict[int, Subscription]] = {}
        self.node: Node | None = None

    @property
    def size(self) -> int:
        """Return how many subscriptions there are."""
        return sum(len(found) for found in self._by_key.values())

    def call(self, wire: Wire, name: str, params: Params) -> Json:
        """Subscribe or unsubscribe, as the method's name says."""
        for kind in KINDS:
            if name == f"{kind}Subscribe":
                return self._subscribe(wire, kind, params)
            if name == f"{kind}Unsubscribe":
                return self._unsubscribe(wire, params.number(0))
        raise RpcError(METHOD_NOT_FOUND, "Method not found")

    def leave(self, wire: Wire) -> None:
        """Forget a connection."""
        for subscription in list(wire.mine.values()):
            self._remove(subscription)

    def tell(self, told: Told) -> None:
        """Pass on what happened."""
        if not self._by_key:
            return
        if isinstance(told, SlotBegan):
            news = {"slot": told.slot, "parent": told.parent, "root": told.root}
            self._emit(("slot", None, None), partial(_same, news))
            return
        self._tell_landed(told)
        self._tell_changed(told)
        if told.commitment == "finalized":
            self._emit(("root", None, None), partial(_same, told.slot))

    def _tell_landed(self, told: Notice) -> None:
        for landed in told.landed:
            key = ("signature", told.commitment, landed.signature)
            if key in self._by_key:
                self._finish(key, _context(told.slot, {"err": landed.outcome.err}))
            news = _context(told.slot, _logs(landed))
            subjects: list[bytes | str] = ["all", *landed.keys]
            for address in subjects:
                self._emit(("logs", told.commitment, address), partial(_same, news))

    def _tell_changed(self, told: Notice) -> None:
        for key in told.changed:
            account = self._account(key, told.slot)
            name = ("account", told.commitment, bytes(key))
            self._emit(name, partial(self._account_news, account or GONE, told.slot))
            if account is not None:
                owner = ("program", told.commitment, bytes(account.owner))
                self._emit(owner, partial(self._program_news, key, account, told.slot))

    def _account_news(self, account: Account, slot: int, wish: Subscription) -> Json:
        return _context(slot, self._shown(wish, account, slot))

    def _program_news(self, key: Pubkey, account: Account, slot: int, wish: Subscription) -> Json:
        if wish.matches is not None and not wish.matches(account.data):
            return None
        shown = self._shown(wish, account, slot)
        return _context(slot, {"pubkey": str(key), "account": shown})

    def _shown(self, wish: Subscription, account: Account, slot: int) -> Json:
        assert wish.show is not None
        assert self.node is not None
        return wish.show(account, self.node.decimals(account, slot))

    def _account(self, key: Pubkey, slot: int) -> Account | None:
        assert self.node is not None
        return self.node.account(key, slot)

    def _emit(self, key: Key, news: Callable[[Subscription], Json]) -> None:
        for wish in list(self._by_key.get(key, {}).values()):
            result = news(wish)
            if result is not None:
                wish.wire.send(_notification(wish, result))

    def _finish(self, key: Key, result: Json) -> None:
        """Tell of a signature once; the subscription ends with it."""
        for wish in list(self._by_key.get(key, {}).values()):
            self._remove(wish)
            wish.wire.send(_notification(wish, result))

    def _subscribe(self, wire: Wire, kind: str, params: Params) -> int:
        if len(wire.mine) >= SUBSCRIPTIONS_MAX:
            raise RpcError(-32006, f"Too many subscriptions; max {SUBSCRIPTIONS_MAX}")
        options = params.config(1)
        commitment = None if kind in {"slot", "root"} else options.commitment()
        wish = Subscription(
            ident=next(self._idents),
            kind=kind,
            key=(kind, commitment, _subject(kind, params)),
            wire=wire,
            show=view(options, is_strict=False) if kind in {"account", "program"} else None,
            matches=matcher(options.values.get("filters")) if kind == "program" else None,
        )
        wire.mine[wish.ident] = wish
        self._by_key.setdefault(wish.key, {})[wish.ident] = wish
        return wish.ident

    def catch_up(self, wire: Wire, ident: int) -> None:
        """Tell of a signature that was there before its subscription; called after the answer."""
        wish = wire.mine.get(ident)
        if wish is None or wish.kind != "signature" or self.node is None:
            return
        _, commitment, key = wish.key
        assert isinstance(key, bytes)
        assert commitment is not None
        bank = self.node.bank
        landed = bank.by_signature.get(key)
        entry = None if landed else self.node.cluster.history.entry(key)
        slot = landed.slot if landed else entry.slot if entry else None
        if slot is None or slot > bank.slot_at(commitment):
            return
        err = landed.outcome.err if landed else entry.err if entry else None
        self._finish(wish.key, _context(bank.slot_at(commitment), {"err": err}))

    def _unsubscribe(self, wire: Wire, ident: int) -> bool:
        wish = wire.mine.get(ident)
        if wish is None:
            raise invalid("Invalid subscription id.")
        self._remove(wish)
        return True

    def _remove(self, wish: Subscription) -> None:
        wish.wire.mine.pop(wish.ident, None)
        same = self._by_key.get(wish.key, {})
        same.pop(wish.ident, None)
        if not same:
            self._by_key.pop(wish.key, None)


def _same(news: Json, _: Subscription) -> Json:
    return news


def _subject(kind: str, params: Params) -> bytes | str | None:
    if kind == "signature":
        return bytes(signature(params.needed(0)))
    if kind in {"account", "program"}:
        return bytes(params.pubkey(0))
    return _logs_subject(params.needed(0)) if kind == "logs" else None


def _logs_subject(wanted: Json) -> bytes | str:
    if wanted in ("all", "allWithVotes"):
        return "all"
    mentions: Config = config(wanted)
    addresses = items(mentions.values.get("mentions"), most=1)
    if not addresses:
        raise invalid("Invalid Request: Only 1 address supported")
    return bytes(pubkey(addresses[0]))


def _logs(landed: Landed) -> Json:
    return {
        "signature": str(Signature.from_bytes(landed.signature)),
        "err": landed.outcome.err,
        "logs": landed.outcome.logs,
    }


def _context(slot: int, value: Json) -> Json:
    return {"context": {"slot": slot}, "value": value}


def _notification(wish: Subscription, result: Json) -> bytes:
    return encode(
        {
            "jsonrpc": "2.0",
            "method": f"{wish.kind}Notification",
            "params": {"result": result, "subscription": wish.ident},
        }
    )
