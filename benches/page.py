"""What the page costs and how fresh it is, in Chromium, with a real desk behind it.

    python -m benches.page [--soak MINUTES]

Promises: at most 130 kB of first JavaScript (gzip, without the chart), first paint within 1 s; with
30 markets that move 100 times a second and the chart open at most 35 % of the main thread, p95
frame 20 ms, p95 age of a price on the screen 250 ms; an order's stage on the screen within 150 ms
of its commit; no growing heap (`--soak 20`).
"""

import gzip
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from tests.ports import reserved_port

from benches.children import await_ready, child, end_on_terminate
from benches.desk import home, started
from benches.figures import markdown, table
from benches.page_feed import TURN_MS

BUILT: Final = Path(__file__).parents[1] / "src/quantdesk/web_dist/assets"
_WATCHED_S: Final = 20
_PAINTS: Final = 5
_ORDERS: Final = 10
_TRADE: Final = "/trade/SOL-USDC"
_BUSY: Final = "/trade/M00-USDC"
_SAMPLE_MS: Final = 50
_WATCH = f"""
() => {{
  window.qd = {{frames: [], ages: [], long: 0}};
  let last = performance.now();
  const frame = (now) => {{
    qd.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  }};
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {{
    for (const task of list.getEntries()) qd.long = Math.max(qd.long, task.duration);
  }}).observe({{type: "longtask"}});
  setInterval(() => {{
    const shown = document.querySelector(".trade-market-price")?.title;
    if (shown) qd.ages.push((Date.now() - Number(shown) * 100 + 2 * {TURN_MS}) % {TURN_MS});
  }}, {_SAMPLE_MS});
}}
"""
_STAGES = """
() => {
  window.qdStages = [];
  const seen = new Set();
  const look = () => {
    for (const row of document.querySelectorAll("tbody tr")) {
      const chip = row.querySelector(".ui-chip");
      const link = row.querySelector("a[href^='/orders/']");
      if (!chip || !link) continue;
      const what = `${link.getAttribute("href").slice(8)} ${chip.textContent.trim()}`;
      if (!seen.has(what)) { seen.add(what); qdStages.push([what, Date.now()]); }
    }
  };
  look();
  new MutationObserver(look).observe(document.body,
    {subtree: true, childList: true, characterData: true});
}
"""


def first_kb() -> float:
    """Return how much JavaScript comes before the first page, in kB as it is sent."""
    [entry] = BUILT.glob("index-*.js")
    return len(gzip.compress(entry.read_bytes(), 9)) / 1000


