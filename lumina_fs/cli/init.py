"""`lumina init`: make a directory a catalog without scanning it."""

from __future__ import annotations

import argparse
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, say
from lumina_fs.cli.session import add_command, add_json_option
from lumina_fs.errors import ExitCode
from lumina_fs.other_catalogs import told_before_scan


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "init", "lumina init ~/Photos --name family")
    parser.add_argument("directory", nargs="?", default=".", help="the directory (default: here)")
    parser.add_argument("--name", help="what to call it (default: the directory's name)")
    parser.add_argument("--managed", action="store_true", help="let approved plans move what lies in it")
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    with Catalog.create(args.directory, name=args.name, managed=args.managed) as catalog:
        catalog.ensure_schemas()
        for source in catalog.sources():
            for note in told_before_scan(catalog, source):
                say(note, to_stderr=True)
        if args.json:
            print_json({"id": catalog.id, "name": catalog.name, "path": catalog.path})
        else:
            say(f"{catalog.path} is the catalog {catalog.name}. Next: lumina scan {catalog.path}")
    return ExitCode.DONE
