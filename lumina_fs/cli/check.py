"""`lumina check`: every document of a catalog, checked; needs no index."""

from __future__ import annotations

import argparse
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    catalog_directory,
    interruptible,
    open_catalog,
)
from lumina_fs.errors import ExitCode
from lumina_fs.progress import Finished, Trouble
from lumina_fs.wording import plural
from schemas.sidecar import NOTES


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "check",
        "lumina check\nlumina check --json | head",
        "Read every sidecar and document of the catalog and say what is wrong with them, with line and column, and "
        "what they say is wrong with their originals. Changes nothing.",
    )
    parser.add_argument("--documents-only", action="store_true", help="not what sidecars say of their originals")
    parser.add_argument("--sweep", action="store_true", help="remove temporary files that killed processes left")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.check import check, sweep

    if args.sweep:
        with open_catalog(args.catalog) as catalog:
            swept = sweep(catalog)
        print_json({"swept": swept}) if args.json else say(f"{plural(swept, 'temporary file')} removed")
        return ExitCode.DONE
    reporter = Reporter(quiet=args.quiet)
    corrupt = problems = checked = 0
    with Catalog.open_to_check(catalog_directory(args.catalog)) as catalog, interruptible() as cancel:
        for event in check(catalog, cancel=cancel, originals=not args.documents_only):
            if isinstance(event, Finished):
                checked = event.result
            elif isinstance(event, Trouble):
                broken = event.code.startswith(("corrupt", "unreadable_"))
                corrupt += broken
                problems += not broken and event.code not in NOTES
                reporter.clear()
                if args.json:
                    fields = {name: getattr(event, name) for name in event.__slots__}
                    print_json({name: value for name, value in fields.items() if value is not None})
                else:
                    place = f":{event.line}:{event.column}" if event.line else ""
                    say(f"{event.path}{place}: {event.code}: {event.message}")
            else:
                reporter.show(event)
        reporter.clear()
    if not args.json:
        say(
            f"{plural(checked, 'document')} read: {corrupt:,} cannot be used; "
            f"{plural(problems, 'problem')} with originals"
        )
    if cancel.is_set():
        return ExitCode.INTERRUPTED
    return ExitCode.CORRUPT if corrupt else ExitCode.PROBLEMS if problems else ExitCode.DONE
