"""`lumina plan show`: every source and target of a plan, its totals, and what would be refused."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, print_pairs, print_table, say
from lumina_fs.errors import ExitCode, SourceOffline
from lumina_fs.wording import plural, size

if TYPE_CHECKING:
    from lumina_fs.plans.facts import Facts
    from lumina_fs.plans.files import StoredPlan
    from lumina_fs.plans.ground import Listed
    from lumina_fs.plans.preview import Crossing, Line, Warned
    from lumina_fs.plans.validate import Finding
    from schemas.plan import Plan

#: Actions, warnings and folders that are shown where no more are asked for.
_FIRST = 50
_FIRST_WARNINGS = 10


def add_parser(actions: Any) -> argparse.ArgumentParser:
    """Add the action's own parser."""
    from lumina_fs.plans.preview import KINDS, ORDERS

    parser: argparse.ArgumentParser = actions.add_parser("show", help="what a plan does, exactly")
    parser.add_argument("plan", help="its id, the end of it, or its name")
    parser.add_argument("--only", action="append", default=[], choices=(*KINDS, "warned", "refused"),
                        help="only these actions (repeatable)")  # fmt: skip
    parser.add_argument("--match", default="", metavar="TEXT", help="only actions whose paths or reasons hold a text")
    parser.add_argument("--sort", choices=ORDERS, default="order", help="by what (default: as they are done)")
    parser.add_argument(
        "--tree",
        action="store_true",
        help="the folders that originals come to or lie in, with counts",
    )
    parser.add_argument("--all", action="store_true", help=f"all actions (default: the first {_FIRST})")
    return parser


