"""What no file of the checkout may hold: other machines' addresses, unfinished work, silent gaps.

The forbidden words are put together from parts, so that this file does not hold them itself.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.tree import files, text

LINES_MAX = 400
"""Of a file in C; Python's own rule is in `rules.py`."""

REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
        ("ubuntu", "com"),
        ("rubygems", "org"),
        ("ghcr", "io"),
        ("docker", "io"),
    )
)
MACHINE = re.compile(r"(?<![\w.~}>-])/(?:work|root|home|farm|Users)/\w")
ACCOUNT = {
    "src/quantdesk/store/identity.py": "tells of interpreters in folders only root may enter",
}
UNFINISHED = re.compile(
    "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"])
)
SKIP = re.compile(r"pytest\.(?:skip|xfail|importorskip)\(|pytest\.mark\.(?:skip|skipif|xfail)\b")
LOUD = {
    "tests/conformance/solana_rpc/conftest.py": "no node or npm to install Surfpool with",
    "tests/conformance/solana_rpc/test_refusing.py": "Surfpool differs from the cluster: a table",
    "tests/e2e/conftest.py": "no chromium: the page's own flows need one",
    "tests/flow/bus/server.py": "no nats-server: it comes with the dev requirements",
    "tests/flow/store/test_embedded.py": "only root can become another user",
    "tests/benches/test_loadgen.py": "no C compiler",
    "tests/flow/market/test_replaying.py": "the recordings do not come with the checkout",
    "tests/flow/process/test_recorded_market.py": "the recordings do not come with the checkout",
    "tests/flow/market/test_real_crashes.py": "the recordings do not come with the checkout",
    "tests/flow/market/test_real_market.py": "the recordings do not come with the checkout",
    "tests/flow/market_store/test_ccxt_klines.py": "no ccxt",
    "tests/unit/programs/test_sbpf_build.py": "no ziglang",
    "tests/unit/programs/test_sbpf_link.py": "no ziglang",
    "tests/unit/programs/test_wide_arithmetic.py": "no ziglang",
    "tests/unit/sources/words/test_accumulator.py": "the recordings do not come with the checkout",
    "tests/unit/sources/words/test_recording.py": "the recordings do not come with the checkout",
}
CODE = (".py", ".c", ".h", ".mjs", ".cjs", ".ts", ".tsx", ".sql")
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*(?:\[[\w,-]+\])?==\S+")


def _found(words: re.Pattern[str], names: Iterator[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in names
        if words.search(text(name))
        for number, line in enumerate(text(name).splitlines(), 1)
        if words.search(line)
    ]


def _locks() -> list[str]:
    return [name for name in files() if name.endswith(".lock")]


def _node_locks() -> list[str]:
    return [name for name in files() if Path(name).name == "package-lock.json"]


def unpinned(lock: str) -> list[str]:
    """Return the requirements of a lock file that are not one version with its hashes."""
    requirements = lock.replace("\\\n", " ").splitlines()
    return [line for line in requirements if not PINNED.match(line) or "--hash=sha256:" not in line]


def test_no_file_names_a_registry() -> None:
    words = re.compile("|".join(re.escape(host) for host in REGISTRIES), re.IGNORECASE)

    # A pattern that looks past case takes seconds for what this finds at once.
    named = (name for name in files() if any(host in text(name).lower() for host in REGISTRIES))
    assert not _found(words, named)


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not _found(MACHINE, (name for name in files() if name not in ACCOUNT))


@pytest.mark.parametrize("line", ["cd {}/x", 'open("{}/key")', "({}/me)", "={}/me"])
@pytest.mark.parametrize("folder", ["work", "root", "home"])
def test_a_folder_of_one_machine_is_found(line: str, folder: str) -> None:
    assert MACHINE.search(line.format(f"/{folder}"))


@pytest.mark.parametrize("line", ["~{}/x", "src{}/x", "<home>{}/x", "GET {}", ".{}/x"])
@pytest.mark.parametrize("folder", ["work", "root", "home"])
def test_other_paths_are_not(line: str, folder: str) -> None:
    assert not MACHINE.search(line.format(f"/{folder}"))


def test_nothing_is_unfinished() -> None:
    assert not _found(UNFINISHED, (name for name in files() if name.endswith(CODE)))


def test_only_listed_tests_are_ever_skipped() -> None:
    tests = (name for name in files() if name.startswith("tests/") and name.endswith(".py"))
    skipping = {name for name in tests if "tidy" not in name and SKIP.search(text(name))}

    assert skipping == set(LOUD)


def test_files_in_c_are_short() -> None:
    names = [name for name in files() if name.endswith((".c", ".h", ".mjs", ".cjs"))]

    assert not [name for name in names if text(name).count("\n") > LINES_MAX]


def test_there_are_lock_files() -> None:
    assert set(_locks()) >= {
        "requirements.lock", "requirements-dev.lock", "requirements-web.lock"
    }  # fmt: skip
    assert "web/package-lock.json" in _node_locks()


@pytest.mark.parametrize("name", [*_locks(), *_node_locks()])
def test_a_lock_file_names_no_host(name: str) -> None:
    assert "://" not in text(name)


@pytest.mark.parametrize("name", _node_locks())
def test_no_node_package_is_bound_to_a_place(name: str) -> None:
    packages = json.loads(text(name))["packages"].values()

    assert not [package for package in packages if {"resolved", "funding"} & set(package)]


def test_npm_leaves_places_out_of_the_pages_lock() -> None:
    assert "omit-lockfile-registry-resolved=true" in text("web/.npmrc").splitlines()


@pytest.mark.parametrize("name", _locks())
def test_every_requirement_is_pinned_with_its_hashes(name: str) -> None:
    assert not unpinned(text(name))


@pytest.mark.parametrize("lock", ["a>=1 --hash=sha256:0\n", "a==1\n", "a==1 \\\n  --hash=md5:0\n"])
def test_a_loose_requirement_is_found(lock: str) -> None:
    assert unpinned(lock)


@pytest.mark.parametrize("name", _node_locks())
def test_every_node_package_is_pinned_with_its_hash(name: str) -> None:
    packages = json.loads(text(name))["packages"]

    assert not [path for path, package in packages.items() if path and "integrity" not in package]
