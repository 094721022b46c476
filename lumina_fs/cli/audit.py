"""`lumina audit`: what was done to which file, when and by whom."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import Any

from lumina_fs.audit import TYPES, Line, is_date, read_audit
from lumina_fs.audit_csv import COLUMNS, cells
from lumina_fs.cli.display import print_json, print_table, say
from lumina_fs.cli.session import add_catalog_option, add_command, add_json_option, open_catalog
from lumina_fs.errors import ExitCode, UsageError


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "audit", "lumina audit --since 2026-11 --type moved\nlumina audit --about IMG_0001.JPG --csv",
        "Every operation on a file, oldest first. It is kept in .lumina/audit/, a file a month.",
    )  # fmt: skip
    parser.add_argument("--since", metavar="DATE", default="", help="from this day, month or year on (2026-11-21)")
    parser.add_argument("--until", metavar="DATE", default="", help="up to this day, month or year, included")
    parser.add_argument("--type", action="append", choices=TYPES, default=[], help="only these (repeatable)")
    parser.add_argument("--about", metavar="TEXT", default="", help="a part of a path, a digest, or the id of a plan")
    parser.add_argument("--csv", action="store_true", help="print CSV with a line of heads")
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    for date in (args.since, args.until):
        if not is_date(date):
            raise UsageError(f"{date!r} is no date; write 2026, 2026-11 or 2026-11-21")
    with open_catalog(args.catalog) as catalog:
        lines = read_audit(catalog, since=args.since, until=args.until, kinds=args.type, entity=args.about)
        if args.json:
            for line in lines:
                print_json(line)
        elif args.csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(cells(line) for line in lines)
        else:
            rows = [(str(line.get("when", "")), str(line.get("what", "")), _told(line)) for line in lines]
            if rows:
                print_table(("WHEN", "WHAT", "FILE"), rows)
            else:
                say("nothing that fits was done to any file", to_stderr=True)
    return ExitCode.DONE


def _told(line: Line) -> str:
    to = line.get("to") or {}
    goes = f" -> {to['path']}" if to.get("path") else ""
    fields = ", ".join(line.get("fields") or {})
    return f"{line.get('path', '')}{goes}" + (f" ({fields})" if fields else "")
