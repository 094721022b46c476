"""`lumina ui`: the terminal UI, in the catalog you stand in, or on the list of catalogs."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.session import add_catalog_option, add_command, open_catalog
from lumina_fs.errors import CatalogNotFound, ExitCode, UsageError

PICTURES = ("auto", "kitty", "sixel", "blocks", "none")


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "ui", "lumina ui --catalog ~/Photos", "The terminal UI: scan, browse, review, decide and approve."
    )
    parser.add_argument(
        "--pictures",
        choices=PICTURES,
        default="auto",
        help="how pictures are drawn: by what the terminal can (auto), in a given way, or as text (none)",
    )
    add_catalog_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    served = "TEXTUAL_DRIVER" in os.environ  # by `lumina serve`, whose pipes stand for a terminal
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the terminal UI needs a terminal; `lumina --help` lists the commands that do not")
    from tui.widgets.drawing import choose

    choose(args.pictures)  # asks the terminal, which is not possible any more once the app runs
    from tui.app import LuminaApp

    code = LuminaApp(_catalog(args.catalog)).run()
    return ExitCode(code or 0)


def _catalog(where: str | None) -> Catalog | None:
    try:
        return open_catalog(where)
    except CatalogNotFound:
        if where is not None:
            raise
        return None
