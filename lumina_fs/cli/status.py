"""`lumina status`: what a catalog holds."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from lumina_fs.cli.display import print_json, print_table, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    interruptible,
    open_catalog,
    ready_index,
)
from lumina_fs.errors import ExitCode, NeedsIndex
from lumina_fs.wording import plural, size


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "status", "lumina status --catalog ~/Photos")
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        sources = [{"name": s.name, "path": s.path, "originals": s.last_originals} for s in catalog.sources()]
        summary, why = None, ""
        try:
            with ready_index(catalog, cancel, quiet=args.json) as index:
                summary = index.summary()
        except NeedsIndex as error:
            why = str(error)
        if args.json:
            print_json(
                {"id": catalog.id, "name": catalog.name, "path": catalog.path, "sources": sources,
                 "index": asdict(summary) if summary else None, "why": why or None}
            )  # fmt: skip
            return ExitCode.DONE if summary else ExitCode.INDEX_UNAVAILABLE
        say(f"{catalog.name}  {catalog.path}")
        counts = summary.sources if summary else {}
        rows = [(s["name"], f"{counts.get(str(s['name']), s['originals'] or 0):,}", s["path"]) for s in sources]
        print_table(("SOURCE", "ORIGINALS", "PATH"), [tuple(map(str, row)) for row in rows])
    if summary is None:
        say(why, to_stderr=True)
        return ExitCode.INDEX_UNAVAILABLE
    kinds = ", ".join(f"{count:,} {media}" for media, count in summary.media.items())
    say(f"{plural(summary.originals, 'original')}{f' ({kinds})' if kinds else ''}, {size(summary.size)}")
    if summary.first:
        say(f"taken {summary.first[:10]} to {(summary.last or '')[:10]}")
    if summary.duplicates:
        twins = plural(summary.duplicates, "exact duplicate")
        groups = plural(summary.duplicate_groups, "group")
        say(f"{twins} in {groups}, {size(summary.wasted)}: lumina search is:duplicate")
    if summary.missing:
        say(f"{plural(summary.missing, 'original')} missing: lumina search is:missing")
    for code, count in summary.problems.items():
        say(f"{count:,} {code.replace('_', ' ')}")
    return ExitCode.DONE
