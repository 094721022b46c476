"""`lumina duplicates`: find twins, look at them, decide once, and propose a plan. Nothing here touches a photo."""

from __future__ import annotations

import argparse
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli import duplicates_shown as shown
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    add_wait_option,
    finish,
    interruptible,
    open_catalog,
    ready_index,
)
from lumina_fs.errors import ExitCode, Refused, UsageError
from lumina_fs.wording import plural, size

if TYPE_CHECKING:
    from index.postgres import PostgresIndex
    from lumina_fs.duplicates.decisions import Proposal
    from lumina_fs.duplicates.standing import Filter, Standings

_KINDS = ("exact", "same_pixels", "re_encoded", "resized", "edited")
_RELATED = ("raw_jpeg", "burst", "live_photo", "similar")
_EXAMPLE = """\
lumina duplicates find
lumina duplicates list --kind exact --state pending
lumina duplicates show 3f2a91c0
lumina duplicates decide 3f2a91c0 --keep 2019/IMG_0001.JPG
lumina duplicates decide --certain
lumina duplicates propose"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "duplicates",
        _EXAMPLE,
        "Find every twin, say what kind it is, decide once. No photo is touched: what should go is proposed as a plan.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    finding = actions.add_parser("find", help="search the catalog; later searches look only at what is new")
    finding.add_argument(
        "--threshold", type=int, default=5, metavar="BITS", help="bits by which a hash may differ, 0 to 10 (5)"
    )
    add_wait_option(finding)
    listing = actions.add_parser("list", help="list the groups, those that free most first")
    listing.add_argument("--limit", type=int, default=50, help="groups at most (50; 0: all)")
    showing = actions.add_parser("show", help="all about one group")
    showing.add_argument("group", help="its id, or a file of it")
    deciding = actions.add_parser("decide", help="decide about a group, or about many at once")
    _add_decisions(deciding)
    actions.add_parser("summary", help="the catalog's duplicates in numbers")
    exporting = actions.add_parser("export", help="a row for every file of every group, as CSV (or --json) on stdout")
    actions.add_parser("propose", help="write the draft of a plan that puts into the trash what you decided about")
    for name in ("list", "export", "decide", "propose"):
        _add_filter(actions.choices[name], related=name == "list")
    for one in (finding, listing, showing, deciding, exporting, actions.choices["summary"], actions.choices["propose"]):
        add_catalog_option(one)
        add_json_option(one)


def _add_filter(parser: argparse.ArgumentParser, *, related: bool) -> None:
    kinds = (*_KINDS, *_RELATED) if related else _KINDS
    parser.add_argument("--kind", action="append", choices=kinds, help="only this kind; may be given again")
    parser.add_argument("--state", action="append", choices=("pending", "reviewed", "resolved"), help="only this state")
    parser.add_argument("--source", metavar="NAME", help="only groups with a file in this source")
    parser.add_argument("--across", action="store_true", help="only groups with files in several sources")
    parser.add_argument("--within", action="store_true", help="only groups whose files are all in one source")
    parser.add_argument("--above", type=int, default=0, metavar="N", help="only with a confidence of at least N")
    parser.add_argument("--below", type=int, default=101, metavar="N", help="only with a confidence below N")


def _add_decisions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("group", nargs="?", help="the group: its id, or a file of it")
    one = parser.add_argument_group("about one group")
    one.add_argument("--keep", metavar="FILE", help="this file stays, the others may go")
    one.add_argument("--remove", metavar="FILE", action="append", help="only this one may go; may be given again")
    one.add_argument("--keep-both", action="store_true", help="all stay, and are not asked about again")
    one.add_argument("--not-duplicate", metavar="FILE", action="append", help="this file is no duplicate of the keeper")
    one.add_argument("--undo", action="store_true", help="take the decisions about the group back")
    many = parser.add_argument_group("about all pending groups that the filters let through")
    many.add_argument(
        "--certain",
        nargs="?",
        type=int,
        const=95,
        metavar="N",
        help="confidence at least N (95): all but the keeper may go",
    )
    many.add_argument("--primaries", action="store_true", help="all but the keeper may go, whatever the confidence")
    many.add_argument("--reviewed", action="store_true", help="all stay, and are not asked about again")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be decided")
    parser.add_argument("--yes", action="store_true", help="do not ask before deciding about many")


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    actions: dict[str, Callable[[argparse.Namespace], ExitCode]] = {
        "find": _find, "list": _list, "show": _show, "decide": _decide, "summary": _summary, "export": _export,
        "propose": _propose,
    }  # fmt: skip
    return actions[args.action](args)


def _find(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.duplicates.find import find
    from lumina_fs.duplicates.numbers import of_found
    from lumina_fs.jobs.kinds import duplicates_work
    from lumina_fs.jobs.running import run as run_job

    if not 0 <= args.threshold <= 10:
        raise UsageError("--threshold is 0 to 10 bits")
    with open_catalog(args.catalog) as catalog, interruptible() as cancel, _without_collector():
        reporter = Reporter(quiet=args.json)
        with ready_index(catalog, cancel, quiet=args.json) as index:
            events = find(catalog, index, threshold=args.threshold, cancel=cancel)
            work = duplicates_work(catalog, args.threshold)
            found = finish(run_job(catalog, work, events, cancel=cancel, wait=not args.no_wait), reporter)
            if found is None:
                say("stopped; what was compared is remembered, and the next search goes on there", to_stderr=True)
                return ExitCode.INTERRUPTED
            numbers = of_found(catalog, index, found)
    shown.summary(numbers, as_json=args.json)
    return ExitCode.DONE


@contextmanager
def _without_collector() -> Iterator[None]:
    """Many small values are made, and no circles among them: looking for some would take a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # else it would look through all of them now
        gc.enable()


