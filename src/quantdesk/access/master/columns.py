"""Every column of the database that holds sealed secrets: one table, read by the rotation. Pure.

A new one is a line here; a test fails when a column of bytes whose name speaks of a secret is not
(tests/flow/access).
"""

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any, Final

import msgspec

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Where secrets are: `key` are columns that name a row, `about` is what each is bound to.

    `about` reads like `totp:{account_id}`; in braces stand columns of `key`, bytes in hexadecimal.
    """

    table: str
    column: str
    key: tuple[str, ...]
    about: str

    def __post_init__(self) -> None:
        """Hold nothing that could be more than a name in SQL."""
        assert self.key, "rows are told apart"
        for name in (self.table, self.column, *self.key):
            assert _NAME.fullmatch(name), f"{name} is no name of a table or column"
        asked = {field for _, field, _, _ in Formatter().parse(self.about) if field is not None}
        assert asked <= set(self.key), f"{self.about} asks for more than the key"

    def about_row(self, row: Mapping[str, Any]) -> str:
        """Return what the secret of a row is bound to."""
        return self.about.format(**{name: _written(row[name]) for name in self.key})


def _written(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value


COLUMNS: Final[tuple[Column, ...]] = (
    Column(table="signing_keys", column="sealed", key=("id",), about="signing_key:{id}"),
    Column(table="totps", column="seed", key=("account_id",), about="totp:{account_id}"),
    Column(
        table="totp_enrolments",
        column="seed",
        key=("account_id", "holder"),
        about="totp:{account_id}:{holder}",
    ),
    Column(table="factor_keys", column="sealed", key=("name",), about="factor_key:{name}"),
    Column(
        table="oauth_requests", column="sealed", key=("state_hash",), about="oauth:{state_hash}"
    ),
    Column(table="audit_signers", column="sealed", key=("key",), about="audit:{key}"),
)
"""Every secret of the desk that is sealed in its database."""
