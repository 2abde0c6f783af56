"""Simulated prices, for a desk without a live source: labeled so wherever they are shown.

A regime-switching jump diffusion. A Markov chain moves the market between calm, trend and stress;
one market factor moves all coins together (by their beta, next to a noise of their own), jumps hit
them all at once, and stablecoins are pulled back to one dollar. After R. C. Merton (1976), "Option
pricing when underlying stock returns are discontinuous", and J. D. Hamilton (1989), "A new approach
to the economic analysis of nonstationary time series and the business cycle". Floats live inside
`Path` alone; what leaves this file is a decimal on a tick. Trades and books come with the prices
(`crowd`), so that candles and books can be seen without a network.
"""

import math
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.crowd import Crowd, Exchange
from quantdesk.sources.port import Take
from quantdesk.sources.words import simulated as words

_YEAR_S = 365 * 24 * 3600.0
_HOUR_S = 3600.0
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Coin:
    """How one asset moves: volatilities per square root of a year, `beta` to the market."""

    start: Decimal
    tick: Decimal
    beta: float
    own_volatility: float


@dataclass(frozen=True, slots=True)
class Stable:
    """A coin pulled back to its start, halving the distance every `half_life_s` seconds."""

    start: Decimal
    tick: Decimal
    volatility: float
    half_life_s: float


@dataclass(frozen=True, slots=True)
class Regime:
    """The weather: how long it lasts on average and what comes next with which weight."""

    dwell_s: float
    volatility: float
    drift_per_hour: float
    jumps_per_hour: float
    confidence_bps: Decimal
    next: Mapping[str, float]


MODELS: Mapping[str, Coin | Stable] = MappingProxyType(
    {
        "BTC": Coin(Decimal(68_000), Decimal("0.01"), beta=1.0, own_volatility=0.10),
        "ETH": Coin(Decimal(3_500), Decimal("0.01"), beta=1.2, own_volatility=0.25),
        "SOL": Coin(Decimal(150), Decimal("0.001"), beta=1.4, own_volatility=0.40),
        "USDT": Stable(Decimal("0.9998"), Decimal("0.00001"), volatility=0.01, half_life_s=600),
        "USDC": Stable(Decimal("1.0000"), Decimal("0.00001"), volatility=0.005, half_life_s=600),
        "PYUSD": Stable(Decimal("0.9997"), Decimal("0.00001"), volatility=0.01, half_life_s=600),
    }
)

REGIMES: Mapping[str, Regime] = MappingProxyType(
    {
        "calm": Regime(900, 0.7, 0.0, 0.05, Decimal(3), {"trend": 0.8, "stress": 0.2}),
        "trend": Regime(600, 1.0, 0.005, 0.2, Decimal(5), {"calm": 0.7, "stress": 0.3}),
        "stress": Regime(120, 3.0, 0.0, 12.0, Decimal(20), {"calm": 0.5, "trend": 0.5}),
    }
)

_MARKET_VOLATILITY = 0.45
_JUMP_DEVIATION = 0.004
_FEED = "steps"


class Path:
    """One possible course of all prices; the same seed and step take the same course."""

    def __init__(self, *, seed: int, step_s: float, start: Mapping[str, Decimal]) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - a price path keeps no secret
        self._step_s = step_s
        self._logs = {symbol: math.log(price) for symbol, price in start.items()}
        self._homes = dict(self._logs)
        self._direction = 1.0
        self.regime = "calm"

    def step(self) -> dict[str, Decimal]:
        """Move on by one step and return every price in US dollars, on its tick."""
        self._switch()
        regime = REGIMES[self.regime]
        root_s = math.sqrt(self._step_s / _YEAR_S) * regime.volatility
        market = (
            self._chance.gauss(0, 1) * _MARKET_VOLATILITY * root_s
            + self._direction * regime.drift_per_hour * self._step_s / _HOUR_S
            + self._jump(regime)
        )
        for symbol, log in self._logs.items():
            noise = self._chance.gauss(0, 1) * root_s
            self._logs[symbol] = log + _move(
                MODELS[symbol], market, noise, self._homes[symbol] - log, self._step_s
            )
        return {symbol: _on_tick(math.exp(log), symbol) for symbol, log in self._logs.items()}

    def _switch(self) -> None:
        regime = REGIMES[self.regime]
        stays = math.exp(-self._step_s / regime.dwell_s)
        if self._chance.random() >= stays:
            (self.regime,) = self._chance.choices(list(regime.next), list(regime.next.values()))
            self._direction = self._chance.choice((-1.0, 1.0))

    def _jump(self, regime: Regime) -> float:
        rate = regime.jumps_per_hour * self._step_s / _HOUR_S
        hit, size = self._chance.random(), self._chance.gauss(0, _JUMP_DEVIATION)
        return size if hit < -math.expm1(-rate) else 0.0


