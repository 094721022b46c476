"""`lumina serve`: the app in a real browser, and everybody who may not have it."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from PIL import Image

from lumina_fs.errors import ExitCode
from tests.conftest import Library
from tests.tui.browser import browsing
from tui.serving.neighbours import can_tell, is_loopback, owner

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "a-token-that-only-the-test-knows"


@asynccontextmanager
async def serving(*options: str, **environment: str) -> AsyncIterator[str]:
    """`lumina serve` on a free port; the address that it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", "serve", "--port", "0", *options,
        cwd=REPOSITORY, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def refused(address: str, *options: str) -> tuple[int, str]:
    """How `lumina serve` on an address ends at once, and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", "serve", "--host", address, *options,
        cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaint = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, complaint.decode()


async def asked(url: str, *, upgrade: bool = False, **headers: str) -> int:
    """The status of an answer: to a request, or to the first one of a websocket."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as session:
        if not upgrade:
            async with session.get(url, headers=named, allow_redirects=False) as answer:
                return answer.status
        try:
            async with session.ws_connect(url, headers=named):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/a.jpg", 1, DateTimeOriginal="2019:07:14 12:00:00")
    library.scan()
    return library


async def test_the_app_is_used_in_a_browser_and_everything_comes_from_the_server(scanned: Library) -> None:
    async with browsing() as page, serving("--catalog", str(scanned.root)) as address:
        await page.command("Page.navigate", url=address)
        await page.until("1 Catalogs")
        await page.until("library")
        await page.press("1")
        await page.until("[1 Catalogs]")
        await page.press("6")
        await page.until("[6 Jobs]")
        await page.press("?")
        await page.until("Escape closes")
        await page.press("Escape")
        here = urlsplit(address).netloc
        elsewhere = [url for url in page.requests if urlsplit(url).netloc not in (here, "")]
        assert not elsewhere
        assert any(url.startswith(f"ws://{here}/ws") for url in page.requests)
        assert not page.complaints
        with Image.open(io.BytesIO(await page.picture())) as picture:
            colours = picture.convert("RGB").getcolors(1 << 24) or []
        assert len(colours) > 20, "the page is empty"
        await page.press("q")
        for _ in range(200):
            if await page.evaluate("document.body.classList.contains('-closed')"):
                break
            await asyncio.sleep(0.1)
        assert await page.evaluate("getComputedStyle(document.querySelector('.-over')).display") == "flex"


async def test_with_a_token_the_printed_address_opens_it_and_the_address_bar_forgets_the_token(
    scanned: Library, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    async with (
        browsing() as page,
        serving("--catalog", str(scanned.root), "--token-file", str(file)) as address,
    ):
        assert TOKEN not in address
        await page.command("Page.navigate", url=address.replace("...", TOKEN))
        await page.until("1 Catalogs")
        assert await page.evaluate("location.search") == ""
        assert TOKEN not in await page.evaluate("document.cookie + document.documentElement.outerHTML")
        assert not page.complaints


async def test_other_names_and_other_origins_are_refused(scanned: Library) -> None:
    async with serving("--catalog", str(scanned.root)) as address:
        here = urlsplit(address).netloc
        port = here.rpartition(":")[2]
        for path in ("", "ws", "static/js/textual.js", "download/x"):
            assert await asked(address + path, Host="photos.example.org") == 403
            assert await asked(address + path, Host=f"127.0.0.1.example.org:{port}") == 403
            for origin in ("http://example.org", f"http://localhost:{port}", "http://127.0.0.1:1", "null"):
                assert await asked(address + path, Origin=origin) == 403
        assert await asked(f"{address}ws", upgrade=True, Origin="https://example.org") == 403
        assert await asked(f"{address}ws", upgrade=True, Sec_Fetch_Site="cross-site") == 403
        assert await asked(f"{address}ws", upgrade=True, Host="example.org") == 403
        assert await asked(address) == 200
        assert await asked(address, Host=f"localhost:{port}", Origin=f"http://localhost:{port}") == 200
        assert await asked(f"{address}ws", upgrade=True, Origin=f"http://{here}") == 101


async def test_without_the_token_nothing_is_answered(scanned: Library) -> None:
    options = ("--catalog", str(scanned.root), "--host", "0.0.0.0", "--allow-remote")
    async with serving(*options, LUMINA_SERVE_TOKEN=TOKEN) as said:
        address = f"http://127.0.0.1:{urlsplit(said).port}/"
        for path in ("", "ws", "static/js/textual.js", "download/x"):
            assert await asked(address + path) == 401
            assert await asked(f"{address}{path}?token=") == 401
            assert await asked(f"{address}{path}?token={TOKEN[:-1]}") == 401
            assert await asked(address + path, Authorization="Bearer x") == 401
            assert await asked(address + path, Cookie=f"lumina_{urlsplit(said).port}=x") == 401
        assert await asked(f"{address}ws", upgrade=True) == 401
        assert await asked(f"{address}ws", upgrade=True, Authorization=f"Bearer {TOKEN}", Origin="http://a.org") == 403
        assert await asked(f"{address}ws", upgrade=True, Authorization=f"Bearer {TOKEN}") == 101
        assert await asked(f"{address}?token={TOKEN}") == 303
        assert await asked(address, Cookie=f"lumina_{urlsplit(said).port}={TOKEN}") == 200


async def test_where_others_can_connect_a_token_is_made_up(scanned: Library) -> None:
    options = ("--catalog", str(scanned.root), "--host", "0.0.0.0", "--allow-remote")
    async with serving(*options) as said:
        assert len(urlsplit(said).query.removeprefix("token=")) >= 32
        assert await asked(said.replace("0.0.0.0", "127.0.0.1")) == 303
        assert await asked(f"http://127.0.0.1:{urlsplit(said).port}/") == 401


async def test_an_address_that_others_can_reach_needs_the_flag() -> None:
    for address in ("0.0.0.0", "192.0.2.1", "photos.example.org", "::"):
        code, complaint = await refused(address)
        assert code == ExitCode.REFUSED
        assert "--allow-remote" in complaint


async def test_a_token_that_others_may_read_or_guess_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    code, complaint = await refused("127.0.0.1", "--token-file", str(file))
    assert code == ExitCode.REFUSED
    assert "chmod 600" in complaint
    file.write_text("short")
    file.chmod(0o600)
    code, complaint = await refused("127.0.0.1", "--token-file", str(file))
    assert code == ExitCode.USAGE
    assert "at least" in complaint
    assert TOKEN not in complaint


async def test_the_kernel_tells_whose_a_connection_is() -> None:
    assert can_tell()
    for host in ("127.0.0.1", "::1"):
        server = await asyncio.start_server(lambda reader, writer: None, host, 0)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(host, port)
        peer = writer.get_extra_info("sockname")
        assert owner(peer[:2], (host, port)) == os.getuid()
        assert owner((host, 1), (host, port)) is None
        writer.close()
        await writer.wait_closed()
        server.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as somebody else")
async def test_another_user_of_this_machine_is_refused(scanned: Library) -> None:
    script = (
        "import encodings.idna, os, sys, socket\n"
        "os.setuid(65534)\n"
        "there = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "there.sendall(b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')\n"
        "print(there.recv(100).split()[1].decode())\n"
    )
    async with serving("--catalog", str(scanned.root)) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(urlsplit(address).port), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
    assert out.decode().strip() == "403"


@pytest.mark.parametrize(
    ("host", "own"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False),
     ("", False), ("127.0.0.1.example.org", False), ("localhost.example.org", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_addresses_of_this_machine_alone(host: str, own: bool) -> None:
    assert is_loopback(host) is own
