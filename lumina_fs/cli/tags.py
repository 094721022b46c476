"""`lumina tags`: the tags of the catalog, and one renamed, merged or deleted on every photo; undoable as a plan."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, print_table, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    finish,
    interruptible,
    open_catalog,
    ready_index,
)
from lumina_fs.cli.set import agree_and_carry_out
from lumina_fs.errors import ExitCode, UsageError

_EXAMPLE = """\
lumina tags list
lumina tags rename beach places/beach
lumina tags rename places/italy places/italia --below
lumina tags delete people/unknown --dry-run"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "tags", _EXAMPLE, "The tags that you gave. A tag that is renamed to one that is there joins it."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="every tag with how many photos have it")
    renaming = actions.add_parser("rename", help="put another tag in the place of one, on every photo")
    renaming.add_argument("tag", help='the tag, like "beach" or "people/anna"')
    renaming.add_argument("new", help="the tag that takes its place")
    deleting = actions.add_parser("delete", help="take a tag away from every photo")
    deleting.add_argument("tag", help='the tag, like "beach" or "people/anna"')
    for one in (renaming, deleting):
        one.add_argument("--below", action="store_true", help="also tags that go on after it: places/italy/rome")
        one.add_argument("--dry-run", action="store_true", help="only say what would be changed")
        one.add_argument("--yes", action="store_true", help="do not ask")
        one.add_argument("--quiet", action="store_true", help="no progress")
    for one in (listing, renaming, deleting):
        add_catalog_option(one)
        add_json_option(one)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        return _list(catalog, args, cancel) if args.action == "list" else _change(catalog, args, cancel)


def _list(catalog: Catalog, args: argparse.Namespace, cancel: threading.Event) -> ExitCode:
    from lumina_fs.curating.tags import all_tags

    with ready_index(catalog, cancel, quiet=args.json) as index:
        found = all_tags(index)
    if args.json:
        for tag in found:
            print_json(tag._asdict())
    elif found:
        print_table(("CATEGORY", "PHOTOS", "TAG"), [(tag.category, f"{tag.originals:,}", tag.value) for tag in found])
    else:
        say("no photo has a tag", to_stderr=True)
    return ExitCode.DONE


def _change(catalog: Catalog, args: argparse.Namespace, cancel: threading.Event) -> ExitCode:
    from lumina_fs.curating.changes import parse_change
    from lumina_fs.curating.proposing import propose_edits
    from lumina_fs.curating.tags import tag_changes

    old = parse_change(f"tags-={args.tag}").value
    new = parse_change(f"tags+={args.new}").value if args.action == "rename" else None
    if new == old:
        raise UsageError("that is its name already")
    with ready_index(catalog, cancel, quiet=args.json or args.quiet) as index:
        edits = tag_changes(index, old, new, below=args.below)
    name = f"Rename tag {args.tag} to {args.new}" if new is not None else f"Delete tag {args.tag}"
    proposal = finish(
        propose_edits(
            catalog, edits, name=name[:200], description="Changes of curation by `lumina tags`.", cancel=cancel
        ),
        Reporter(quiet=args.json or args.quiet),
    )
    if proposal is None:
        return ExitCode.INTERRUPTED
    if not edits and not args.json:
        say(f"no photo has the tag {args.tag}")
        return ExitCode.DONE
    return agree_and_carry_out(catalog, proposal, args, cancel)
