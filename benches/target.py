"""What can be measured: something that takes orders over HTTP and tells of them over WebSocket.

`desk.py` and `peer/target.py` make targets; `rounds.py` runs them in turn.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Running:
    """A target that serves on 127.0.0.1.

    `all_path` is the WebSocket of all orders, `each_path` the prefix of one order's; `header` is
    sent with every request and upgrade, empty for none; `groups` names the processes whose CPU is
    counted, by the pids their trees grow from; `database` holds the Postgres settings that must
    be the same for all targets of a comparison.
    """

    port: int
    all_path: str
    each_path: str
    header: str
    groups: Mapping[str, tuple[int, ...]]
    database: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """A name and how to run it: entering the context starts it, leaving it stops it."""

    name: str
    run: Callable[[], AbstractContextManager[Running]]
