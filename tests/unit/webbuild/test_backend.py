"""A package is made with its page, or says aloud that it is not."""

from pathlib import Path

import pytest
import uv_build
from webbuild import backend
from webbuild.__main__ import NO_NODE
from webbuild.tree import Tree


class Builds:
    """Stands in for `uv_build` and for the page's build, which ends with `code`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, *, code: int) -> None:
        self.done: list[str] = []
        self._code = code
        (root / "web").mkdir()
        self.lock = root / "web" / "package-lock.json"
        self.lock.write_text("{}")
        monkeypatch.setattr(backend, "Tree", lambda: Tree(root))
        monkeypatch.setattr(backend, "main", self._page)
        monkeypatch.setattr(uv_build, "build_wheel", lambda *_: self._made("wheel"))
        monkeypatch.setattr(uv_build, "build_sdist", lambda *_: self._made("sdist"))

    def _page(self, arguments: list[str], *, tree: Tree) -> int:
        assert (arguments, tree.lock) == (["build"], self.lock)
        self.done.append("page")
        return self._code

    def _made(self, what: str) -> str:
        self.done.append(what)
        return what


def test_that_the_page_is_built_before_it_is_put_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builds = Builds(monkeypatch, tmp_path, code=0)

    assert [backend.build_wheel("."), backend.build_sdist(".")] == ["wheel", "sdist"]
    assert builds.done == ["page", "wheel", "page", "sdist"]


def test_that_a_package_without_its_page_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    builds = Builds(monkeypatch, tmp_path, code=NO_NODE)

    assert backend.build_wheel(".") == "wheel"
    assert builds.done == ["page", "wheel"]
    assert "without its page" in capsys.readouterr().err


def test_that_a_broken_page_makes_no_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builds = Builds(monkeypatch, tmp_path, code=1)

    with pytest.raises(SystemExit):
        backend.build_wheel(".")
    assert builds.done == ["page"]


def test_that_an_archive_has_its_page_already(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builds = Builds(monkeypatch, tmp_path, code=1)
    builds.lock.unlink()

    assert backend.build_wheel(".") == "wheel"
    assert builds.done == ["wheel"]
