"""The file of master keys: whole or not there, for its owner alone, whatever kills the process."""

import stat
from pathlib import Path

import pytest

from quantdesk.access.master import keyring
from quantdesk.core.errors import Refused
from quantdesk.testing.cutting import lives


def test_that_a_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / keyring.FILE
    made = keyring.make(path)

    assert keyring.read(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(Refused) as caught:
        keyring.make(path)
    assert caught.value.code == "key.exists"
    assert keyring.read(path) == made


def test_that_keys_are_added_and_dropped(tmp_path: Path) -> None:
    path = tmp_path / keyring.FILE
    first = keyring.make(path)
    both = keyring.add(path, first)

    assert both == keyring.read(path)
    assert set(both) == {1, 2}
    assert both[1] == first[1] != both[2]
    assert keyring.drop(path, both) == keyring.read(path) == {2: both[2]}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_that_a_file_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / keyring.FILE
    keyring.make(path)
    path.chmod(mode)
    with pytest.raises(Refused) as caught:
        keyring.read(path)
    assert caught.value.code == "key.mode"
    assert "chmod 600" in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "1\n",
        "1 AAAA\n",
        "0 " + "A" * 43 + "=\n",
        "-1 " + "A" * 43 + "=\n",
        "4294967296 " + "A" * 43 + "=\n",
        "1 " + "A" * 43 + "= more\n",
        "1 " + "A" * 43 + "=\n1 " + "B" * 43 + "=\n",
        "1 " + "é" * 43 + "=\n",
    ],
)
def test_that_what_is_no_keyring_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / keyring.FILE
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Refused) as caught:
        keyring.read(path)
    assert caught.value.code == "key.unreadable"
    assert "AAAA" not in caught.value.detail


def test_that_a_kill_while_making_leaves_nothing_or_the_whole_file(tmp_path: Path) -> None:
    path, seen = tmp_path / keyring.FILE, set()
    for knife in lives():
        path.unlink(missing_ok=True)
        with knife:
            keyring.make(path)
        seen.add(path.exists())
        assert not path.exists() or set(keyring.read(path)) == {1}
    assert seen == {True, False}


def test_that_a_kill_while_adding_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    path, seen = tmp_path / keyring.FILE, set()
    first = keyring.make(path)
    for knife in lives():
        keyring.drop(path, {1: first[1]})
        with knife:
            keyring.add(path, first)
        found = keyring.read(path)
        assert found[1] == first[1]
        seen.add(len(found))
    assert seen == {1, 2}
