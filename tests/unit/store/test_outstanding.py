"""Promise: which migrations are outstanding is decided by the files and the record alone."""

import pytest

from quantdesk.core.errors import Refused
from quantdesk.store.migrate import Applied, Migration, outstanding, shipped

_FILES = [Migration(n, f"step{n}", f"select {n}") for n in (1, 2, 3)]
_DONE = [Applied(file.number, file.name, file.sha256) for file in _FILES]


@pytest.mark.parametrize("applied", range(4))
def test_the_rest_is_outstanding_in_order(applied: int) -> None:
    assert outstanding(_FILES, _DONE[:applied]) == _FILES[applied:]


@pytest.mark.parametrize(
    ("files", "applied", "says"),
    [
        (_FILES[1:], [], "numbered"),
        ([_FILES[0], _FILES[2]], [], "numbered"),
        ([_FILES[0], _FILES[0]], [], "numbered"),
        (_FILES, [_DONE[0], _DONE[2]], "lacks a migration"),
        (_FILES, _DONE[1:], "lacks a migration"),
        (_FILES[:2], _DONE, "newer than this desk"),
        ([Migration(1, "step1", "select 0"), *_FILES[1:]], _DONE, "0001_step1.sql was changed"),
    ],
)
def test_anything_that_does_not_fit_is_refused_with_a_cure(
    files: list[Migration], applied: list[Applied], says: str
) -> None:
    with pytest.raises(Refused, match=says) as refused:
        outstanding(files, applied)
    assert refused.value.code == "database.migrations"
    assert ": " in refused.value.detail


def test_the_shipped_files_are_complete() -> None:
    assert [file.number for file in shipped()] == list(range(1, len(shipped()) + 1))
