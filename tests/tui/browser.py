"""A headless Chromium, driven by its own DevTools protocol; what a page's terminal shows is read off its websocket."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pyte
import pytest

PATIENCE = 60.0
_KEYS = {"Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "ArrowDown": ("ArrowDown", 40, "")}


def chromium() -> str:
    """The program; skips where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip("no Chromium on this machine: .ci/prepare dev installs it from the system's packages")


class Page:
    """The one page of a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        #: Addresses that the page asked for.
        self.requests: list[str] = []
        #: What the page complained of in its console.
        self.complaints: list[str] = []
        self._screen = pyte.Screen(80, 24)
        self._terminal = pyte.ByteStream(self._screen)

    async def listen(self) -> None:
        """Take in what the browser tells, until cancelled."""
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                self._take(told["method"], told["params"])

    def _take(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif method == "Network.webSocketFrameReceived" and params["response"]["opcode"] == 2:
            self._terminal.feed(base64.b64decode(params["response"]["payloadData"]))
        elif method == "Network.webSocketFrameSent" and '"resize"' in params["response"]["payloadData"]:
            size = json.loads(params["response"]["payloadData"])[1]
            self._screen.resize(size["height"], size["width"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Have the browser do something; what it answers."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        told = await asyncio.wait_for(answer, PATIENCE)
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    async def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = await self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return told["result"].get("value")

    async def press(self, key: str) -> None:
        """A key, as a person would: a character, or one of `_KEYS`."""
        name, code, text = _KEYS[key] if key in _KEYS else (key, ord(key.upper()), key)
        down = {"key": name, "windowsVirtualKeyCode": code, **({"text": text} if text else {})}
        await self.command("Input.dispatchKeyEvent", type="keyDown", **down)
        await self.command("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    @property
    def shown(self) -> str:
        """The text in the terminal of the page."""
        return "\n".join(self._screen.display)

    async def until(self, text: str) -> None:
        """Wait until the terminal shows a text."""
        for _ in range(int(PATIENCE / 0.1)):
            if text in self.shown:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{text!r} is not shown:\n{self.shown}\n{self.complaints}")

    async def picture(self) -> bytes:
        """A PNG of the page."""
        told = await self.command("Page.captureScreenshot", format="png")
        return base64.b64decode(told["data"])


@asynccontextmanager
async def browsing(*, size: tuple[int, int] = (1200, 700)) -> AsyncIterator[Page]:
    """A browser with one empty page, ended at the end."""
    program = chromium()
    with tempfile.TemporaryDirectory(prefix="lumina-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            f"--window-size={size[0]},{size[1]}", f"--user-data-dir={profile}", "--remote-debugging-port=0",
            "about:blank", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [one for one in await answer.json() if one["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    listening = asyncio.create_task(page.listen())
                    for domain in ("Network", "Runtime", "Page", "Log"):
                        await page.command(f"{domain}.enable")
                    yield page
                    listening.cancel()
        finally:
            process.terminate()
            await process.wait()


async def _port(file: Path) -> int:
    for _ in range(int(PATIENCE / 0.1)):
        if file.exists() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise AssertionError("Chromium does not start")
