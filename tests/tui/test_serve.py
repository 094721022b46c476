"""`lumina serve`: nothing without the key, from another page or under another name; and the app in a real Chromium."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Library

aiohttp = pytest.importorskip("aiohttp", reason="the extra `web` is not installed")

REPOSITORY = Path(__file__).resolve().parents[2]
KEY = "a-key-for-these-tests-only"
#: Seconds that a server, a browser or the app in it may take.
PATIENCE = 60.0


@pytest.fixture
def served(library: Library) -> Iterator[str]:
    """The address that `lumina serve` prints, with its key."""
    library.photo("2019/O'Hara; touch x.jpg", 1, DateTimeOriginal="2019:07:14 12:00:00")
    library.scan()
    yield from serving("--catalog", str(library.root))


def serving(*words: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "serve", "--port", "0", *words],
        stdout=subprocess.PIPE, cwd=REPOSITORY, env={**os.environ, "LUMINA_SERVE_KEY": KEY}, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.communicate()


async def status(address: str, **headers: str) -> int:
    """What a request without a cookie is answered."""
    async with aiohttp.ClientSession() as client, client.get(address, headers=headers, allow_redirects=False) as answer:
        return int(answer.status)


async def test_without_the_key_nothing_is_served(served: str) -> None:
    base = served.partition("?")[0]
    for path in ("", "ws", "static/js/textual.js", "page/page.css", "download/x"):
        assert await status(base + path) == 401
    assert await status(f"{base}?key=wrong") == 403
    assert await status(f"{base}?key=") == 403


async def test_the_key_becomes_a_cookie_and_leaves_the_address(served: str) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.get(served, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert KEY not in cookie
        async with client.get(served.partition("?")[0]) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "http" not in (await answer.text()).replace("http-equiv", "")


async def test_another_name_or_another_page_gets_nothing_even_with_the_key(served: str) -> None:
    assert await status(served, Host="photos.example:80") == 403
    assert await status(served, Origin="http://photos.example") == 403
    assert await status(served, **{"Sec-Fetch-Site": "cross-site"}) == 403
    base = served.partition("?")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.get(served) as answer:
            assert answer.status == 200
        for headers in ({"Origin": "http://photos.example"}, {"Host": "photos.example"}):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await client.ws_connect(f"{base}ws", headers=headers)
        async with client.ws_connect(f"{base}ws", origin=base.rstrip("/")) as socket:
            message = await socket.receive(timeout=PATIENCE)
            assert message.type == aiohttp.WSMsgType.BINARY


def test_other_machines_need_a_flag_and_a_short_key_is_refused() -> None:
    def said(*words: str, key: str = KEY) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "serve", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False,
            env={**os.environ, "LUMINA_SERVE_KEY": key},
        )  # fmt: skip
        return done.returncode, done.stderr

    code, complaint = said("--host", "0.0.0.0")
    assert code == 4
    assert "--allow-remote" in complaint
    code, complaint = said(key="short")
    assert code == 2
    assert "LUMINA_SERVE_KEY" in complaint


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--host", "0.0.0.0", "--allow-remote"], "on other machines with the name of this one in place of 0.0.0.0;"),
        (["--allow-remote"], "of this machine (others are let in by --host ADDRESS);"),
        ([], "in a browser; Ctrl-C"),
    ],
)
def test_it_is_said_which_browser_may_open_the_address(words: list[str], told: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "serve", "--port", "0", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=REPOSITORY, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert told in process.stderr.readline()
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "tui", "serve", "--port", str(port)],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"127.0.0.1:{port}: Address already in use; --port 0" in done.stderr


class Browser:
    """A page of a headless Chromium, through its own protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []
        #: What the terminal in the page was told, without control sequences.
        self.told = ""

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Have something done; what comes of it."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=PATIENCE)
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if message.get("method") == "Network.webSocketCreated":
                self.requests.append(message["params"]["url"])
            if message.get("method") == "Network.webSocketFrameReceived":
                self._hear(message["params"]["response"])
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def _hear(self, frame: dict[str, Any]) -> None:
        data = base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else frame["payloadData"].encode()
        self.told += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode("utf-8", "replace"))

    async def press(self, key: str) -> None:
        """Type a character."""
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def hears(self, text: str) -> None:
        """Wait until the terminal in the page was told a text."""

        async def heard() -> bool:
            await self.value("1")
            return text in self.told

        await self.until(heard)

    async def value(self, script: str) -> Any:
        """What a script says."""
        return (await self.call("Runtime.evaluate", expression=script, returnByValue=True))["result"].get("value")

    async def until(self, what: Callable[[], Any]) -> Any:
        """Wait until `await what()` says something."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = await what()
            if found:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError("it did not come to pass")

    async def colours(self) -> int:
        """How many colours the page shows."""
        from PIL import Image

        shot = await self.call("Page.captureScreenshot", format="png")
        with Image.open(io.BytesIO(base64.b64decode(shot["data"]))) as image:
            return len(image.convert("RGB").getcolors(1 << 24) or ())


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[str]:
    """The address of a headless Chromium's protocol."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    home = tmp_path / "chromium"
    process = subprocess.Popen(
        [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
         "--remote-allow-origins=*", f"--user-data-dir={home}", "--window-size=1200,800", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        end = time.monotonic() + PATIENCE
        while not (home / "DevToolsActivePort").exists():
            assert time.monotonic() < end, "Chromium does not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{(home / 'DevToolsActivePort').read_text().splitlines()[0]}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def test_the_app_runs_in_a_real_browser_and_loads_nothing_from_elsewhere(served: str, chromium: str) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{chromium}/json/list") as answer:
            page = next(one for one in await answer.json() if one["type"] == "page")
        async with client.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            browser = Browser(socket)
            await browser.call("Network.enable")
            await browser.call("Page.enable")
            await browser.call("Page.navigate", url=served)
            await browser.until(lambda: browser.value("document.body.classList.contains('-first-byte')"))
            await browser.hears("[2 Photos]")
            for key, text in (("1", "Last scan"), ("?", "Escape closes")):
                browser.told = ""
                await browser.press(key)
                await browser.hears(text)
            assert await browser.colours() > 3
            hosts = {
                urlsplit(url).netloc for url in browser.requests if not url.startswith(("data:", "blob:", "about:"))
            }
            assert hosts == {urlsplit(served).netloc}
