"""A desk as its user runs it: `quantdesk up` in a process of its own, talked to over HTTP.

What it prints goes to a file, never to a pipe: Postgres and the localnet inherit its streams, and
a pipe that a killed desk's children keep open would never end.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

READY_S = 120.0
"""More than whatever a desk is waited for takes, however busy the machine: it ends what fails."""
STOP_S = 5.0
"""What a stop is promised to take."""
_POLL_S = 0.02
PAPER = ("--mode", "paper", "--source", "simulated", "--set", "paper.latency_ms=20")
LOCALNET = ("--mode", "localnet", "--source", "simulated")


class Answer(NamedTuple):
    """What the desk answered; `body` is decoded JSON."""

    status: int
    body: Any


class Process:
    """One desk, from its start to its end, however often it is started in between."""

    def __init__(self, home: Path, *flags: str) -> None:
        self.home = home
        self.flags = flags
        self.log = home.with_suffix(".log")
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the number of the running process."""
        assert self._running is not None
        return self._running.pid

    @property
    def told(self) -> dict[str, Any]:
        """Return `desk.json`."""
        told: dict[str, Any] = json.loads((self.home / "desk.json").read_text())
        return told

    @property
    def url(self) -> str:
        """Return where the desk listens."""
        url: str = self.told["urls"]["api"]
        return url

    @property
    def key(self) -> str:
        """Return the owner's key."""
        return (self.home / "owner.key").read_text().strip()

    def said(self) -> str:
        """Return everything the desk printed so far."""
        return self.log.read_text()

    def launch(self) -> None:
        """Start the process and return at once."""
        command = [sys.executable, "-m", "quantdesk", "up", "--home", str(self.home), "--port", "0"]
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [*command, *self.flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the process and return when it is ready."""
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Return when this process answers that orders move."""
        self.until(self._is_ready, "ready")

    def _is_ready(self) -> bool:
        try:
            return self.told["pid"] == self.pid and self.get("/readyz").status == 200
        except (FileNotFoundError, OSError):
            return False

    def until(self, holds: Callable[[], bool], what: str, *, within_s: float = READY_S) -> None:
        """Return when a condition holds; fail with the desk's own words when it never does."""
        deadline = time.monotonic() + within_s
        while not holds():
            ended = self._running is not None and self._running.poll() is not None
            assert not ended, f"the desk ended before {what}:\n{self.said()}"
            assert time.monotonic() < deadline, f"not {what} in {within_s} s:\n{self.said()}"
            time.sleep(_POLL_S)

    def until_gone(self, seen: Callable[[], object]) -> None:
        """Return once something that outlives the desk for a moment is gone."""
        deadline = time.monotonic() + READY_S
        while found := seen():
            assert time.monotonic() < deadline, f"{found} is still there"
            time.sleep(_POLL_S)

    def wait(self, within_s: float = READY_S) -> int:
        """Return the exit code once the process has ended."""
        assert self._running is not None
        return self._running.wait(within_s)

    def kill(self) -> None:
        """End the desk's process alone, as a crash does: nothing is put away."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send the desk a signal."""
        assert self._running is not None
        self._running.send_signal(number)

    def stop(self, within_s: float = READY_S) -> int:
        """Ask the desk to stop and return its exit code; fail when it takes too long."""
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(within_s)

    def put_away(self) -> None:
        """End whatever of this desk still runs: itself, its Postgres, its localnet."""
        if self._running is not None and self._running.poll() is None:
            try:
                self.stop(15)
            except subprocess.TimeoutExpired:
                self.kill()
        for found in (self.postgres(), self.localnet()):
            if found is not None:
                _end(found)

    def postgres(self) -> int | None:
        """Return the number of the home's Postgres, if one runs."""
        words = _words(self.home / "postgres" / "postmaster.pid")
        return _alive(int(words[0])) if words else None

    def localnet(self) -> int | None:
        """Return the number of the home's localnet, if one runs."""
        words = _words(self.home / "localnet.json")
        return _alive(json.loads(" ".join(words))["pid"]) if words else None

    def get(self, path: str) -> Answer:
        """Return the answer to a GET with the owner's key."""
        return self._ask(urllib.request.Request(self.url + path))

    def preview(self, body: dict[str, Any]) -> Answer:
        """Return what an order would get."""
        return self.post(body, path="/api/orders/preview")

    def post(
        self, body: dict[str, Any], *, key: str | None = None, path: str = "/api/orders"
    ) -> Answer:
        """Return the answer to an order."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        if key is not None:
            request.add_header("Idempotency-Key", key)
        return self._ask(request)

    def ask(self, method: str, path: str, key: str | None, body: object = None) -> Answer:
        """Return the answer to a request with somebody's credential, or with none."""
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        if key is not None:
            request.add_header("Authorization", f"Bearer {key}")
        return _answer(request)

    def _ask(self, request: urllib.request.Request) -> Answer:
        request.add_header("Authorization", f"Bearer {self.key}")
        return _answer(request)

    def orders(self) -> list[dict[str, Any]]:
        """Return every order, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(f"/api/orders?limit=500{cursor and '&cursor=' + cursor}").body
            found += page["orders"]
            cursor = page["nextCursor"]
        return found

    def ended(self, ids: Sequence[str], *, within_s: float = READY_S) -> list[dict[str, Any]]:
        """Return these orders once nothing can happen to any of them."""
        wanted = set(ids)

        def all_ended() -> bool:
            open_now = {"PENDING", "ROUTING", "BUILDING", "SUBMITTED"}
            return not any(o["status"] in open_now for o in self.orders() if o["orderId"] in wanted)

        self.until(all_ended, "at the end of every order", within_s=within_s)
        return [order for order in self.orders() if order["orderId"] in wanted]

    def service(self, name: str) -> dict[str, Any]:
        """Return what /readyz says of a part."""
        services: list[dict[str, Any]] = self.get("/readyz").body["services"]
        return next(part for part in services if part["name"] == name)


def _answer(request: urllib.request.Request) -> Answer:
    try:
        with urllib.request.urlopen(request, timeout=READY_S) as answer:
            return Answer(answer.status, _read(answer.read()))
    except urllib.error.HTTPError as problem:
        with problem:
            return Answer(problem.code, _read(problem.read()))


def _read(body: bytes) -> Any:  # noqa: ANN401 - JSON, or text where it is none
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


@contextmanager
def homes() -> Iterator[Path]:
    """Give a folder for homes with a short path, as a socket's address needs; remove it after."""
    folder = Path(tempfile.mkdtemp(prefix="qd-flow-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def desk(home: Path, *flags: str) -> Iterator[Process]:
    """Name a desk that is put away with everything it started, whatever the test did to it."""
    named = Process(home, *flags)
    try:
        yield named
    finally:
        named.put_away()


def gapless(order: dict[str, Any]) -> bool:
    """Return whether an order's log holds each version once, from the first to its own."""
    versions = [event["version"] for event in order["logs"]]
    return versions == list(range(1, order["version"] + 1))


def printed_keys(said: str) -> list[str]:
    """Return the API keys in what a desk printed."""
    return re.findall(r"qd_[A-Za-z0-9_-]{20,}", said)


def running(home: Path, word: str) -> list[int]:
    """Return the processes whose command line names a home and a word."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:  # it ended while we looked
            continue
        if str(home) in command and word in command:
            found.append(int(file.parent.name))
    return found


def _words(file: Path) -> list[str]:
    """Return the words of a file that may come, be empty, or go at any moment."""
    try:
        return file.read_text().split()
    except FileNotFoundError:
        return []


def _alive(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    return pid


def _end(pid: int) -> None:
    for name in (signal.SIGINT, signal.SIGKILL):
        for _ in range(250):
            try:
                os.kill(pid, name if _ == 0 else 0)
            except ProcessLookupError:
                return
            time.sleep(_POLL_S)
