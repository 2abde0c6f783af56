"""House rules that no linter knows. A rule reads one Python file and yields what is wrong with it.

Where a rule has exceptions they stand in a table here, each with its reason; an exception that is
no longer used fails too (`test_python.py`).
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import PurePath
from typing import TypeGuard

from tests.tidy.tree import Source

Rule = Callable[[Source], Iterator[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6

BANNED = {
    *("util", "utils", "helper", "helpers", "manager", "managers", "common", "base", "misc"),
    *("dto", "impl", "service", "services", "repository", "repositories"),
    *("processor", "processors", "handler", "handlers"),
}
NAMED_OTHERWISE = {
    "ServiceView": "a row of /api/system; the contract calls what the desk consists of services",
    "Service": "the same row, read",
}

WIDE = {
    "src/quantdesk/cli/order.py": "a command has one parameter for each of its flags",
    "src/quantdesk/cli/quote.py": "a command has one parameter for each of its flags",
}

EDGES = {
    "src/quantdesk/api/edge.py": "the outermost edge of HTTP and WebSocket: logged and counted",
    "src/quantdesk/localnet/rpc.py": "the outermost edge of the RPC: logged and counted",
    "src/quantdesk/localnet/cluster.py": "a panic of the runtime is no Exception; others go on up",
    "src/quantdesk/localnet/state.py": "the binding's own error type is not exported",
    "src/quantdesk/localnet/methods_send.py": "the binding's own error type is not exported",
    "src/quantdesk/testing/killing.py": "hands it to the connection's exit, as `async with` does",
}

CLOCK = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|clock_gettime)(_ns)?|time\.(sleep|localtime"
    r"|gmtime)|datetime\.(datetime|date)\.(now|utcnow|today)|asyncio\.sleep"
)
CLOCK_HOMES = {
    "src/quantdesk/core/clock.py": "the clock",
    "src/quantdesk/api/server.py": "the web server stops by the time of its loop, as it runs by it",
    "src/quantdesk/store/embedded.py": "waits for another program; runs before there is a desk",
}
CHANCE = re.compile(r"(random|secrets|numpy\.random)\.\w+|os\.(urandom|getrandom)|uuid\.uuid[1-8]")
CHANCE_HOMES = {
    "src/quantdesk/core/ids.py": "the noise in identifiers",
    "src/quantdesk/access/keys.py": "API keys must not be guessable",
    "src/quantdesk/access/oauth/sign_in.py": "states, nonces and verifiers must not be guessable",
    "src/quantdesk/access/master/keyring.py": "master keys, made once and at each rotation",
    "src/quantdesk/access/factors/drawn.py": "seeds, codes and challenges must not be guessable",
    "src/quantdesk/access/sealing.py": "a key and a nonce of its own for each secret",
    "src/quantdesk/app/cluster.py": "hands out jitter",
    "src/quantdesk/app/localnet.py": "hands out jitter",
    "src/quantdesk/app/sign_in/passwords.py": "hands out jitter",
    "src/quantdesk/app/sign_in/wallets.py": "nonces must not be guessable",
    "src/quantdesk/app/sources.py": "hands out jitter",
    "src/quantdesk/app/wallets.py": "wallets, made once",
    "src/quantdesk/app/wide.py": "names the lives of processes",
    "src/quantdesk/cli/history.py": "hands out jitter",
    "src/quantdesk/localnet/faults.py": "seeded by the drill: the same faults every time",
    "src/quantdesk/localnet/process.py": "wallets of worthless tokens, made once",
    "src/quantdesk/ops/drill.py": "seeded by a flag: the same drill every time",
    "src/quantdesk/sources/simulated.py": "seeded by a setting: the same path every time",
    "src/quantdesk/testing/binance_walk.py": "seeded: the same market every time",
}
ENVIRONMENT = re.compile(r"os\.(environ|getenv|environb|putenv|unsetenv)")
ENVIRONMENT_HOMES = {"src/quantdesk/settings/__init__.py": "the only reader of the environment"}

_SQL = re.compile(
    r"\b(select\s.+?\sfrom\s|insert\s+into\s|update\s+\w+(\s+\w+)?\s+set\s|delete\s+from\s"
    r"|(create|drop|alter)\s+(table|index|database)\s)",
    re.IGNORECASE | re.DOTALL,
)


def has_a_docstring(source: Source) -> Iterator[str]:
    """Say each file's place in the flow."""
    if not ast.get_docstring(source.tree):
        yield "1: say in one line what this file is for"


def documents_its_public_names(source: Source) -> Iterator[str]:
    """Give every public class, function and method a docstring."""
    if source.stem.startswith("_") and source.stem != "__init__":
        return
    for node in _public(source.tree.body):
        if not ast.get_docstring(node):
            yield f"{node.lineno}: {node.name} is public and says nothing"


