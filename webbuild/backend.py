"""The build backend of the package (PEP 517): `uv_build`, with the page built first.

A wheel and a source archive carry the page, so whoever installs them needs no Node.js. An editable
install is a checkout, where `make` builds it. Where there is no Node.js to be had the package is
made without it, and says so; its desk works, and tells whoever opens it in a browser.
"""

import sys

import uv_build
from uv_build import (
    build_editable,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

from webbuild.__main__ import NO_NODE, main
from webbuild.tree import Tree

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, str | list[str]] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Build a wheel with the page in it; return its name."""
    _page()
    name: str = uv_build.build_wheel(wheel_directory, config_settings, metadata_directory)
    return name


def build_sdist(
    sdist_directory: str, config_settings: dict[str, str | list[str]] | None = None
) -> str:
    """Build a source archive with the page in it; return its name."""
    _page()
    name: str = uv_build.build_sdist(sdist_directory, config_settings)
    return name


def _page() -> None:
    tree = Tree()
    if not tree.lock.is_file():
        return  # an archive, which has the page and not its source
    code = main(["build"], tree=tree)
    if code == NO_NODE:
        sys.stderr.write("the package is made without its page\n")
    elif code:
        sys.exit(code)
