"""`lumina serve`: the terminal UI in a browser, on this machine only unless told otherwise."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import stat
import sys
from typing import Any

from lumina_fs.cli.session import add_catalog_option, add_command, open_catalog
from lumina_fs.errors import CatalogNotFound, ExitCode, Refused, UsageError
from tui.serving.neighbours import can_tell, is_loopback

TOKEN = "LUMINA_SERVE_TOKEN"
_LEAST = 16


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "serve", "lumina serve --catalog ~/Photos --port 8011",
        "The terminal UI in a browser. It listens on this machine alone and answers its own user only; "
        "another address needs --allow-remote, and then everybody needs a token.",
    )  # fmt: skip
    parser.add_argument("--port", type=_port, default=8010, help="where to listen (8010); 0: any that is free")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--allow-remote", action="store_true", help="let --host be an address that others can reach")
    parser.add_argument(
        "--token-file", metavar="FILE",
        help=f"ask for the token in FILE, which only you may read (or in {TOKEN}); made up where others can connect",
    )  # fmt: skip
    add_catalog_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    if not is_loopback(args.host) and not args.allow_remote:
        raise Refused(
            f"{args.host} can be reached by others, who could then change your photos. Use an SSH tunnel to "
            "127.0.0.1, or say --allow-remote"
        )
    given = _given_token(args.token_file)
    needed = not is_loopback(args.host) or not can_tell()
    token = given or (secrets.token_urlsafe(24) if needed else None)
    try:
        from tui.serving.server import AppServer
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(("textual_serve", "aiohttp", "jinja2")):
            raise
        raise UsageError("lumina serve needs the extra `web`: pip install 'lumina-fs[web]'") from None
    os.environ.pop(TOKEN, None)  # the apps need not know it
    server = AppServer(shlex.join(_command(args.catalog)), args.host, args.port, token)
    server.run(lambda port: _say(args.host, port, token, given is not None))
    return ExitCode.DONE


def _command(where: str | None) -> list[str]:
    """What every page starts."""
    words = [sys.executable, "-P", "-m", "tui", "ui", "--pictures", "blocks"]
    try:
        with open_catalog(where) as catalog:
            return [*words, "--catalog", catalog.path]
    except CatalogNotFound:
        if where is not None:
            raise
        return words


def _say(host: str, port: int, token: str | None, given: bool) -> None:
    shown = f"[{host}]" if ":" in host else host
    ending = "" if token is None else "?token=..." if given else f"?token={token}"
    print(f"http://{shown}:{port}/{ending}", flush=True)
    if not is_loopback(host):
        sys.stderr.write("what is sent is not encrypted: put a proxy with TLS in front, or use an SSH tunnel\n")
    sys.stderr.write("Ctrl-C ends it\n")


def _given_token(file: str | None) -> str | None:
    token = os.environ.get(TOKEN)
    if file is not None:
        with open(file, encoding="ascii", errors="replace") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                raise Refused("others may read this file: chmod 600 makes it yours alone", path=file)
            token = opened.read(4096).strip()
    if token is None:
        return None
    if len(token) < _LEAST or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"a token has at least {_LEAST} characters, letters and digits; `openssl rand -hex 24` makes one"
        )
    return token


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("ports are numbers up to 65535")
    return port