def is_short(source: Source) -> Iterator[str]:
    """Keep a file to 400 lines and a function to 60."""
    if (lines := source.text.count("\n")) > FILE_LINES_MAX:
        yield f"1: {lines} lines; split by idea"
    for node in _functions(source):
        assert node.end_lineno is not None
        if (length := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_MAX:
            yield f"{node.lineno}: {node.name} has {length} lines"


def asks_for_little(source: Source) -> Iterator[str]:
    """Take at most six parameters, `self` not counted."""
    if source.path not in WIDE:
        yield from wide_functions(source)


def wide_functions(source: Source) -> Iterator[str]:
    """Yield what takes more than six parameters."""
    for node in _functions(source):
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        count = len([argument for argument in named if argument.arg not in {"self", "cls"}])
        if count > PARAMETERS_MAX:
            yield f"{node.lineno}: {node.name} takes {count} parameters"


def names_things_for_what_they_are(source: Source) -> Iterator[str]:
    """Call no file, folder or class after a role that says nothing."""
    for part in PurePath(source.path).with_suffix("").parts:
        if BANNED & set(part.lower().split("_")):
            yield f"1: {part}: name the thing it holds"
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and node.name not in NAMED_OTHERWISE:
            words = {word.lower() for word in re.findall(r"[A-Z][a-z]*", node.name)}
            if BANNED & words:
                yield f"{node.lineno}: {node.name}: name the thing it is"


def keeps_sql_in_stores(source: Source) -> Iterator[str]:
    """Keep SQL in `store.py` or in a folder `store`."""
    if source.stem == "store" or "store" in PurePath(source.path).parent.parts:
        return
    prose = {id(node.value) for node in source.nodes if isinstance(node, ast.Expr)}
    for node in source.nodes:
        if not isinstance(node, ast.Constant) or id(node) in prose:
            continue
        if isinstance(node.value, str) and _SQL.search(node.value + " "):
            yield f"{node.lineno}: SQL lives in store.py"


def reads_no_clock(source: Source) -> Iterator[str]:
    """Be given the time."""
    yield from _outside(source, CLOCK, CLOCK_HOMES)


def takes_no_chances(source: Source) -> Iterator[str]:
    """Be given randomness."""
    yield from _outside(source, CHANCE, CHANCE_HOMES)


def reads_no_environment(source: Source) -> Iterator[str]:
    """Be given settings."""
    yield from _outside(source, ENVIRONMENT, ENVIRONMENT_HOMES)


def catches_what_it_knows(source: Source) -> Iterator[str]:
    """Catch everything only to undo something and raise it again, or at a listed edge."""
    if source.path in EDGES:
        return
    for line in broad_excepts(source):
        yield f"{line}: catch the errors that are meant"


def broad_excepts(source: Source) -> Iterator[int]:
    """Yield the lines of handlers of everything that do not end in a bare `raise`."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno


def uses(source: Source, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every use of a name that the pattern matches whole."""
    for line, dotted in _dotted_names(source):
        if pattern.fullmatch(dotted):
            yield line, dotted


@cache
def _dotted_names(source: Source) -> tuple[tuple[int, str], ...]:
    """Return line and dotted name of whatever is named but the turns given."""
    local = dict(_imported(source.nodes))
    turns = {id(node.func) for node in source.nodes if _gives_a_turn(node)}
    return tuple(
        (node.lineno, dotted)
        for node in source.nodes
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in turns
        if (dotted := _dotted(node, local))
    )


def _outside(source: Source, pattern: re.Pattern[str], homes: Mapping[str, str]) -> Iterator[str]:
    if source.path not in homes:
        for line, name in uses(source, pattern):
            yield f"{line}: {name} has its own home; be given what it makes"


def _public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | Function]:
    for node in body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            if any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list):
                continue
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def _functions(source: Source) -> Iterator[Function]:
    for node in source.nodes:
        if isinstance(node, Function):
            yield node


def _gives_a_turn(node: ast.AST) -> TypeGuard[ast.Call]:
    """Say whether this is `asyncio.sleep(0)`, which lets other tasks run and reads no clock."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and ast.unparse(node) == "asyncio.sleep(0)"
    )


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_is_broad(one) for one in caught.elts)
    return caught is None or ast.unparse(caught) in {"Exception", "BaseException"}


def _imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield local name and what it stands for, of every absolute import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for name in node.names:
                whole = name.name if name.asname else name.name.partition(".")[0]
                yield name.asname or whole, whole
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                yield name.asname or name.name, f"{node.module}.{name.name}"


def _dotted(node: ast.expr, local: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return local.get(node.id)
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value, local)):
        return f"{before}.{node.attr}"
    return None