@contextmanager
def _standings(
    args: argparse.Namespace, cancel: threading.Event | None = None
) -> Iterator[tuple[Catalog, PostgresIndex, Standings]]:
    """How groups stand. `cancel` is set at Ctrl-C, where the caller listens to it."""
    from lumina_fs.duplicates.standing import Standings

    with (
        open_catalog(args.catalog) as catalog,
        interruptible() if cancel is None else nullcontext(cancel) as asked,
        ready_index(catalog, asked, quiet=args.json) as index,
    ):
        standings = Standings.load(catalog, index)
        for error in standings.verdicts.corrupt:
            say(f"a verdict cannot be read, so what it decided is asked again: {error}", to_stderr=True)
        if not standings.fresh:
            say("the catalog changed since the last search: lumina duplicates find", to_stderr=True)
        yield catalog, index, standings


def _filter(args: argparse.Namespace) -> Filter:
    from lumina_fs.duplicates.standing import Filter

    if args.across and args.within:
        raise UsageError("--across and --within exclude each other")
    across = True if args.across else False if args.within else None
    kinds = tuple(kind for kind in args.kind or () if kind in _KINDS)
    return Filter(kinds, tuple(args.state or ()), args.source, across, args.above, args.below - 1)


def _list(args: argparse.Namespace) -> ExitCode:
    related = [kind for kind in args.kind or () if kind in _RELATED]
    with _standings(args) as (catalog, index, standings):
        if related:
            shown.relations(standings, index, related, args.limit, as_json=args.json)
        if not related or len(related) < len(args.kind):
            wanted = list(standings.wanted(_filter(args)))
            shown.groups(wanted, catalog, args.limit, as_json=args.json)
    return ExitCode.DONE


def _show(args: argparse.Namespace) -> ExitCode:
    with _standings(args) as (catalog, index, standings):
        shown.group(standings.one(args.group), standings, index, catalog, as_json=args.json)
    return ExitCode.DONE


