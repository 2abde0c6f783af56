"""Promise: what Postgres, its programs and the operating system say becomes a kind and a cure."""

import errno
from pathlib import Path

import asyncpg
import pytest

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.store.pool import anticipated
from quantdesk.store.programs import explained, failure


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (asyncpg.SerializationError("x"), "database.busy"),
        (asyncpg.DeadlockDetectedError("x"), "database.busy"),
        (asyncpg.QueryCanceledError("x"), "database.busy"),
        (asyncpg.LockNotAvailableError("x"), "database.busy"),
        (asyncpg.DiskFullError("x"), "database.full"),
        (asyncpg.ConnectionDoesNotExistError("x"), "database.unavailable"),
        (asyncpg.CannotConnectNowError("x"), "database.unavailable"),
        (asyncpg.AdminShutdownError("x"), "database.unavailable"),
        (asyncpg.TooManyConnectionsError("x"), "database.unavailable"),
        (ConnectionResetError("x"), "database.unavailable"),
        (TimeoutError(), "database.unavailable"),
    ],
)
def test_what_passes_may_be_retried(problem: BaseException, code: str) -> None:
    meaning = anticipated(problem)
    assert isinstance(meaning, Unavailable)
    assert meaning.code == code
    assert not meaning.detail.endswith(": ")


@pytest.mark.parametrize(
    "problem",
    [
        asyncpg.UniqueViolationError("x"),
        asyncpg.ForeignKeyViolationError("x"),
        asyncpg.CheckViolationError("x"),
        asyncpg.ReadOnlySQLTransactionError("x"),
        asyncpg.InterfaceError("x"),
        ValueError("x"),
        Refused("x"),
        Unavailable("x"),
    ],
)
def test_what_callers_decide_by_is_not_touched(problem: BaseException) -> None:
    assert anticipated(problem) is None


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ("FATAL:  could not write: No space left on device", Unavailable, "database.full"),
        ("initdb: error: Permission denied", Refused, "database.permission"),
        ("initdb: error: cannot be run as root", Refused, "database.root"),
        ("something new", Unavailable, "database.unavailable"),
    ],
)
def test_last_words_of_a_program_become_an_error_that_repeats_them(
    said: str, kind: type[DeskError], code: str
) -> None:
    problem = failure("initdb", f"lines before\n{said}\n")
    assert type(problem) is kind
    assert problem.code == code
    assert said in problem.detail


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, Unavailable, "database.full"),
        (errno.EDQUOT, Unavailable, "database.full"),
        (errno.EACCES, Refused, "database.permission"),
        (errno.EROFS, Refused, "database.permission"),
        (errno.EIO, Unavailable, "database.unavailable"),
    ],
)
def test_a_path_the_system_denies_is_named(number: int, kind: type[DeskError], code: str) -> None:
    with pytest.raises(kind, match="/some/where") as raised, explained(Path("/some/where")):
        raise OSError(number, "denied")
    assert raised.value.code == code
