"""Who may talk to `lumina serve`: nobody but the person who started it, and no web page of somebody else."""

from __future__ import annotations

import hmac
import os
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from tui.serving.neighbours import is_loopback, owner

#: Everything comes from this server, no other page may frame it, and nothing of it is kept.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """With a token: whoever knows it. Without: processes of this user on this machine, as the kernel tells.

    In both cases a page of another origin is refused, and without a token every name but this machine's own: a page
    elsewhere could make its name point here (DNS rebinding).
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    @property
    def middleware(self) -> Middleware:
        """What aiohttp asks before every request, those for websockets too."""

        @web.middleware
        async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.require(request)
            if self._token is not None and "token" in request.query:
                return self._welcome(request)
            return await handler(request)

        return ask

    def require(self, request: web.Request) -> None:
        """Raises 403 for who must not ask at all, 401 where only the token is missing."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and (urlsplit(origin).netloc or origin).lower() != request.host.lower():
            raise _refused("a page of another origin may not talk to Lumina")
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and _is_upgrade(request):
            raise _refused("a page of another origin may not talk to Lumina")
        if self._token is None:
            self._require_neighbour(request)
        elif not self._knows(request):
            raise web.HTTPUnauthorized(text="open the address that lumina serve printed: it has the token in it\n")

    def _require_neighbour(self, request: web.Request) -> None:
        if not is_loopback(_name(request.host)):
            raise _refused("this name is none of this machine: use localhost")
        transport = request.transport
        peer, ours = (transport.get_extra_info(end) if transport else None for end in ("peername", "sockname"))
        if not peer or not ours or owner(peer[:2], ours[:2]) not in (os.getuid(), 0):
            raise _refused("only the user who started lumina serve may open it")

    def _knows(self, request: web.Request) -> bool:
        assert self._token is not None
        given = [request.query.get("token"), request.cookies.get(_cookie(request))]
        scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() == "bearer":
            given.append(bearer.strip())
        wanted = self._token.encode()
        # every one is compared in full, so that the time says nothing
        known = [hmac.compare_digest((one or "").encode("utf-8", "replace"), wanted) for one in given]
        return any(known)

    def _welcome(self, request: web.Request) -> web.StreamResponse:
        """The token moves from the address, which stays in histories, into a cookie that no script can read."""
        assert self._token is not None
        answer = web.Response(status=303, headers={hdrs.LOCATION: request.path, **HEADERS})
        answer.set_cookie(
            _cookie(request), self._token, httponly=True, samesite="Lax", path="/", secure=request.secure
        )  # fmt: skip
        return answer


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: what browsers shall know of every answer."""
    del request
    response.headers.update(HEADERS)


def _refused(why: str) -> web.HTTPForbidden:
    return web.HTTPForbidden(text=f"{why}\n")


def _is_upgrade(request: web.Request) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _name(host: str) -> str:
    """The host without its port."""
    return urlsplit(f"//{host}").hostname or ""


def _cookie(request: web.Request) -> str:
    """Cookies do not tell ports apart, so the name does."""
    return f"lumina_{urlsplit(f'//{request.host}').port or 0}"
