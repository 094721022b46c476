"""`lumina cache`: thumbnails and other things that may be deleted at any time."""

from __future__ import annotations

import argparse
import os
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    add_wait_option,
    interruptible,
    open_catalog,
)
from lumina_fs.cli.show import locate
from lumina_fs.errors import ExitCode, UsageError
from lumina_fs.progress import Note
from lumina_fs.wording import plural, size


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "cache", "lumina cache size\nlumina cache thumbnail 2019/IMG_0001.JPG --size 1024",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in (("size", "how much there is"), ("clear", "delete it all")):
        add_json_option(one := actions.add_parser(name, help=summary))
        add_catalog_option(one)
    making = actions.add_parser("thumbnail", help="make thumbnails and print where they are")
    making.add_argument("photos", nargs="*", help="originals by their path")
    making.add_argument("--all", action="store_true", help="of every original of the catalog")
    making.add_argument("--size", type=int, choices=(150, 1024), default=150, help="longest side in pixels (150)")
    add_wait_option(making)
    add_catalog_option(making)
    add_json_option(making)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs import thumbnails
    from lumina_fs.cache_files import clear_cache

    with open_catalog(args.catalog) as catalog:
        if args.action == "thumbnail":
            return _thumbnails(catalog, args)
        if args.action == "clear":
            files, count = clear_cache(catalog.disk, catalog.root, thumbnails.CACHE)
        else:
            files, count = thumbnails.cache_size(catalog)
    if args.json:
        print_json({"files": files, "bytes": count})
    else:
        say(f"{plural(files, 'file')}, {size(count)}" + (" removed" if args.action == "clear" else ""))
    return ExitCode.DONE


def _thumbnails(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.kinds import Started, start, thumbnails, thumbnails_work
    from lumina_fs.jobs.running import run as run_job
    from lumina_fs.thumbnails import Made

    if bool(args.photos) == args.all:
        raise UsageError("name photos, or say --all")
    failed = False
    with interruptible() as cancel:
        if args.all:
            started = start(catalog, "thumbnails", {"size": args.size}, cancel)
        else:
            wanted = [locate(catalog, os.path.abspath(photo)) for photo in args.photos]
            work = thumbnails_work(wanted, args.size)
            started = Started(work, thumbnails(catalog, wanted, args.size, cancel=cancel))
        for made in run_job(catalog, started.work, started.events, cancel=cancel, wait=not args.no_wait):
            if isinstance(made, Note):
                say(made.text, to_stderr=True)
            if not isinstance(made, Made):
                continue
            failed |= made.thumbnail is None
            if args.json:
                print_json({"source": made.source, "path": made.path, "thumbnail": made.thumbnail, "why": made.why})
            else:
                say(made.thumbnail or f"{made.path}: {made.why}", to_stderr=made.thumbnail is None)
    return ExitCode.PROBLEMS if failed else ExitCode.DONE
