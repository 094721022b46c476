"""`lumina catalogs`: the catalogs that this user has used."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from lumina_fs.cli.display import print_json, print_table, say
from lumina_fs.cli.session import add_command, add_json_option
from lumina_fs.errors import ExitCode
from lumina_fs.known_catalogs import known_catalogs


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "catalogs", "lumina catalogs")
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    found = known_catalogs()
    if args.json:
        for known in found:
            print_json(asdict(known))
    elif found:
        rows = [(known.name, known.path + ("" if known.present else " (not there now)")) for known in found]
        print_table(("CATALOG", "PATH"), rows)
    else:
        say("none yet: lumina scan ~/Photos", to_stderr=True)
    return ExitCode.DONE
