"""`lumina plan propose`: a draft by a strategy, a template or a file of rules."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, say
from lumina_fs.cli.session import interruptible, ready_index
from lumina_fs.errors import ExitCode
from lumina_fs.wording import plural, size

if TYPE_CHECKING:
    from lumina_fs.plans.files import StoredPlan
    from lumina_fs.plans.propose import Proposal, Request
    from lumina_fs.plans.wishes import Wishes


def add_parser(actions: Any) -> argparse.ArgumentParser:
    """Add the action's own parser."""
    from lumina_fs.plans.strategies import FALLBACK, NAMED
    from lumina_fs.plans.templates import FIELDS

    known = "\n".join(f"  {name:22}{text}" for name, (_, _, text) in NAMED.items())
    fields = "\n".join(f"  {{{name}}}{'':{20 - len(name)}}{text}" for name, text in FIELDS.items())
    parser: argparse.ArgumentParser = actions.add_parser(
        "propose",
        help="propose a draft",
        description="Propose where originals should lie. Nothing is moved, and no photo is opened.",
        epilog=(
            f"strategies:\n{known}\n  any template          YYYY/MM, YYYY-MM-DD, {{camera}}/YYYY ...\n\n"
            f"templates: YYYY MM DD HH mm ss, text, and\n{fields}\n\n"
            'a file of rules:\n  [{"if": "camera:canon", "to": "Canon/YYYY"}, {"to": ["{tag:events}/YYYY", "YYYY/MM"]}]'
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("strategy", nargs="?", help="a strategy or a template of folders (default: by-date)")
    parser.add_argument("--rules", metavar="FILE", help="a JSON list of rules; the first that fits decides")
    parser.add_argument("--query", default="", help="only originals that fit, as in lumina search")
    parser.add_argument("--source", action="append", default=[], metavar="NAME", help="only this source (repeatable)")
    parser.add_argument("--into", metavar="SOURCE[/DIR]", help="put them there (default: each into its own source)")
    parser.add_argument("--copy", action="store_true", help="copy originals of referenced sources into a managed one")
    parser.add_argument("--file-name", metavar="TEMPLATE", help="name files so, for example {date}_{name}")
    parser.add_argument("--fallback", default=None, metavar="DIR",
                        help=f"for what has no place ({FALLBACK}); '' leaves it")  # fmt: skip
    parser.add_argument("--doubtful", metavar="DIR", help="a folder above all others for uncertain dates")
    parser.add_argument("--below", type=int, default=60, metavar="N", help="uncertain: confidence below N of 100 (60)")
    parser.add_argument("--on-collision", choices=("rename", "skip"), default="rename", help="a name that is taken")
    parser.add_argument("--on-failure", choices=("roll_back", "stop", "continue"), default="roll_back",
                        help="when an action fails")  # fmt: skip
    parser.add_argument("--name", help="a name for the plan")
    return parser


def run(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.plans.propose import goal_of
    from schemas.document import collector_paused

    request = _wishes(args).request(catalog.layout)
    goal_of(catalog, request)  # what cannot be is said before an index is made
    with collector_paused(1 << 30):  # what is large is gone again before the collector looks
        _propose(catalog, request, as_json=args.json)
    return ExitCode.DONE


def _propose(catalog: Catalog, request: Request, *, as_json: bool) -> None:
    from lumina_fs.plans.files import write_and_read, write_draft
    from lumina_fs.plans.propose import propose

    with interruptible() as cancel:
        with ready_index(catalog, cancel, quiet=as_json) as index:
            proposal = propose(catalog, index, request, cancel=cancel)
        for note in proposal.notes:
            say(note, to_stderr=True)
        value, proposal.plan = proposal.plan, None
        if as_json:
            plan_id = write_draft(catalog, value) if value is not None else None
            print_json({"plan": plan_id, **_counts(value), "in_place": proposal.in_place, "notes": proposal.notes})
            return
        plan = write_and_read(catalog, value) if value is not None else None
        value = None  # it is large
    if plan is None:
        say(f"nothing to do: {plural(proposal.in_place, 'photo')} in place")
    else:
        _tell(catalog, plan, proposal)


def _tell(catalog: Catalog, plan: StoredPlan, proposal: Proposal) -> None:
    """The plan in a line, then all that `lumina plan show` says of it."""
    from lumina_fs.cli.plan_show import look_at, show
    from lumina_fs.plans.files import short

    seen = look_at(catalog, plan, proposal.listed)
    facts, name = seen.facts, short(plan.id)
    acting = ", ".join(f"{count:,} {do}" for do, count in facts.counts.items())
    say(f"plan {name}: {acting}, {size(facts.size)}; {proposal.in_place:,} in place already")
    if facts.warned:
        say(f"{plural(facts.warned, 'action')} with a warning: lumina plan show {name} --only warned")
    say("")
    show(plan, seen)
    say("", f"nothing is moved yet. Look at it again: lumina plan show {name}; say yes: lumina plan approve {name}")


def _wishes(args: argparse.Namespace) -> Wishes:
    from lumina_fs.plans.wishes import Wishes

    names = (
        "strategy", "rules", "file_name", "query", "into", "copy", "fallback", "doubtful", "below", "on_collision",
        "on_failure", "name",
    )  # fmt: skip
    return Wishes(sources=tuple(args.source), **{name: getattr(args, name) for name in names})


def _counts(plan: dict[str, Any] | None) -> dict[str, Any]:
    """A plan's value in numbers."""
    counts: dict[str, int] = {}
    size = warned = 0
    for action in plan["actions"] if plan else ():
        counts[action["do"]] = counts.get(action["do"], 0) + 1
        warned += bool(action.get("warnings"))
        if action["do"] != "skip":
            size += action["size"] + sum(one.get("size", 0) for one in action.get("companions", ()))
    return {"counts": counts, "size": size, "warned": warned}
