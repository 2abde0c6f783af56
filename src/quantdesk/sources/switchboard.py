"""Switchboard: prices of oracle feeds, asked of a Crossbar server every few seconds → frames.

    wait for the interval → bucket → breaker → ask → frame
                                        └ failed → back-off, `Retry-After`

What an answer says, and why it must not be all that a trade goes by: `words/switchboard.py`. Which
feed stands for which asset is a setting: nothing here knows any. The public server is shared; run
one's own to trade by it. Route:
https://docs.rs/crate/switchboard-on-demand/latest/source/src/client/crossbar.rs
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Final

import aiohttp
import structlog
from solders.pubkey import Pubkey

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.breaker import Breaker
from quantdesk.core.bucket import Bucket
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.limits import Declined, retry_after_s
from quantdesk.sources.patience import within
from quantdesk.sources.port import Take
from quantdesk.sources.words import switchboard as words

log = structlog.get_logger()

INTERVAL_S: Final = 5.0
ANSWER_S: Final = 10.0
PROBE_S: Final = 3.0
ANSWER_BYTES_MAX: Final = 1 << 20
AT_ONCE_MAX: Final = 20
"""Feeds asked for by one request: the address stays below 1,000 characters."""
NETWORKS: Final = ("mainnet", "devnet")
_ASKED_MAX: Final = 10
_ASKED_PER_S: Final = 2.0
_CHUNK: Final = 64 << 10
_SAID_MAX: Final = 200


class Switchboard:
    """Prices of the feeds named by `feeds` (asset → pubkey), in US dollars.

    `counts` holds messages, failures, and feed_errors (feeds an answer had a problem with). Runs
    once at a time.
    """

    name = "switchboard"

    def __init__(
        self,
        *,
        clock: Clock,
        chance: Chance,
        base_url: str,
        feeds: Mapping[str, str],
        network: str = "mainnet",
        interval_s: float = INTERVAL_S,
    ) -> None:
        """Raise `Refused` (`source.settings`) for a network, an asset or a pubkey that is none."""
        if network not in NETWORKS:
            raise Refused(
                f"switchboard runs on {' and '.join(NETWORKS)}, not on {network}",
                code="source.settings",
            )
        for symbol, pubkey in feeds.items():
            _check(symbol, pubkey)
        if len(set(feeds.values())) < len(feeds):
            raise Refused("switchboard: two assets have the same feed", code="source.settings")
        self._clock = clock
        self._chance = chance
        self._url = f"{base_url.rstrip('/')}/simulate/solana/{network}/"
        self._feeds = dict(feeds)
        self._interval_s = interval_s
        self._asked = Bucket(capacity=_ASKED_MAX, per_s=_ASKED_PER_S)
        self._last_ns = 0
        self._problems: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed, frame.received_ms)

    async def probe(self) -> None:
        """Return if it answers with a price within `PROBE_S`; raise `Unavailable` if not."""
        asked = dict(islice(self._feeds.items(), AT_ONCE_MAX))
        async with _session() as session:
            body = await self._answer(session, asked, seconds=PROBE_S)
        try:
            if words.read(body, words.feed_of(asked), self._clock.now_ms()):
                return
        except Corrupt as problem:
            raise Unavailable(problem.detail, code="source.unavailable") from problem
        raise Unavailable("Crossbar has no price of these feeds", code="source.unavailable")

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over answers about these assets until cancelled.

        Raises `Refused` (`symbol.unknown`) when none of them has a feed in the settings, `Declined`
        (`source.barred`) when the server does not serve this place.
        """
        wanted = {symbol: self._feeds[symbol] for symbol in symbols if symbol in self._feeds}
        if not wanted:
            raise Refused(
                f"no feed of {', '.join(symbols)} is set: see sources.switchboard_feeds",
                code="symbol.unknown",
            )
        backoff, breaker = Backoff(self._chance), Breaker()
        async with _session() as session:
            while True:
                due_s = self._clock.monotonic() + self._interval_s
                for asked in _batches(wanted):
                    await self._ask(session, asked, take, backoff, breaker)
                await self._clock.sleep(max(0.0, due_s - self._clock.monotonic()))

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        asked: Mapping[str, str],
        take: Take,
        backoff: Backoff,
        breaker: Breaker,
    ) -> None:
        """Ask once; after a failure return when the next try is due."""
        while (wait_s := breaker.wait_s(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait_s)
        while (wait_s := self._asked.take(1, self._clock.monotonic())) > 0:
            await self._clock.sleep(wait_s)
        try:
            body = await self._answer(session, asked, seconds=ANSWER_S)
        except Unavailable as problem:
            breaker.failed(self._clock.monotonic())
            await self._clock.sleep(self._failed(problem, backoff))
            return
        breaker.succeeded()
        backoff.healthy()
        self._note(body, asked)
        # Later than any before: source and stamp name a message for good.
        self._last_ns = max(self._clock.now_ns(), self._last_ns + 1)
        self.counts["messages"] += 1
        take(Frame(self.name, words.feed_of(asked), self._last_ns, body))

    def _failed(self, problem: Unavailable, backoff: Backoff) -> float:
        self.counts["failures"] += 1
        wait_s = backoff.failed()
        if isinstance(problem, Declined):
            if problem.lasting:
                raise problem
            wait_s = max(wait_s, problem.wait_s)
        log.warning(
            "source.unavailable", source=self.name, code=problem.code,
            detail=problem.detail, retry_s=round(wait_s, 1),
        )  # fmt: skip
        return wait_s

    def _note(self, body: bytes, asked: Mapping[str, str]) -> None:
        """Count what feeds have problems with, and say so when that changes."""
        try:
            said = {answer.feed: answer.problem for answer in words.answers(body)}
        except Corrupt:
            return  # whoever reads frames counts it
        for symbol, pubkey in asked.items():
            problem = said.get(pubkey, "no answer")
            self.counts["feed_errors"] += bool(problem)
            if problem != self._problems.get(symbol, ""):
                log.warning("switchboard.feed", symbol=symbol, problem=problem[:_SAID_MAX])
            self._problems[symbol] = problem

    async def _answer(
        self, session: aiohttp.ClientSession, asked: Mapping[str, str], *, seconds: float
    ) -> bytes:
        try:
            return await within(seconds, self._get(session, asked), clock=self._clock)
        except (aiohttp.ClientError, OSError) as problem:
            said = str(problem) or type(problem).__name__
            raise Unavailable(
                f"Crossbar does not answer: {said}", code="source.unavailable"
            ) from problem

    async def _get(self, session: aiohttp.ClientSession, asked: Mapping[str, str]) -> bytes:
        async with session.get(self._url + ",".join(asked.values())) as response:
            if response.status != HTTPStatus.OK:
                raise await _declined(response)
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise Unavailable("Crossbar answers without end", code="source.unavailable")
            return bytes(body)


def feeds_named(pairs: Sequence[str]) -> dict[str, str]:
    """Return assets and pubkeys of pairs like "BTC=<pubkey>", as settings write them.

    Raises `Refused` (`source.settings`); whether they are pubkeys is checked by `Switchboard`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        symbol, equals, pubkey = (part.strip() for part in pair.partition("="))
        if not equals or symbol in found:
            raise Refused(
                f"sources.switchboard_feeds: write each asset once as BTC=<pubkey>, not {pair!r}",
                code="source.settings",
            )
        found[symbol] = pubkey
    return found


def _session() -> aiohttp.ClientSession:
    # Deadlines are ours, on the clock that was passed in.
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=None))


async def _declined(response: aiohttp.ClientResponse) -> Declined:
    said = (await response.content.read(_SAID_MAX)).decode("utf-8", "replace").strip()
    return Declined(
        f"Crossbar answered HTTP {response.status}: {said or response.reason}",
        status=response.status,
        wait_s=retry_after_s(response.status, response.headers.get("Retry-After")),
    )


def _batches(wanted: Mapping[str, str]) -> Iterator[dict[str, str]]:
    rest = iter(wanted.items())
    while batch := dict(islice(rest, AT_ONCE_MAX)):
        yield batch


def _check(symbol: str, pubkey: str) -> None:
    if not words.SYMBOL(symbol):
        raise Refused(f"switchboard: {symbol!r} is no asset", code="source.settings")
    try:
        Pubkey.from_string(pubkey)
    except ValueError as problem:
        raise Refused(
            f"switchboard's feed of {symbol} is no pubkey: {pubkey!r}", code="source.settings"
        ) from problem
