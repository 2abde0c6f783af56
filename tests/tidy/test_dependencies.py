"""What the desk is made of: pinned, installed as pinned, and under licenses one may ship with.

Whether a version has a known hole is asked of a database on the network, which tests never use;
`docs/security.md` says how. Here is checked what can be checked at the desk.
"""

import re
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[2] / "requirements.lock"
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;]+)( ; .*)? \\$", re.MULTILINE)
FREE = ("MIT", "BSD", "APACHE", "PSF", "PYTHON SOFTWARE", "ISC", "CNRI", "PUBLIC DOMAIN")
UNSAID = {
    "aiofastnet": "MIT, said in its LICENSE file alone",
    "jsonalias": "MIT, said in its repository alone",
    "picows": "MIT, said in its LICENSE file alone",
    "solders": "Apache-2.0, said in its repository alone",
}


def _pinned() -> list[tuple[str, str]]:
    """Return what is pinned for every machine; the rest is for other kinds of machines."""
    return [(name, pin) for name, pin, marker in PIN.findall(LOCK.read_text()) if not marker]


def _license(name: str) -> str:
    said = metadata(name)
    classified = [
        line.rpartition("::")[2].strip()
        for line in said.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    written = [said[name] for name in ("License-Expression", "License") if name in said]
    return "; ".join(classified) or next(iter(written), "")


def test_that_the_lock_is_read() -> None:
    assert len(_pinned()) > 50


@pytest.mark.parametrize(("name", "pin"), _pinned())
def test_that_what_runs_is_what_is_pinned(name: str, pin: str) -> None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        pytest.fail(f"{name} is pinned but not installed: run `make setup`")
    assert installed == pin


@pytest.mark.parametrize("name", [name for name, _ in _pinned()])
def test_that_its_license_lets_it_be_shipped(name: str) -> None:
    told = _license(name)
    if name in UNSAID:
        assert not told, f"{name} says {told!r} now: take it off the list"
        return
    parts = re.split(r" AND | OR |;", told)
    assert told, f"{name} says nothing of its license"
    assert all(any(free in part.upper() for free in FREE) for part in parts), told
