"""`lumina trash`: what plans put away, brought back by a plan, or removed for good after a question."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, print_table, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    finish,
    interruptible,
    open_catalog,
)
from lumina_fs.errors import ExitCode, UsageError
from lumina_fs.progress import Note
from lumina_fs.wording import plural, size

if TYPE_CHECKING:
    from lumina_fs.plans.trash import Trashed


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers, "trash", "lumina trash list\nlumina trash restore 2019/IMG_0001.JPG\nlumina trash empty",
        "What plans put into the trash, on every volume. Restoring is a plan, which you approve. Emptying removes "
        "photos for good; it lists them and asks.",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what lies there")
    restoring = actions.add_parser("restore", help="propose a plan that brings photos back")
    restoring.add_argument("what", nargs="*", help="paths as they were, folders, or ids of plans (default: all)")
    emptying = actions.add_parser("empty", help="remove photos for good; lists them and asks")
    emptying.add_argument("what", nargs="*", help="paths as they were, folders, or ids of plans (default: all)")
    emptying.add_argument("--before", metavar="DATE", help="only what was put there before this day (2026-11-21)")
    emptying.add_argument("--yes", metavar="COUNT", type=int, help="do not ask: this many photos are meant to go")
    for one in (listing, restoring, emptying):
        add_catalog_option(one)
        add_json_option(one)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    with open_catalog(args.catalog) as catalog:
        entries = _entries(catalog)
        if args.action == "list":
            return _list(entries, as_json=args.json)
        chosen = _chosen(entries, args.what)
        if args.action == "restore":
            return _restore(catalog, chosen, args)
        if args.before:
            chosen = [entry for entry in chosen if entry.when < args.before]
        return _empty(catalog, chosen, args)


def _entries(catalog: Catalog) -> list[Trashed]:
    from lumina_fs.plans.trash import Trashed, list_trash

    found: list[Trashed] = []
    for one in list_trash(catalog):
        if isinstance(one, Trashed):
            found.append(one)
        elif isinstance(one, Note):
            say(one.text, to_stderr=True)
    return found


def _chosen(entries: list[Trashed], wishes: Sequence[str]) -> list[Trashed]:
    """The entries that are meant. Raises UsageError for a wish that fits nothing."""
    if not wishes:
        return entries
    chosen: list[Trashed] = []
    for wish in wishes:
        wish = wish.rstrip("/")
        fits = [e for e in entries if e.path == wish or e.path.startswith(f"{wish}/") or e.plan.startswith(wish)]
        if not fits:
            raise UsageError(f"nothing in the trash was at {wish}, and no plan has such an id; see: lumina trash list")
        chosen += [entry for entry in fits if entry not in chosen]
    return chosen


def _list(entries: list[Trashed], *, as_json: bool) -> ExitCode:
    if as_json:
        for entry in entries:
            print_json(entry.as_dict())
        return ExitCode.DONE
    if not entries:
        say("the trash is empty")
        return ExitCode.DONE
    _table(entries)
    say(_told(entries), to_stderr=True)
    return ExitCode.DONE


def _table(entries: Sequence[Trashed]) -> None:
    """WITH: how many files lie there beside the original, a video of a Live Photo or a RAW twin among them."""
    rows = [
        (
            entry.when[:10], size(entry.whole_size), f"+{len(entry.files) - 1}" if len(entry.files) > 1 else "",
            entry.source, entry.reason, entry.path,
        )
        for entry in entries
    ]  # fmt: skip
    print_table(("WHEN", "SIZE", "WITH", "SOURCE", "REASON", "PATH"), rows, spare=("REASON", "SOURCE"))


def _told(entries: Sequence[Trashed]) -> str:
    """The numbers of a list."""
    files, whole = sum(len(entry.files) for entry in entries), sum(entry.whole_size for entry in entries)
    return f"{plural(len(entries), 'photo')}, {plural(files, 'file')}, {size(whole)}"


def _restore(catalog: Catalog, entries: list[Trashed], args: argparse.Namespace) -> ExitCode:
    from lumina_fs.cli.plan_runs import tell_draft
    from lumina_fs.plans.files import read_plan, weigh, write_draft
    from lumina_fs.plans.trash import propose_restore

    if not entries:
        if args.json:
            print_json({"plan": None, "counts": {}})
        else:
            say("the trash is empty")
        return ExitCode.DONE
    draft = read_plan(catalog, write_draft(catalog, propose_restore(catalog, entries)))
    return tell_draft(draft, weigh(draft.plan).counts, as_json=args.json)


def _empty(catalog: Catalog, entries: list[Trashed], args: argparse.Namespace) -> ExitCode:
    from lumina_fs.plans.trash import empty

    if not entries:
        print_json({"originals": 0, "files": 0, "size": 0}) if args.json else say("nothing in the trash to remove")
        return ExitCode.DONE

    def may(what: Sequence[Trashed]) -> bool:
        if args.yes is not None:
            return bool(args.yes == len(what))
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            say(f"nobody is here to say yes. If they are meant to go: --yes {len(what)}", to_stderr=True)
            return False
        _table(what)
        say(f"Remove {_told(what)} for good? Type yes: ", to_stderr=True)
        return sys.stdin.readline().strip().lower() == "yes"

    with interruptible() as cancel:
        result = finish(empty(catalog, entries, may=may, cancel=cancel), Reporter())
    if result is None:
        return ExitCode.INTERRUPTED
    if args.json:
        print_json({"originals": result.originals, "files": result.files, "size": result.size})
    else:
        files = plural(result.files, "file")
        say(f"{plural(result.originals, 'photo')} removed for good: {files}, {size(result.size)}")
    return ExitCode.DONE if result.originals == len(entries) else ExitCode.PROBLEMS
