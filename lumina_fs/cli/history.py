"""`lumina history`: earlier versions of what is said of a photo, and the way back to one."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from lumina_fs.cli.display import print_json, say
from lumina_fs.cli.session import add_command, add_json_option, open_catalog
from lumina_fs.cli.show import locate
from lumina_fs.curating.shown import told
from lumina_fs.errors import ExitCode, UsageError
from lumina_fs.sidecars import SUFFIX

if TYPE_CHECKING:
    from lumina_fs.curating.versions import Record


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "history", "lumina history 2019/IMG_0001.JPG\nlumina history 2019/IMG_0001.JPG --restore 3"
    )
    parser.add_argument("photo", help="the photo, or its sidecar")
    parser.add_argument("--restore", type=int, metavar="N", help="make the curation what it was in version N")
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.curating.versions import restore, versions_of

    path = os.path.abspath(args.photo.removesuffix(SUFFIX))
    with open_catalog(os.path.dirname(path)) as catalog:
        source, inner = locate(catalog, path)
        record = versions_of(catalog, source.name, inner)
        if args.restore is None:
            return _list(record, as_json=args.json)
        if not 1 <= args.restore <= len(record.versions):
            there = f"1 to {len(record.versions)}" if record.versions else "none"
            raise UsageError(f"there is no version {args.restore}; there are: {there}", path=args.photo)
        done = restore(catalog, record, args.restore)
    if args.json:
        print_json({"restored": args.restore, "changed": done.wrote, "index": done.index})
        return ExitCode.DONE
    if not done.wrote:
        say("nothing to change: it is so already")
        return ExitCode.DONE
    say(f"version {args.restore} is back; what it displaced is the newest version now")
    if done.index != "current":
        say("the index is behind; nothing is lost, the next command that reaches it catches up")
    return ExitCode.DONE


def _list(record: Record, *, as_json: bool) -> ExitCode:
    if as_json:
        print_json(record.as_dict())
        return ExitCode.DONE
    if not record.versions:
        say("no earlier version is kept", to_stderr=True)
    for number, version in enumerate(record.versions, 1):
        what = told(version.then) or "the same as after it"
        if version.clash:
            what = f"kept aside, because a person's stayed: {told(version.then)}"
        say(f"{number:>3}  {version.when[:19].replace('T', ' ')}  {version.why}", f"     {what}")
    return ExitCode.DONE
