"""Faults for drills: what the node does wrong on purpose, and to whom. Random by a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from quantdesk.localnet.params import Config, config, items
from quantdesk.localnet.refusals import INTERNAL, RpcError, invalid

DELAY_MS_MAX = 600_000
STALE_SLOTS_MAX = 31
FIELDS = {
    *("methods", "probability", "requests", "seed"),
    *("dropSend", "delayMs", "duplicate", "error", "staleSlots"),
}


@dataclass(slots=True)
class Faults:
    """The faults switched on. All zero: an honest node."""

    drop_send: float = 0.0  # share of sends answered with a signature and never executed
    duplicate: float = 0.0  # share of sends delivered twice
    delay_ms: int = 0  # answered that much later
    stale_slots: int = 0  # statuses as they were that many slots ago
    error: RpcError | None = None
    methods: frozenset[str] = frozenset()  # the methods delayed and failed; empty: all
    probability: float = 1.0  # share of those calls delayed and failed
    requests: int | None = None  # calls until everything is honest again; None: until cleared
    rng: Random = field(default_factory=lambda: Random(0))  # noqa: S311  a drill, not a secret
    hits: dict[str, int] = field(default_factory=dict)

    def set(self, body: Mapping[str, Any]) -> None:
        """Switch faults on as told; refuses names it does not know. Others stay as they are."""
        unknown = sorted(set(body) - FIELDS)
        if unknown:
            raise invalid(f"Invalid params: unknown fault `{unknown[0]}`")
        options = Config(dict(body))
        if "seed" in body:
            self.rng = Random(options.number("seed") or 0)  # noqa: S311
        self.drop_send = _share(body, "dropSend", self.drop_send)
        self.duplicate = _share(body, "duplicate", self.duplicate)
        self.probability = _share(body, "probability", self.probability)
        self.delay_ms = _whole(options, "delayMs", self.delay_ms, DELAY_MS_MAX)
        self.stale_slots = _whole(options, "staleSlots", self.stale_slots, STALE_SLOTS_MAX)
        if "error" in body:
            self.error = _error(body["error"])
        if "methods" in body:
            self.methods = frozenset(str(name) for name in items(body["methods"], most=100))
        if "requests" in body:
            self.requests = options.number("requests")

    def clear(self) -> None:
        """Be honest again; the random sequence goes on."""
        honest = Faults(rng=self.rng, hits=self.hits)
        for name in self.__slots__:
            setattr(self, name, getattr(honest, name))

    def strike(self, method: str) -> tuple[int, RpcError | None]:
        """Return the delay in ms and the error this call meets."""
        if not self.delay_ms and self.error is None:
            return 0, None
        if self.methods and method not in self.methods:
            return 0, None
        if not self._happens(self.probability, "strike"):
            return 0, None
        return self.delay_ms, self.error

    def drops(self) -> bool:
        """Tell whether this send is swallowed."""
        return self._happens(self.drop_send, "drop")

    def doubles(self) -> bool:
        """Tell whether this send is delivered twice."""
        return self._happens(self.duplicate, "duplicate")

    def spend(self) -> None:
        """Count a call against the number of calls the faults last for."""
        if self.requests is None:
            return
        self.requests -= 1
        if self.requests <= 0:
            self.clear()

    def shown(self) -> dict[str, Any]:
        """Return the switches as `localnet_status` lists them."""
        return {
            "dropSend": self.drop_send,
            "duplicate": self.duplicate,
            "delayMs": self.delay_ms,
            "staleSlots": self.stale_slots,
            "error": self.error.body() if self.error else None,
            "methods": sorted(self.methods),
            "probability": self.probability,
            "requests": self.requests,
            "hits": dict(self.hits),
        }

    def _happens(self, share: float, name: str) -> bool:
        if share <= 0 or (share < 1 and self.rng.random() >= share):
            return False
        self.hits[name] = self.hits.get(name, 0) + 1
        return True


def _share(body: Mapping[str, Any], name: str, before: float) -> float:
    value = body.get(name, before)
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise invalid(f"Invalid params: `{name}` is a share from 0 to 1")
    return float(value)


def _whole(options: Config, name: str, before: int, most: int) -> int:
    value = options.number(name)
    if value is not None and value > most:
        raise invalid(f"Invalid params: `{name}` is at most {most}")
    return before if value is None else value


def _error(body: Any) -> RpcError | None:  # noqa: ANN401
    if body is None:
        return None
    options = config(body)
    code = options.values.get("code", INTERNAL)
    if isinstance(code, bool) or not isinstance(code, int):
        raise invalid("Invalid params: `error.code` is an integer")
    message = str(options.values.get("message", "fault"))
    return RpcError(code, message, options.values.get("data"))
