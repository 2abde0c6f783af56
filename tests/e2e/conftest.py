"""A real browser, and a real desk on its local chain with the page as it is shipped.

One desk serves all flows that leave it as it was; those that kill or stop it start their own.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from tests.e2e.tab import WIDE, Tab, Tabs
from tests.e2e.wallets import TestWallets
from tests.flow.process.running import LOCALNET, Process, desk, homes

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 60_000
"""More than anything on a page takes, however busy the machine."""
_ALONE = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the flows in a browser last: its driver keeps the main thread's event loop running."""
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give one browser for the whole run."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium, and the page is tested too")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_ALONE])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def served() -> Iterator[Process]:
    """Give a desk on its local chain, for flows that leave it running as it was."""
    with homes() as folder, desk(folder / "served", *LOCALNET) as process:
        process.start()
        yield process


@pytest.fixture
def contexts(browser: Browser) -> Iterator[ExitStack]:
    """Hold what a flow opened, and put it away in turn."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def tabs(browser: Browser, served: Process, contexts: ExitStack) -> Tabs:
    """Open tabs, each in a browser session of its own unless one is given."""

    def opened(
        *,
        context: BrowserContext | None = None,
        url: str = served.url,
        size: dict[str, int] = WIDE,
        dark: bool = True,
        wallets: TestWallets | None = None,
    ) -> Tab:
        if context is None:
            context = browser.new_context(
                viewport={"width": size["width"], "height": size["height"]},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                locale="en-US",
                timezone_id="UTC",
                accept_downloads=True,
            )
            context.set_default_timeout(WAIT_MS)
            contexts.callback(context.close)
        if wallets is not None:
            wallets.install(context)
        tab = Tab(context, url)
        contexts.callback(tab.put_away)
        return tab

    return opened


@pytest.fixture
def owner(tabs: Tabs, served: Process) -> Tab:
    """Give a tab in which the owner is signed in, on the trade page."""
    return tabs().sign_in(served.key)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give an empty folder for the homes of a flow's own desks."""
    with homes() as empty:
        yield empty
