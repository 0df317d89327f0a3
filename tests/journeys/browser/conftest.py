"""The example bots in a whole system, and Chromium in front of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.journeys.browser.visitor import Visitor
from tests.journeys.system import Running, botlane_run, clean_environment
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
EXAMPLES = ("web-view", "order-status")
PATIENCE = 60_000
CHROMIUM = Path("/usr/bin/chromium")
LOOKS: dict[str, Any] = {"viewport": {"width": 1280, "height": 820}, "locale": "en-GB"}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Demo(msgspec.Struct, frozen=True):
    """A running system with both example bots: its address, the form's address, its processes, and bot ids by name."""

    url: str
    form_url: str
    running: Running
    bots: dict[str, str]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    with demo_servers(gateway) as (form_url, api_url):
        exports = [copied(name, folder, form_url) for name in EXAMPLES]
        options = ("--port", str(port), "--rewrite-url", f"http://127.0.0.1:8082={api_url}")
        with botlane_run(folder / "data", exports, *options, BOTLANE_CREATE_RATE="100000") as running:
            bots = {path.stem: msgspec.json.decode(path.read_bytes())["bot"]["id"] for path in exports}
            yield Demo(gateway, form_url, running, bots)


@contextmanager
def demo_servers(gateway: str) -> Iterator[tuple[str, str]]:
    """Start the examples' servers as a person does; yields the addresses of form and API."""
    command = [sys.executable, "examples/servers.py", "--form-port", "0", "--api-port", "0", "--gateway", gateway]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        try:
            assert process.stdout is not None
            form_url, api_url = (process.stdout.readline().split()[-1] for _ in range(2))
            yield form_url, api_url
        finally:
            process.kill()


def copied(name: str, folder: Path, form_url: str) -> Path:
    """Copy an example; the form is served on a port of this test's own."""
    source = ROOT / "examples" / name
    manifest = (source / f"{name}.botlane.toml").read_text().replace("http://127.0.0.1:8081", form_url)
    (folder / f"{name}.botlane.toml").write_text(manifest)
    return Path(shutil.copy(source / f"{name}.json", folder / f"{name}.json"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"no browser at {CHROMIUM}: install Debian's chromium"
        if os.environ.get("CI") == "true":  # noqa: TID251 (only tests ask)
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(**LOOKS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    async with quiet_page(context) as page:
        yield page


@asynccontextmanager
async def quiet_page(context: BrowserContext) -> AsyncIterator[Page]:
    """A page that may not complain, nor ask any other machine for anything."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None)
    page.on("request", lambda request: complaints.append(request.url) if is_foreign(request.url) else None)
    yield page
    assert complaints == []


def is_foreign(address: str) -> bool:
    return not address.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "about:"))


@pytest.fixture
def visitor(page: Page, demo: Demo) -> Visitor:
    return Visitor(page, demo.url, demo.bots)
