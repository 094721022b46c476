"""textual-serve behind a guard, with a page that loads nothing from elsewhere; each tab is a process of the app."""

from __future__ import annotations

import errno
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from lumina_fs.errors import UsageError
from tui.web.guard import Guard

_HERE = Path(__file__).parent
#: Tabs at once; each is a process of the app.
_MOST = 8
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class AppServer(Server):
    """Serves the app on one catalog, or on the list of catalogs."""

    def __init__(self, listening: socket.socket, key: str, catalog: str | None, *, remote: bool) -> None:
        words = [sys.executable, "-P", "-m", "tui", "ui", "--pictures", "blocks"]
        if catalog is not None:
            words += ["--catalog", catalog]
        super().__init__(f"exec {shlex.join(words)}", title="Lumina", templates_path=_HERE / "templates")
        self._socket = listening
        self.port = listening.getsockname()[1]
        names = {f"{name}:{self.port}" for name in ("127.0.0.1", "[::1]", "localhost")}
        self._guard = Guard(key, frozenset() if remote else frozenset(names), self.port)
        self._open = 0

    def run(self) -> None:
        """Serve until Ctrl-C."""
        web.run_app(self._make_app(), sock=self._socket, print=None, access_log=None)

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        app.middlewares.append(self._guard.middleware)
        app.router.add_static("/page/", _HERE / "page")
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed here: the command said it."""

    @aiohttp_jinja2.template("app_index.html")
    async def handle_index(self, request: web.Request) -> dict[str, Any]:
        """The page; where its socket is follows from how it was asked for."""
        scheme = "wss" if request.secure else "ws"
        size = request.query.get("fontsize", "")
        return {
            "font_size": int(size) if size.isascii() and size.isdigit() and len(size) < 3 else 16,
            "websocket": f"{scheme}://{request.host}/ws",
        }

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A tab: an app of its own."""
        if self._open >= _MOST:
            raise web.HTTPServiceUnavailable(text=f"{_MOST} tabs are open already.\n")
        self._open += 1
        try:
            response: web.WebSocketResponse = await super().handle_websocket(request)
            return response
        finally:
            self._open -= 1

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """The app delivers no files."""
        raise web.HTTPNotFound


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UsageError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        more = "; --port 0 takes any that is free" if getattr(error, "errno", None) == errno.EADDRINUSE else ""
        why = (getattr(error, "strerror", None) or str(error)).partition(" (while")[0]
        raise UsageError(f"cannot listen on {host}:{port}: {why}{more}") from None