def run(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from schemas.document import collector_paused

    with collector_paused(1 << 30):  # what is large is gone again before the collector looks
        _show(catalog, args)
    return ExitCode.DONE


def _show(catalog: Catalog, args: argparse.Namespace) -> None:
    from lumina_fs.plans.files import find_plan

    plan = find_plan(catalog, args.plan)
    seen = look_at(catalog, plan)
    if args.json:
        _print_json(plan.plan, seen, args)
    elif args.tree:
        print_pairs(pairs(seen.facts))
        _show_tree(plan, everything=args.all)
    elif args.only or args.match or args.all or args.sort != "order":
        print_pairs(pairs(seen.facts))
        _show_warnings(seen, everything="warned" in args.only or "refused" in args.only)
        picked = _chosen(plan.plan, seen, args)
        _show_lines(picked if args.all else picked[:_FIRST], len(picked))
    else:
        show(plan, seen)


class Seen(NamedTuple):
    """What a look at a plan gives: its numbers, what would be refused now, and what has warnings."""

    facts: Facts
    findings: Sequence[Finding]
    warned: Warned
    several: bool
    """True where it is about more than one source."""


def look_at(catalog: Catalog, plan: StoredPlan, listed: Mapping[str, Listed] | None = None) -> Seen:
    """Look at a plan. `listed` is what was seen in folders just now, by source."""
    from lumina_fs.plans.deeds import acts
    from lumina_fs.plans.facts import facts_of
    from lumina_fs.plans.findings import findings_of
    from lumina_fs.plans.preview import crossing, warned
    from lumina_fs.plans.roads import roads
    from lumina_fs.plans.status import OPEN, status_of

    sources = {source.name: source for source in catalog.sources()}
    status, found = status_of(catalog, plan), acts(plan.plan)
    by_road = roads(found)
    findings: list[Finding] = []
    if status in (*OPEN, "approved"):
        try:
            findings = findings_of(catalog, plan.plan, found, by_road=by_road, listed=listed)
        except SourceOffline as error:
            say(str(error), to_stderr=True)
            findings = findings_of(catalog, plan.plan, found, on_disk=False, by_road=by_road)
    marked = warned(plan.plan)
    facts = facts_of(plan, status, findings, crossing(by_road, sources), marked)
    return Seen(
        facts, findings, marked, len({road.source for road in by_road} | {road.target for road in by_road} - {None}) > 1
    )


def show(plan: StoredPlan, seen: Seen) -> None:
    """Print what a person looks at first: the numbers, what to beware of, and the first actions."""
    from lumina_fs.plans.preview import lines

    print_pairs(pairs(seen.facts))
    _show_warnings(seen)
    _show_lines(list(islice(lines(plan.plan, seen.findings, seen.several), _FIRST)), len(plan.plan.actions))


def _print_json(plan: Plan, seen: Seen, args: argparse.Namespace) -> None:
    print_json(seen.facts.value())
    for line in _chosen(plan, seen, args):
        print_json(line.value())


def _chosen(plan: Plan, seen: Seen, args: argparse.Namespace) -> list[Line]:
    from lumina_fs.plans.preview import chosen, lines

    return chosen(lines(plan, seen.findings, seen.several), only=args.only, match=args.match, sort=args.sort)


#: What happens when an action fails, in words.
POLICIES = {"roll_back": "take all back", "stop": "stop there", "continue": "go on"}


def pairs(facts: Facts) -> list[tuple[str, str]]:
    """The numbers of a plan in words, by their names; what there is none of is left out."""
    counts = ", ".join(f"{count:,} {do}" for do, count in facts.counts.items()) or "none"
    rows = [
        ("plan", f"{facts.plan}, {facts.status}"), ("name", facts.name), ("about", facts.description),
        ("actions", f"{counts}; {size(facts.size)}"), ("if one fails", POLICIES[facts.on_failure]),
        *rooms(facts.crossing),
        ("uncertain dates", f"{facts.uncertain:,}" if facts.uncertain else ""),
        ("names taken", f"{facts.collisions:,} get another" if facts.collisions else ""),
        ("refused", f"{facts.refused:,} as things are now" if facts.refused else ""),
        ("digest", facts.digest),
    ]  # fmt: skip
    return [row for row in rows if row[1]]


def rooms(crosses: Crossing) -> list[tuple[str, str]]:
    """What goes from volume to volume, and the room on each."""
    rows = []
    if crosses.moves:
        moves = plural(crosses.moves, "move")
        rows.append(("across volumes", f"{moves}, {size(crosses.size)} to be copied and checked"))
    for volume in crosses.volumes:
        room = "" if volume.fits else ": NOT ENOUGH ROOM"
        rows.append(("volume", f"{volume.path}: {size(volume.arriving)} arrive, {size(volume.free)} free{room}"))
    return rows


def _show_warnings(seen: Seen, *, everything: bool = False) -> None:
    """What a person should look at first: refusals, then warnings."""
    count = len(seen.findings) + sum(len(action.warnings) for _, action in seen.warned)
    most = count if everything else _FIRST_WARNINGS
    troubles = [(one.action, one.path, one.reason, "refused") for one in seen.findings[:most]]
    for number, action in seen.warned[: most - len(troubles)]:
        troubles += [(number, action.path, text, "warning") for text in action.warnings]
    if troubles:
        say("")
    for number, path, text, kind in troubles[:most]:
        say(f"{kind}: action {number + 1}, {path}: {text}")
    if count > most:
        say(f"... and {count - most:,} more: --only refused, --only warned")


def _show_lines(shown: Sequence[Line], count: int) -> None:
    """These actions, out of so many."""
    if shown:
        say("")
        rows = [
            (str(line.number), line.do, size(line.size), f"+{line.companions}" if line.companions else "",
             "!" if line.refused or line.warnings else "", line.path,
             line.target or f"({line.reason})")
            for line in shown
        ]  # fmt: skip
        print_table(("#", "DO", "SIZE", "WITH", "!", "FROM", "TO"), rows, spare=("SIZE", "WITH"))
    if count > len(shown):
        say(f"... and {count - len(shown):,} more: --all shows them, --only and --match pick some")


def _show_tree(plan: StoredPlan, *, everything: bool) -> None:
    from lumina_fs.plans.preview import tree

    folders, arriving = tree(plan.plan)
    most = len(folders) if everything else 10 * _FIRST
    say("")
    say("originals come to" if arriving else "originals lie in")
    for folder, count in folders[:most]:
        depth = folder.count("/")
        name = f"{'  ' * depth}{folder.rpartition('/')[2]}/" if folder else "(top folder)"
        say(f"{count:>9,}  {name}")
    if len(folders) > most:
        say(f"... and {len(folders) - most:,} more folders: --all")
