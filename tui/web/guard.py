"""Who may talk to the port: those who hold the key, from the page that we served, under a name that is ours.

A port on loopback is open to every user of the machine and to every web page in their browsers. So each request needs
the key (once in the address, then as a cookie that no other site makes the browser send), a request that names another
origin is refused, and on loopback also one that names another host: no name made to point here gets anything.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Nothing is loaded from anywhere else, and nobody may frame the page. xterm sets styles of its own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' {websocket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def new_key() -> str:
    """A key that nobody guesses."""
    return secrets.token_urlsafe(24)


class Guard:
    """The rules for one server. `names`: the hosts, with port, that a request may name; empty for any."""

    def __init__(self, key: str, names: frozenset[str], port: int) -> None:
        self._key = key
        self._names = names
        self._cookie = f"lumina-{port}"
        self._ticket = secrets.token_urlsafe(24)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through, or say no."""
        self._require_name(request)
        self._require_origin(request)
        given = request.query.get("key")
        if given is not None:
            return self._let_in(given)
        if not hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._ticket.encode()):
            raise web.HTTPUnauthorized(text="Open the address that `lumina serve` printed; it holds the key.\n")
        response = await handler(request)
        if not response.prepared:
            self._protect(response, request.host)
        return response

    def _require_name(self, request: web.Request) -> None:
        if self._names and request.host.lower() not in self._names:
            raise web.HTTPForbidden(text="This is not the name of this server.\n")

    @staticmethod
    def _require_origin(request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
            raise web.HTTPForbidden(text="Another page may not talk to this server.\n")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise web.HTTPForbidden(text="Another page may not talk to this server.\n")

    def _let_in(self, given: str) -> web.Response:
        """The key gives a cookie, and leaves the address."""
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise web.HTTPForbidden(text="That is not the key.\n")
        response = web.Response(status=303, headers={"Location": "/", "Cache-Control": "no-store"})
        response.set_cookie(self._cookie, self._ticket, httponly=True, samesite="Strict", path="/")
        return response

    @staticmethod
    def _protect(response: web.StreamResponse, host: str) -> None:
        response.headers["Content-Security-Policy"] = _POLICY.format(websocket=f"ws://{host} wss://{host}")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