def _summary(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.duplicates.numbers import of_standings

    with _standings(args) as (_, _, standings):
        shown.summary(of_standings(standings), as_json=args.json)
    return ExitCode.DONE


def _export(args: argparse.Namespace) -> ExitCode:
    with _standings(args) as (_, _, standings):
        shown.export(standings.wanted(_filter(args)), as_json=args.json)
    return ExitCode.DONE


def _decide(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.duplicates.verdicts import decide, withdraw
    from lumina_fs.stamps import utc_now, who

    many = [args.certain is not None, args.primaries, args.reviewed]
    one = [args.keep, args.remove, args.keep_both, args.not_duplicate, args.undo]
    if sum(map(bool, (*many, *one))) != 1 or bool(args.group) != any(one):
        raise UsageError("say either a group and one decision about it, or one of --certain, --primaries, --reviewed")
    with _standings(args) as (catalog, _, standings):
        if args.undo:
            group = standings.one(args.group)
            changed = withdraw(catalog, sorted({copy.twin.sha256 for copy in group.copies}))
            shown.decided("taken back", changed, as_json=args.json)
            return ExitCode.DONE
        proposal, by = _proposal(args, standings), who()
        if any(many):
            by = f"{by}, {_named(args)}"
            if not _agreed(proposal, args):
                return ExitCode.DONE if args.dry_run else ExitCode.REFUSED
        changed = 0 if args.dry_run else decide(catalog, proposal.choices, by=by, now=utc_now())
    shown.decided("would be decided" if args.dry_run else "decided", len(proposal.choices), as_json=args.json)
    if proposal.going and not args.dry_run and not args.json:
        say(f"{plural(proposal.going, 'file')} may go, {size(proposal.size)}. Next: lumina duplicates propose")
    return ExitCode.DONE


def _proposal(args: argparse.Namespace, standings: Standings) -> Proposal:
    from lumina_fs.duplicates.decisions import Proposal, batch, file_of, keep, part

    if args.group is None:
        wanted = standings.wanted(_filter(args))
        what = "certain" if args.certain is not None else "primaries" if args.primaries else "reviewed"
        return batch(wanted, what, args.certain or 0)  # type: ignore[arg-type]
    group = standings.one(args.group)
    others = list(group.others)
    if args.keep:
        kept = file_of(group, args.keep)
        choices = keep(group, kept, group.copies, "remove")
        going = [copy for copy in group.copies if copy is not kept]
    elif args.remove:
        going = [file_of(group, path) for path in args.remove]
        if group.keeper in going:
            raise UsageError(f"{group.keeper.twin.path} is the keeper; say which file stays instead: --keep FILE")
        choices = keep(group, group.keeper, going, "remove")
    elif args.keep_both:
        choices, going = keep(group, group.keeper, others, "keep_both"), []
    else:
        strangers = [file_of(group, path) for path in args.not_duplicate]
        choices, going = part(group, strangers), []
    return Proposal(choices, 1, len(going), sum(copy.twin.size for copy in going))


def _named(args: argparse.Namespace) -> str:
    return (
        f"--certain {args.certain}" if args.certain is not None else "--primaries" if args.primaries else "--reviewed"
    )


def _agreed(proposal: Proposal, args: argparse.Namespace) -> bool:
    """Show what a batch would decide, and ask."""
    if not args.json:
        say(proposal.said, to_stderr=True)
        for choice in proposal.choices[:10]:
            stays = "stays" if choice.decision == "remove" else "stays too"
            say(f"  {choice.other_name}: {choice.decision}, {choice.kept_name} {stays}", to_stderr=True)
        if len(proposal.choices) > 10:
            say(f"  ... and {len(proposal.choices) - 10:,} more", to_stderr=True)
    if args.dry_run or args.yes or not proposal.choices:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused("deciding about many groups needs --yes (or --dry-run) where nobody can be asked")
    sys.stderr.write("Decide so? Nothing is moved by it, and it can be taken back. [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _propose(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.duplicates.resolve import propose

    with interruptible() as cancel, _standings(args, cancel) as (catalog, _, standings):
        made = propose(catalog, standings.wanted(_filter(args)), cancel=cancel)
        if made is None:
            say("nothing to do: no file that is here was decided to go. lumina duplicates decide", to_stderr=True)
        if args.json:
            print_json(shown.proposal_value(*made) if made is not None else {"plan": None})
        elif made is not None:
            shown.proposed(*made)
    return ExitCode.DONE
