"""Every Python file keeps the house rules, and every rule can fail."""

import re
from collections.abc import Mapping

import pytest
from tests.tidy import rules
from tests.tidy.rules import Rule
from tests.tidy.tree import PRODUCT, PYTHON, parsed, sources

DESK = ("src/quantdesk",)
TOO_LONG = "def f():\n" + "    1\n" * 60
RULES: tuple[tuple[Rule, tuple[str, ...], str], ...] = (
    (rules.has_a_docstring, PYTHON, "import os\n"),
    (rules.documents_its_public_names, PRODUCT, 'class A:\n    "A."\n    def b(self): ...\n'),
    (rules.is_short, PYTHON, TOO_LONG),
    (rules.is_short, PYTHON, "\n" * 401),
    (rules.asks_for_little, PRODUCT, "class A:\n    def f(self, a, b, c, d, *, e, f, g): ...\n"),
    (rules.names_things_for_what_they_are, PYTHON, "class OrderManager: ...\n"),
    (rules.keeps_sql_in_stores, DESK, "Q = 'select id\\n from orders'\n"),
    (rules.keeps_sql_in_stores, DESK, "Q = f'update orders o set x = {1}'\n"),
    (rules.reads_no_clock, DESK, "from time import monotonic as m\nm()\n"),
    (rules.reads_no_clock, DESK, "from datetime import datetime\ndatetime.now()\n"),
    (rules.takes_no_chances, DESK, "import random\nrandom.Random(1)\n"),
    (rules.takes_no_chances, DESK, "from uuid import uuid4\nuuid4()\n"),
    (rules.reads_no_environment, DESK, "import os\nos.environ['A']\n"),
    (rules.catches_what_it_knows, PRODUCT, "try:\n    f()\nexcept Exception:\n    pass\n"),
    (
        rules.catches_what_it_knows,
        PRODUCT,
        "try:\n    f()\nexcept (OSError, Exception):\n    g()\n",
    ),
)
KEPT = {rule: folders for rule, folders, _ in RULES}
HOMES = (
    (rules.CLOCK, rules.CLOCK_HOMES),
    (rules.CHANCE, rules.CHANCE_HOMES),
    (rules.ENVIRONMENT, rules.ENVIRONMENT_HOMES),
)


@pytest.mark.parametrize("rule", KEPT, ids=lambda rule: rule.__name__)
def test_every_file(rule: Rule) -> None:
    faults = [f"{s.path}:{fault}" for s in sources(*KEPT[rule]) for fault in rule(s)]

    assert not faults, "\n".join([str(rule.__doc__), *faults])


@pytest.mark.parametrize(("rule", "_folders", "planted"), RULES)
def test_a_planted_fault_is_found(rule: Rule, _folders: object, planted: str) -> None:
    assert list(rule(parsed("src/quantdesk/planted.py", planted)))


@pytest.mark.parametrize("path", ["src/quantdesk/engines/utils.py", "src/quantdesk/common/a.py"])
def test_a_file_or_folder_named_for_nothing_is_found(path: str) -> None:
    assert list(rules.names_things_for_what_they_are(parsed(path, "")))


def test_undoing_and_raising_again_is_no_broad_except() -> None:
    undone = parsed("a.py", "try:\n    f()\nexcept BaseException:\n    undo()\n    raise\n")

    assert not list(rules.catches_what_it_knows(undone))


@pytest.mark.parametrize(("pattern", "homes"), HOMES, ids=["clock", "chance", "environment"])
def test_every_home_is_lived_in(pattern: re.Pattern[str], homes: Mapping[str, str]) -> None:
    living = {source.path for source in sources(*DESK) if any(rules.uses(source, pattern))}

    assert living == set(homes)


def test_every_listed_wide_function_is_there() -> None:
    assert set(rules.WIDE) == {s.path for s in sources(*PRODUCT) if any(rules.wide_functions(s))}


def test_every_listed_edge_catches_everything() -> None:
    assert set(rules.EDGES) == {s.path for s in sources(*PRODUCT) if any(rules.broad_excepts(s))}
