"""`lumina set`: change what is said of photos, one or many at once; shown first, carried out as a plan, undoable."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import MAIN, Catalog
from lumina_fs.cli.asking import ask
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    finish,
    interruptible,
    open_catalog,
    ready_index,
)
from lumina_fs.cli.show import locate
from lumina_fs.curating.shown import told
from lumina_fs.errors import ExitCode, Refused, UsageError
from lumina_fs.plans.files import short
from lumina_fs.sidecars import SUFFIX
from lumina_fs.wording import plural
from schemas.names import decode_name, encode_name

if TYPE_CHECKING:
    from lumina_fs.curating.proposing import EditProposal
    from lumina_fs.plans.apply import Applied

_EXAMPLE = """\
lumina set IMG_0001.JPG IMG_0002.JPG rating=4 tags+=people/anna
lumina set --query "path:2019/italy -has:caption" caption="Italy" --dry-run
lumina set IMG_0001.JPG rating= tags-=beach metadata.roll="Kodak 12"

changes:
  rating=0..5  label=COLOUR  pick=pick|reject  date=1987-08  name=TEXT  caption=TEXT
  tags+=people/anna  tags-=beach  rejected_tags+=TAG  metadata.KEY=TEXT
  nothing behind the = takes a field away"""
_SHOWN = 20
#: More rows than any catalog has.
_ALL = 1_000_000_000


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "set", _EXAMPLE)
    parser.add_argument("words", nargs="+", metavar="PHOTO|CHANGE", help="photos (or their sidecars), and changes")
    parser.add_argument("--query", metavar="QUERY", help="also all photos that this finds, as in lumina search")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be changed")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.curating.changes import apply_changes, parse_changes, shown
    from lumina_fs.curating.proposing import SidecarEdit, propose_edits

    photos, words = _told_apart(args.words)
    changes = parse_changes(words)
    if not changes:
        raise UsageError("what is to be changed? For example rating=4, tags+=people/anna, caption=TEXT")
    if not photos and args.query is None:
        raise UsageError("of which photos? Name them, or give --query")
    with _catalog(args, photos) as catalog, interruptible() as cancel:
        found = _places(catalog, photos, args, cancel)
        proposing = propose_edits(
            catalog,
            [SidecarEdit(source, path, lambda curation: apply_changes(curation, changes)) for source, path in found],
            name=f"Set {shown(changes)}"[:200],
            description="Changes of curation by `lumina set`.",
            cancel=cancel,
        )
        proposal = finish(proposing, Reporter(quiet=args.json or args.quiet))
        return ExitCode.INTERRUPTED if proposal is None else agree_and_carry_out(catalog, proposal, args, cancel)


def _told_apart(words: list[str]) -> tuple[list[str], list[str]]:
    """Photos and changes. What is a file is a photo, unless it is a change of a field that there is."""
    from lumina_fs.curating.changes import is_change, is_known

    photos: list[str] = []
    changes: list[str] = []
    for word in words:
        meant = is_known(word) or (is_change(word) and not os.path.lexists(word))
        (changes if meant else photos).append(word)
    return photos, changes


def _catalog(args: argparse.Namespace, photos: list[str]) -> Catalog:
    """The catalog that is named, else that of the first photo."""
    where = args.catalog
    if where is None and photos:
        first = os.path.abspath(photos[0])
        where = first if os.path.isdir(first) else os.path.dirname(first)
    return open_catalog(where)


def _places(
    catalog: Catalog, photos: list[str], args: argparse.Namespace, cancel: threading.Event
) -> list[tuple[str, str]]:
    """(source, decoded path) of the photos that are named or found, each once."""
    from index.protocol import QueryError

    found: dict[tuple[str, str], None] = {}
    for photo in photos:
        path = os.path.abspath(photo.removesuffix(SUFFIX))
        if os.path.isdir(path):
            raise UsageError("is a folder; name photos, or use --query path:FOLDER", path=photo)
        source, inner = locate(catalog, path)
        found[source.name, inner] = None
    if args.query is not None:
        with ready_index(catalog, cancel, quiet=args.json or args.quiet) as index:
            try:
                hits = index.search(args.query, limit=_ALL)
            except QueryError as error:
                raise UsageError(f"the query: {error}") from None
        found.update(((hit.source, decode_name(hit.path)), None) for hit in hits)
    return list(found)


def agree_and_carry_out(
    catalog: Catalog, proposal: EditProposal, args: argparse.Namespace, cancel: threading.Event
) -> ExitCode:
    """Show a proposal, ask, and do it. `args`: dry_run, yes, quiet, json. Raises Refused where nobody can be asked."""
    from lumina_fs.curating.carrying_out import approved, carry_out

    if not args.json:
        _preview(proposal)
    if proposal.plan is None or args.dry_run:
        if args.json:
            print_json({"dry_run": args.dry_run, "plan": None, "done": 0, **_as_json(proposal)})
        elif proposal.plan is None and not proposal.left_out:
            say("nothing to change: it is so already" if proposal.unchanged else "no photo was found")
        return ExitCode.PROBLEMS if proposal.left_out else ExitCode.DONE
    _require_yes(proposal, args)
    plan = approved(catalog, proposal)
    result = finish(carry_out(catalog, plan, cancel=cancel), Reporter(quiet=args.json or args.quiet))
    if result is None:
        return ExitCode.INTERRUPTED
    if args.json:
        print_json({"dry_run": False, **result.as_dict(), **_as_json(proposal)})
    else:
        _tell(result)
    if result.outcome == "interrupted":
        return ExitCode.NEEDS_RESUME
    return ExitCode.PROBLEMS if result.failures or result.gave_way or proposal.left_out else ExitCode.DONE


def _preview(proposal: EditProposal) -> None:
    changed = list(proposal.changes.items())
    for (source, path), fields in changed[:_SHOWN]:
        say(f"{_named(source, path)}: {told(fields)}", to_stderr=True)
    if len(changed) > _SHOWN:
        say(f"... and {plural(len(changed) - _SHOWN, 'photo')} more", to_stderr=True)
    for source, path, why in proposal.left_out[:_SHOWN]:
        say(f"{_named(source, path)} is left out: {why}", to_stderr=True)
    if len(proposal.left_out) > _SHOWN:
        say(f"... and {len(proposal.left_out) - _SHOWN:,} more are left out", to_stderr=True)
    if changed:
        so = f", {proposal.unchanged:,} are so already" if proposal.unchanged else ""
        say(f"{plural(len(changed), 'photo')} to change{so}", to_stderr=True)


def _named(source: str, path: str) -> str:
    return path if source == MAIN else f"{source}:{path}"


def _as_json(proposal: EditProposal) -> dict[str, Any]:
    return {
        "changes": [
            {"source": source, "path": encode_name(path), "fields": {name: list(pair) for name, pair in fields.items()}}
            for (source, path), fields in proposal.changes.items()
        ],
        "unchanged": proposal.unchanged,
        "left_out": [
            {"source": source, "path": encode_name(path), "why": why} for source, path, why in proposal.left_out
        ],
    }


def _require_yes(proposal: EditProposal, args: argparse.Namespace) -> None:
    if args.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused("changing photos needs --yes (or --dry-run) where nobody can be asked; nothing was changed")
    question = f"Change {plural(len(proposal.changes), 'photo')} so? [y/N] "
    if ask(question, "n", "or give --yes") not in ("y", "yes"):
        raise Refused("nobody said yes; nothing was changed")


def _tell(result: Applied) -> None:
    done = f"{plural(result.done, 'photo')} changed"
    if result.failures:
        done += f", {result.left:,} not: lumina plan resume {result.plan} tries again"
    if result.outcome == "interrupted":
        done += f"; stopped, and {result.left:,} are left: lumina plan resume {result.plan}"
    say(done)
    if result.done:
        say(f"to take it back: lumina plan undo {short(result.plan)}")
    if result.index != "current":
        say("the index is behind; nothing is lost, the next command that reaches it catches up")
