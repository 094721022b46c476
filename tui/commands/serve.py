"""`lumina serve`: the terminal UI in a browser of this machine; with a flag also of others."""

from __future__ import annotations

import argparse
import os
from typing import Any

from lumina_fs.cli.display import say
from lumina_fs.cli.session import add_catalog_option, add_command, open_catalog
from lumina_fs.errors import CatalogNotFound, ExitCode, Refused, ToolMissing, UsageError

#: Names the key, where one is wanted that stays the same.
KEY = "LUMINA_SERVE_KEY"
_SHORTEST = 16
_EXAMPLE = """\
lumina serve
lumina serve --port 9000 --catalog ~/Photos
LUMINA_SERVE_KEY=$(cat ~/.lumina-key) lumina serve --host 192.168.1.5 --allow-remote"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "serve",
        _EXAMPLE,
        "The terminal UI in a browser. The address that is printed holds a key, without which nothing is served: "
        f"whoever has it can do what you can in Lumina. {KEY} names one of your own ({_SHORTEST} characters or more).",
    )
    parser.add_argument("--port", type=int, default=8642, help="the port (8642; 0: any that is free)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let other machines in: what is sent is not encrypted, so only in a network that you trust, or behind a "
        "proxy that speaks TLS",
    )
    add_catalog_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    try:
        from tui.web.guard import new_key
        from tui.web.server import LOOPBACK, AppServer, listen
    except ModuleNotFoundError as error:
        raise ToolMissing(f"{error.name} is not installed; it comes with: pip install 'lumina-fs[web]'") from None

    remote = args.host not in LOOPBACK
    if remote and not args.allow_remote:
        raise Refused(f"{args.host} is reached by other machines; say --allow-remote if that is meant")
    key = os.environ.get(KEY) or new_key()
    if len(key) < _SHORTEST or not key.isascii() or not key.isprintable():
        raise UsageError(f"{KEY} has to be {_SHORTEST} or more ASCII characters")
    catalog = _catalog(args.catalog)
    with listen(args.host, args.port) as listening:
        server = AppServer(listening, key, catalog, remote=remote)
        host = f"[{args.host}]" if ":" in args.host else args.host
        say(f"http://{host}:{server.port}/?key={_quoted(key)}")
        say(
            f"open this address in a browser{_which(args.host, remote, args.allow_remote)}; Ctrl-C ends it",
            to_stderr=True,
        )
        server.run()
    return ExitCode.DONE


def _which(host: str, remote: bool, allowed: bool) -> str:
    """Which browser that may be, where the address alone does not say it."""
    if host in ("0.0.0.0", "::"):
        return f", on other machines with the name of this one in place of {host}"
    return " of this machine (others are let in by --host ADDRESS)" if allowed and not remote else ""


def _quoted(key: str) -> str:
    from urllib.parse import quote

    return quote(key, safe="")


def _catalog(where: str | None) -> str | None:
    try:
        with open_catalog(where) as catalog:
            return catalog.path
    except CatalogNotFound:
        if where is not None:
            raise
        return None
