"""Read the parameters of a call, strictly: what cannot be read is refused by name."""

from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

from quantdesk.localnet.bank import COMMITMENTS
from quantdesk.localnet.refusals import invalid

Json = Any
# Names of before 1.5.5 that clients still send.
OLD_COMMITMENTS = {
    "recent": "processed",
    "single": "confirmed",
    "singleGossip": "confirmed",
    "max": "finalized",
    "root": "finalized",
}
U64_MAX = (1 << 64) - 1


class Params:
    """The positional parameters of one call."""

    def __init__(self, values: list[Json]) -> None:
        self._values = values

    def at(self, index: int) -> Json:
        """Return a parameter as it came, None if it is not there."""
        return self._values[index] if index < len(self._values) else None

    def needed(self, index: int) -> Json:
        """Return a parameter; refuses when it is not there."""
        if index >= len(self._values):
            raise invalid(f"`params` should have at least {index + 1} argument(s)")
        return self._values[index]

    def text(self, index: int) -> str:
        """Return a string."""
        value = self.needed(index)
        if not isinstance(value, str):
            raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a string.")
        return value

    def number(self, index: int) -> int:
        """Return an unsigned 64-bit integer."""
        return number(self.needed(index))

    def pubkey(self, index: int) -> Pubkey:
        """Return an address."""
        return pubkey(self.needed(index))

    def config(self, index: int) -> "Config":
        """Return the options object; a bare commitment is not one."""
        return config(self.at(index))


class Config:
    """The options object of one call."""

    def __init__(self, values: dict[str, Json]) -> None:
        self.values = values

    def flag(self, name: str) -> bool:
        """Return a boolean, false by default."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a boolean.")
        return bool(value)

    def number(self, name: str) -> int | None:
        """Return an unsigned 64-bit integer, None by default."""
        value = self.values.get(name)
        return None if value is None else number(value)

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Return one of the choices, None by default."""
        value = self.values.get(name)
        if value is not None and value not in choices:
            listed = ", ".join(f"`{choice}`" for choice in choices)
            raise invalid(f"Invalid params: unknown variant `{value}`, expected one of {listed}.")
        return None if value is None else str(value)

    def commitment(self, name: str = "commitment") -> str:
        """Return the commitment asked for, finalized by default."""
        value = self.values.get(name)
        if isinstance(value, dict):
            value = value.get("commitment")
        if value is None:
            return "finalized"
        found = OLD_COMMITMENTS.get(value, value) if isinstance(value, str) else value
        if found not in COMMITMENTS:
            raise invalid(
                f"Invalid params: unknown variant `{value}`, expected one of "
                "`processed`, `confirmed`, `finalized`."
            )
        return str(found)

    def rooted(self) -> str:
        """Return the commitment of a ledger query, which processed is too young for."""
        found = self.commitment()
        if found == "processed":
            raise invalid("Method does not support commitment below `confirmed`")
        return found

    def table(self, name: str) -> "Config | None":
        """Return a nested options object, None by default."""
        value = self.values.get(name)
        return None if value is None else config(value)


def config(value: Json) -> Config:
    """Read an options object."""
    if value is None:
        return Config({})
    if not isinstance(value, dict):
        raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected an object.")
    return Config(value)


def number(value: Json) -> int:
    """Read an unsigned 64-bit integer."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= U64_MAX:
        raise invalid(f"Invalid params: invalid value: {_kind(value)}, expected u64.")
    return value


def items(value: Json, *, most: int) -> list[Json]:
    """Read a list of at most so many items."""
    if not isinstance(value, list):
        raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a sequence.")
    if len(value) > most:
        raise invalid(f"Too many inputs provided; max {most}")
    return value


def pubkey(value: Json) -> Pubkey:
    """Read an address."""
    try:
        return Pubkey.from_string(value)
    except (ValueError, TypeError) as cause:
        raise invalid(f"Invalid param: {_wrong(value)}") from cause


def signature(value: Json) -> Signature:
    """Read a signature."""
    try:
        return Signature.from_string(value)
    except (ValueError, TypeError) as cause:
        raise invalid(f"Invalid param: {_wrong(value)}") from cause


def _wrong(value: Json) -> str:
    return "WrongSize" if isinstance(value, str) and value.isalnum() else "Invalid"


def _kind(value: Json) -> str:
    names = {bool: "boolean", int: "integer", float: "floating point", str: "string"}
    if value is None:
        return "null"
    name = names.get(type(value))
    return f"{name} `{value}`" if name else "sequence" if isinstance(value, list) else "map"