def opened(browser: Browser, url: str, key: str) -> BrowserContext:
    """Return a browser session in which the owner is signed in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    told = {"key": key, "cookie": True}
    answer = context.request.post(f"{url}/api/auth/key", data=told, headers={"Origin": url})
    assert answer.ok, answer.text()
    return context


def first_paint_ms(context: BrowserContext, url: str) -> float:
    """Return when the page first shows something, nothing cached."""
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(url + _TRADE)
    page.wait_for_selector(".trade-ticket")
    painted: float = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    page.close()
    return painted


def watched(page: Page, cdp: CDPSession) -> dict[str, float]:
    """Return what a busy market costs the page for a while."""
    page.wait_for_selector(".trade-market-price")
    page.wait_for_timeout(3_000)
    page.evaluate(_WATCH)
    before = _task_s(cdp)
    page.wait_for_timeout(_WATCHED_S * 1_000)
    busy = (_task_s(cdp) - before) / _WATCHED_S * 100
    told: dict[str, Any] = page.evaluate("window.qd")
    return {
        "busy": busy,
        "frame": statistics.quantiles(told["frames"], n=20)[18],
        "age": statistics.quantiles(told["ages"], n=20)[18],
        "long": told["long"],
    }


def _task_s(cdp: CDPSession) -> float:
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def heap_mb(cdp: CDPSession) -> float:
    """Return what is alive in the page's heap."""
    cdp.send("HeapProfiler.collectGarbage")
    return float(cdp.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def stage_lags_ms(page: Page, context: BrowserContext, url: str) -> list[float]:
    """Return, for each stage that was painted, how long after its commit that was."""
    page.goto(url + _TRADE)
    page.get_by_role("tab", name="Orders", exact=True).click()
    page.evaluate(_STAGES)
    csrf = next(one["value"] for one in context.cookies() if one["name"] == "qd_csrf")
    committed: dict[str, float] = {}
    for _ in range(_ORDERS):
        placed = context.request.post(
            f"{url}/api/orders",
            data={"pair": "SOL-USDC", "amount": 0.5, "direction": "BUY"},
            headers={"Origin": url, "X-CSRF-Token": csrf},
        ).json()
        name = placed["orderId"]
        page.wait_for_function(
            "name => qdStages.some(([what]) => what === `${name} CONFIRMED`)", arg=name
        )
        order = context.request.get(f"{url}/api/orders/{name}").json()
        for log in order["logs"]:
            at = datetime.fromisoformat(log["timestamp"]).timestamp() * 1_000
            committed[f"{name} {log['status']}"] = at
    painted: list[tuple[str, float]] = page.evaluate("qdStages")
    lags = [(what.split()[1], at - committed[what]) for what, at in painted if what in committed]
    for stage in dict.fromkeys(stage for stage, _ in lags):
        took = [lag for other, lag in lags if other == stage]
        print(
            f"{stage}: {len(took)} painted, p50 {statistics.median(took):.0f} ms, {max(took):.0f}"
        )
    return [lag for _, lag in lags]


@contextmanager
def busy_market(desk: str) -> Iterator[str]:
    """Serve the desk's page with a market that never rests; yields where."""
    port = reserved_port()
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool | None:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
        except OSError:
            return None
        return True

    with tempfile.TemporaryDirectory(prefix="qd-bench-") as folder:
        log = Path(folder) / "feed.log"
        with child([sys.executable, "-m", "benches.page_feed", desk, str(port)], log=log) as feed:
            await_ready(feed, answers, log=log, seconds=20)
            yield url


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when a promise is missed."""
    end_on_terminate()
    soak = float(arguments[1]) if arguments[:1] == ["--soak"] else 0.0
    chromium = shutil.which("chromium")
    assert chromium, "no chromium: apt-get install chromium"
    with (
        home() as place,
        started(place, "localnet") as state,
        busy_market(state.urls.api) as market,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        key = (place / "owner.key").read_text().strip()
        lines = _soaked(browser, market, key, soak) if soak else []
        lines += [] if soak else _measured(browser, state.urls.api, market, key)
        browser.close()
    heads = ("the page", "measured", "promise", "")
    print(table(heads, lines))
    print("\n" + markdown(heads, lines))
    return 0 if all(line[3] == "met" for line in lines) else 1


def _measured(browser: Browser, desk: str, market: str, key: str) -> list[tuple[str, ...]]:
    context = opened(browser, desk, key)
    paints = [first_paint_ms(context, desk) for _ in range(_PAINTS)]
    lags = stage_lags_ms(context.new_page(), context, desk)
    context.close()
    context = opened(browser, market, key)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable")
    page.goto(market + _BUSY)
    cost = watched(page, cdp)
    return [
        _line("first JavaScript, kB gzip", first_kb(), 130),
        _line("first contentful paint p50, ms", statistics.median(paints), 1_000),
        _line("30 markets at 100/s and the chart: main thread, %", cost["busy"], 35),
        _line("frame p95, ms", cost["frame"], 20),
        _line("longest task, ms", cost["long"], 100),
        _line("age of a price on the screen p95, ms", cost["age"], 250),
        _line("stage on the screen after its commit p95, ms", _p95(lags), 150),
    ]


def _soaked(browser: Browser, market: str, key: str, minutes: float) -> list[tuple[str, ...]]:
    context = opened(browser, market, key)
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Performance.enable")
    page.goto(market + _BUSY)
    page.wait_for_selector(".trade-market-price")
    page.wait_for_timeout(60_000)  # what a page keeps for good is there by then
    first = heap_mb(cdp)
    until = time.monotonic() + minutes * 60
    while time.monotonic() < until:
        page.wait_for_timeout(60_000)
        print(f"heap {heap_mb(cdp):.1f} MB, {(until - time.monotonic()) / 60:.0f} min left")
    last = heap_mb(cdp)
    return [_line(f"heap after {minutes:.0f} min over that after one", last / first, 1.1)]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def _line(name: str, measured: float, at_most: float) -> tuple[str, ...]:
    met = "met" if measured <= at_most else "missed"
    return name, f"{measured:,.1f}", f"<= {at_most:,}", met


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
