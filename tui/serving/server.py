"""The server: textual-serve with a guard, a page of our own, and nothing loaded from anywhere else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from tui.serving.guard import Guard, add_headers

_TEMPLATES = Path(__file__).parent / "templates"
#: Seconds that apps have to end in when the server does.
_FAREWELL = 5.0


class AppServer(Server):
    """Every page that is opened gets an app in a process of its own, started by `command` through the shell."""

    def __init__(self, command: str, host: str, port: int, token: str | None) -> None:
        super().__init__(command, host, port, title="Lumina", public_url="", templates_path=_TEMPLATES)
        self._guard = Guard(token)
        self._websockets: set[asyncio.Task[object]] = set()

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard.middleware)
        app.on_response_prepare.append(add_headers)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: the command does."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Apps of open pages end."""
        for task in self._websockets:
            task.cancel()
        if self._websockets:
            await asyncio.wait(self._websockets, timeout=_FAREWELL)

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page, with a terminal in it."""
        font_size = request.query.get("fontsize", "")
        context = {"font_size": int(font_size) if font_size.isdecimal() and len(font_size) < 3 else 16}
        return aiohttp_jinja2.render_template("app_index.html", request, context)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """The app behind a page."""
        task = asyncio.current_task()
        assert task is not None
        self._websockets.add(task)
        try:
            return await super().handle_websocket(request)
        finally:
            self._websockets.discard(task)

    def run(self, ready: Callable[[int], None]) -> None:
        """Serve until Ctrl-C; `ready` hears the port once it is open. Raises OSError where it cannot be had."""
        asyncio.run(self._run(ready))

    async def _run(self, ready: Callable[[int], None]) -> None:
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=_FAREWELL)
        await runner.setup()
        try:
            listening = self._listening()  # closed with its site
            await web.SockSite(runner, listening).start()
            ready(listening.getsockname()[1])
            await _stopped()
        finally:
            await runner.cleanup()

    def _listening(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError as error:
            listening.close()
            raise OSError(error.errno, os.strerror(error.errno or 0), f"{self.host} port {self.port}") from None
        return listening


async def _stopped() -> None:
    """Returns at Ctrl-C or a polite kill."""
    end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    await end.wait()
