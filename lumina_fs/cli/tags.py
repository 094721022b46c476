"""`lumina tags`: which tags there are, and one of them renamed, merged or deleted everywhere, as an undoable plan."""

from __future__ import annotations

import argparse
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
from lumina_fs.cli.set import agree_and_carry_out
from lumina_fs.errors import ExitCode, UsageError

_EXAMPLE = """\
lumina tags list
lumina tags rename people/ana people/anna
lumina tags delete beach --dry-run"""
_ACTIONS = {
    "list": "every tag with how many photos have it",
    "rename": "give a tag another name everywhere; where that is there already, both become one",
    "delete": "take a tag away everywhere",
}


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "tags", _EXAMPLE)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in _ACTIONS.items():
        one = actions.add_parser(name, help=summary)
        if name != "list":
            one.add_argument("tag", help="the tag: beach, or people/anna")
            one.add_argument("--below", action="store_true", help="also tags that go on behind it: places/italy/rome")
            one.add_argument("--dry-run", action="store_true", help="only say what would be changed")
            one.add_argument("--yes", action="store_true", help="do not ask")
            one.add_argument("--quiet", action="store_true", help="no progress")
        if name == "rename":
            one.add_argument("new", help="its new name")
        add_catalog_option(one)
        add_json_option(one)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.curating.proposing import propose_edits
    from lumina_fs.curating.tags import all_tags, tag_changes
    from lumina_fs.viewing.tags import shown_tag, tag_of

    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        with ready_index(catalog, cancel, quiet=args.json) as index:
            if args.action == "list":
                _list(all_tags(index), as_json=args.json)
                return ExitCode.DONE
            old, new = tag_of(args.tag), tag_of(args.new) if args.action == "rename" else None
            if old == new:
                raise UsageError("that is its name already")
            edits = tag_changes(index, old, new, below=args.below)
        what = f"Delete the tag {shown_tag(old)}" if new is None else f"Rename the tag {args.tag} to {shown_tag(new)}"
        return agree_and_carry_out(catalog, propose_edits(catalog, edits, name=what[:200]), args, cancel)


def _list(tags: Any, *, as_json: bool) -> None:
    if as_json:
        for category, value, originals in tags:
            print_json({"category": category, "value": value, "originals": originals})
    elif tags:
        rows = [(f"{originals:,}", "/".join(filter(None, (category, value)))) for category, value, originals in tags]
        print_table(("PHOTOS", "TAG"), rows)
    else:
        say("no photo has a tag yet: lumina set PHOTO tags+=people/anna", to_stderr=True)
