"""Pages tell the truth: the files they name exist, the settings they list are those there are."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from docs.reference.generate import FOLDER, pages, settings_page
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from tests.tidy.tree import ROOT, files, text

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Quote
from quantdesk.settings import Settings

PAGES = [name for name in files() if name.endswith(".md") and "/flows/" not in name]
ENDINGS = (".py", ".md", ".toml", ".sql", ".c", ".h", ".so", ".lock", ".json", ".importlinter", "/")
QUOTED = re.compile(r"`([^`\n]+)`")
MADE_BY_THE_DESK = {"quantdesk.toml", "desk.json", "owner.key"}
FLOWS = [name for name in PAGES if name.startswith("docs/flow/")]


def named_files(page: str) -> list[str]:
    """Return what a page puts in backticks that reads as a file or folder of the checkout."""
    found = [word for word in QUOTED.findall(page) if word.endswith(ENDINGS)]
    outside = re.compile(r"[\s<>*~$=:]|^/|^\.(?!importlinter)")
    return [word for word in found if not outside.search(word) and word not in MADE_BY_THE_DESK]


def exists(name: str, page: str) -> bool:
    """Return whether there is such a file: by path from root, package or page, or by name alone."""
    if "/" not in name:
        return any(Path(path).name == name for path in files())
    places = (ROOT, ROOT / "src/quantdesk", (ROOT / page).parent)
    return any((place / name).exists() for place in places)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_page_names_exists(page: str) -> None:
    assert not [name for name in named_files(text(page)) if not exists(name, page)]


def test_a_missing_file_is_found() -> None:
    assert [n for n in named_files("see `engines/orders/gone.py`") if not exists(n, "README.md")]


@pytest.mark.parametrize("page", [*FLOWS, "CONTRIBUTING.md"])
def test_the_pages_that_lead_to_code_name_files(page: str) -> None:
    assert len(named_files(text(page))) > 4


def test_every_link_between_pages_leads_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:\s]+)[^):]*\)", text(page))
    ]

    assert not [(page, link) for page, link in links if not ((ROOT / page).parent / link).exists()]


@pytest.mark.parametrize(("file", "page"), [(f.name, p) for f, p in pages().items()])
def test_a_page_that_is_written_from_code_is_what_the_code_says(file: str, page: str) -> None:
    assert (FOLDER / file).read_text() == page, "run `make docs`"


def codes_of_faults() -> list[str]:
    """Return the codes in the second column of the table of faults."""
    table = (ROOT / "docs/flow/errors.md").read_text().partition("## Faults of pools")[2]
    cells = [row.split("|")[2] for row in table.splitlines() if row.startswith("| ")]
    return sorted({code for cell in cells for code in re.findall(r"`([a-z.]+_?[a-z_]*)`", cell)})


def test_every_code_in_the_table_of_faults_is_raised_somewhere() -> None:
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    assert len(codes_of_faults()) > 15
    assert [code for code in codes_of_faults() if not any(f'"{code}"' in s for s in sources)] == []


def python_blocks() -> list[tuple[str, str]]:
    """Return every piece of Python that stands in a page, with the page's name."""
    return [
        (name, block)
        for name in PAGES
        for block in re.findall(r"^```python\n(.*?)^```", text(name), re.MULTILINE | re.DOTALL)
    ]


@pytest.mark.parametrize(("page", "block"), python_blocks())
def test_python_in_a_page_is_python(page: str, block: str) -> None:
    whole = f"def shown():\n{textwrap.indent(block, '    ')}"  # a page may show a mere return
    compile(whole, page, "exec")


def test_the_source_in_the_page_on_sources_reads_what_the_page_says() -> None:
    [block] = [code for page, code in python_blocks() if page == "docs/how-to/add-a-source.md"]
    message = re.findall(r"says `(\{.*?\})`", text("docs/how-to/add-a-source.md"))[0].encode()
    shown: dict[str, Any] = {"__name__": "shown"}
    exec(block, shown)

    assert shown["read"](message) == (Quote("SOL", "USD", "150.1", "0", "150.2", "0", 7),)
    with pytest.raises(Corrupt):
        shown["read"](b"noise")


def test_the_site_has_every_page() -> None:
    told = set(re.findall(r": ([\w/-]+\.md)$", text("mkdocs.yml"), re.MULTILINE))
    there = {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")}

    assert told == there


def test_the_page_on_settings_has_them_all() -> None:
    def count(section: type[BaseModel]) -> int:
        fields = section.model_fields.values()
        below = [*(type(f.default) for f in fields), *(a for f in fields for a in _several(f))]
        sections = [kind for kind in below if issubclass(kind, BaseModel)]
        return len(fields) - len(sections) + sum(map(count, sections))

    assert settings_page().count("\n| `") == count(Settings)


def _several(field: FieldInfo) -> list[type]:
    kinds = getattr(field.annotation, "__args__", ())
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def test_every_decision_has_the_five_headings() -> None:
    headings = ["Status", "Context", "Decision", "Alternatives", "Consequences"]
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == headings, path.name
        assert Path(path).read_text().startswith(f"# {path.name[:4]} "), path.name
