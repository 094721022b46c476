"""`lumina scan`: bring sidecars and index up to what lies in the sources."""

from __future__ import annotations

import argparse
import os
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    add_wait_option,
    finish,
    interruptible,
    open_catalog,
)
from lumina_fs.errors import CatalogNotFound, ExitCode, UsageError
from lumina_fs.wording import duration, plural


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "scan",
        "lumina scan ~/Photos\nlumina scan --rehash          read everything again and find damaged files",
        "Look at every source of a catalog, write a sidecar beside each new or changed photo, and bring the index up "
        "to date. Outside any catalog, DIR becomes one. Photos are read and never changed. A second scan of unchanged "
        "folders opens no photo and writes nothing.",
    )
    parser.add_argument(
        "directory", nargs="?", default=".", help="a catalog, or a folder to make one of (default: here)"
    )
    parser.add_argument("--source", action="append", default=[], metavar="NAME", help="only this source (repeatable)")
    parser.add_argument("--rehash", action="store_true", help="read every photo again and compare it with its sidecar")
    parser.add_argument(
        "--accept-missing", action="store_true", help="most of a source is really gone or replaced: take it so"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_wait_option(parser)
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.jobs.kinds import scan_work
    from lumina_fs.jobs.running import run as run_job
    from lumina_fs.scan import scan

    reporter = Reporter(quiet=args.quiet)
    with _catalog(args) as catalog, interruptible() as cancel:
        events = scan(
            catalog, cancel=cancel, sources=args.source, rehash=args.rehash, accept_missing=args.accept_missing
        )
        work = scan_work(sources=args.source, rehash=args.rehash, accept_missing=args.accept_missing)
        result = finish(run_job(catalog, work, events, cancel=cancel, wait=not args.no_wait), reporter)
        sourceless = not catalog.sources()
    if result is None:
        return ExitCode.INTERRUPTED
    if args.json:
        print_json(result.as_dict())
    else:
        say(f"{plural(result.found, 'original')} in {duration(result.seconds)}: " + _changes(result.as_dict()))
        if sourceless:
            say("the catalog has no source; photos and sidecars are untouched: lumina source add DIR", to_stderr=True)
        if result.exact_duplicates:
            say(f"{plural(result.exact_duplicates, 'exact duplicate')}: lumina search is:duplicate")
        if result.problems:
            say(f"{plural(result.problems, 'problem')}: lumina search has:problems, and lumina check for details")
        if result.index != "current":
            say("the index is behind; nothing is lost, the next command that reaches it catches up")
    if result.cancelled:
        return ExitCode.INTERRUPTED
    if result.offline:
        return ExitCode.OFFLINE
    return ExitCode.PROBLEMS if result.problems else ExitCode.DONE


def _catalog(args: argparse.Namespace) -> Catalog:
    """The catalog that is named, or at or above a directory, else the directory made one."""
    if args.catalog is not None:
        return open_catalog(args.catalog)
    directory: str = args.directory
    if not os.path.isdir(directory):
        raise UsageError("there is no such directory", path=directory)
    try:
        return open_catalog(directory)
    except CatalogNotFound:
        catalog = Catalog.create(directory)
        say(f"{catalog.path} is now the catalog {catalog.name}", to_stderr=True)
        return catalog


def _changes(result: dict[str, Any]) -> str:
    told = {"failed": "whose sidecar could not be read or written", "left": "not looked at"}
    names = ("added", "updated", "moved", "unchanged", "failed", "left", "missing")
    parts = [f"{result[name]:,} {told.get(name, name)}" for name in names if result[name]]
    return ", ".join(parts) or "nothing to do"