class Simulated:
    """Simulated prices, trades and books, a message a step."""

    name = "simulated"

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int,
        step_s: float = 1.0,
        start: Mapping[str, Decimal] = MappingProxyType({}),
    ) -> None:
        """`start` replaces the table's first price (US dollars) of the assets it names."""
        self._clock = clock
        self._seed = seed
        self._step_s = step_s
        self._asked: set[str] = set()
        self._start = {symbol: model.start for symbol, model in MODELS.items()} | dict(start)
        for symbol in start:
            _known(symbol)
        if step_s <= 0 or any(price <= 0 for price in self._start.values()):
            raise Refused("a simulation needs a step and prices above zero", code="source.settings")

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over the start prices, then one frame every step, from the seed on, without end.

        Every call begins the same path anew; ids of trades go on from the time it began, so that
        they rise over restarts too. Raises `Refused` (`symbol.unknown`).
        """
        last_ns = 0
        ticks = {symbol: MODELS[symbol].tick for symbol in symbols if symbol in MODELS}
        apart = random.Random(self._seed)  # noqa: S311 - the path goes the same way without it
        crowd = Crowd(ticks, chance=apart.random)
        exchange = Exchange(crowd, number=self._clock.now_ms(), asked=self._asked)
        async for regime, prices in self._steps(symbols):
            last_ns = max(self._clock.now_ns(), last_ns + 1)
            told = {symbol: prices[symbol] for symbol in symbols}
            step = exchange.step(last_ns // _NS_PER_MS, REGIMES[regime].confidence_bps, told)
            take(Frame(self.name, _FEED, last_ns, words.write(step)))

    def resync(self, symbol: str) -> None:
        """Tell the whole book of this asset with the next step."""
        self._asked.add(symbol)

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return an oracle price, a trade and a book of each asset; raise `Corrupt`."""
        return words.read(frame.data, frame.feed)

    async def _steps(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[tuple[str, Mapping[str, Decimal]]]:
        for symbol in symbols:
            _known(symbol)
        path = Path(seed=self._seed, step_s=self._step_s, start=self._start)
        prices = {symbol: _on_tick(float(price), symbol) for symbol, price in self._start.items()}
        due = self._clock.monotonic()
        while True:
            yield path.regime, prices
            # A machine that slept goes on from where it was; it does not rush through the gap.
            due = max(due + self._step_s, self._clock.monotonic())
            await self._clock.sleep(due - self._clock.monotonic())
            prices = path.step()


def _move(
    model: Coin | Stable, market: float, noise: float, from_home: float, step_s: float
) -> float:
    if isinstance(model, Coin):
        return model.beta * market + model.own_volatility * noise
    pull = -math.expm1(-math.log(2) * step_s / model.half_life_s)
    return pull * from_home + model.volatility * noise


def _on_tick(price: float, symbol: str) -> Decimal:
    tick = MODELS[symbol].tick
    return max(tick, Decimal(price).quantize(tick))


def _known(symbol: str) -> None:
    if symbol not in MODELS:
        known = ", ".join(MODELS)
        raise Refused(f"no simulation of {symbol}; there is one of {known}", code="symbol.unknown")
