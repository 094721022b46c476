"""`lumina plan apply | resume | rollback | undo`: the subcommands that carry plans out and take them back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import add_catalog_option, add_json_option, finish, interruptible, open_catalog
from lumina_fs.errors import ExitCode, Refused
from lumina_fs.wording import duration, plural, size

if TYPE_CHECKING:
    from lumina_fs.plans.apply import Applied
    from lumina_fs.plans.files import StoredPlan

#: The subcommands that `run` knows.
ACTIONS = {
    "apply": "carry out an approved plan",
    "resume": "finish a plan that was interrupted",
    "rollback": "take an interrupted or failed plan back",
    "undo": "propose the plan that takes a finished one back",
}
_DIGITS = 8


def add_subcommands(subparsers: Any) -> None:
    """Add them to the parser of `lumina plan`."""
    for name, summary in ACTIONS.items():
        parser = subparsers.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:] + ".")
        parser.add_argument("plan", help="its id, the start or end of it, or its name")
        if name == "apply":
            parser.add_argument(
                "--yes", metavar="DIGEST", help=f"do not ask; at least {_DIGITS} digits of the plan's SHA-256"
            )
        if name != "undo":
            parser.add_argument("--quiet", action="store_true", help="no progress")
        add_catalog_option(parser)
        add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.plans.files import find_plan

    with open_catalog(args.catalog) as catalog:
        plan = find_plan(catalog, args.plan)
        if args.action == "undo":
            return _undo(catalog, plan, args)
        if args.action == "apply":
            _ask(catalog, plan, args.yes)
        result = _carry_out(catalog, plan, args)
    if result is None:
        return ExitCode.INTERRUPTED
    _tell(result, plan, args)
    return _exit_code(result, plan, args.action)


def _carry_out(catalog: Catalog, plan: StoredPlan, args: argparse.Namespace) -> Applied | None:
    from lumina_fs.jobs.kinds import apply_work
    from lumina_fs.jobs.running import run as run_job
    from lumina_fs.plans.apply import apply, resume, rollback

    with interruptible() as cancel:
        events: Iterator[Any]
        if args.action == "rollback":
            events = rollback(catalog, plan)
        else:
            job: Callable[..., Iterator[Any]] = apply if args.action == "apply" else resume
            events = job(catalog, plan, cancel=cancel)
        work = apply_work(plan.id, args.action)
        return finish(run_job(catalog, work, events, cancel=cancel), Reporter(quiet=args.quiet))


def _ask(catalog: Catalog, plan: StoredPlan, yes: str | None) -> None:
    """A yes of a person at a terminal, or one that names the bytes. Raises Refused without either."""
    from lumina_fs.plans.apply import require_approval
    from lumina_fs.plans.files import weigh
    from lumina_fs.plans.journal import read_history

    require_approval(catalog, plan, read_history(catalog, plan.id))
    if yes is not None:
        if len(yes) >= _DIGITS and plan.digest.startswith(yes.lower()):
            return
        raise Refused(f"--yes {yes} is not the plan's digest, which starts with {plan.digest[:12]}", path=plan.id)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"nobody is here to say yes. If it is the right plan: lumina plan apply {plan.id} --yes {plan.digest[:12]}",
            path=plan.id,
        )
    weight = weigh(plan.plan)
    counts = ", ".join(f"{count:,} {name}" for name, count in weight.counts.items())
    say(f"{plan.plan.name}: {counts}; {size(weight.size)}. Carry it out now? [y/N] ", to_stderr=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("nobody said yes; nothing was touched", path=plan.id)


def _tell(result: Applied, plan: StoredPlan, args: argparse.Namespace) -> None:
    if args.json:
        print_json(result.as_dict())
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in result.counts.items())
    said = {
        "complete": f"done: {counts or 'nothing'}; {size(result.size)} in {duration(result.seconds)}",
        "rolled_back": "everything is back where it was",
        "failed": f"{plural(len(result.failures), 'action')} failed and was not done; {plural(result.done, 'action')} "
        f"done, {result.left:,} left. Next: lumina plan resume {plan.id}, or lumina plan rollback {plan.id}",
        "interrupted": f"stopped between two actions: {result.done:,} done, {result.left:,} left. Every file is whole. "
        f"Next: lumina plan resume {plan.id}, or lumina plan rollback {plan.id}",
    }[result.outcome]
    say(said)
    if result.outcome == "complete":
        say(f"to take it back: lumina plan undo {plan.id}")
    if result.index != "current":
        say("the index is behind; nothing is lost, the next command that reaches it catches up")


def _exit_code(result: Applied, plan: StoredPlan, action: str) -> ExitCode:
    if result.outcome == "complete":
        return ExitCode.DONE
    if result.outcome == "rolled_back":
        return ExitCode.DONE if action == "rollback" else ExitCode.FAILED
    if result.outcome == "failed" and plan.plan.on_failure == "continue":
        return ExitCode.PROBLEMS
    return ExitCode.NEEDS_RESUME


def _undo(catalog: Catalog, plan: StoredPlan, args: argparse.Namespace) -> ExitCode:
    from lumina_fs.plans.files import read_plan, weigh, write_draft
    from lumina_fs.plans.undo import propose_undo

    draft = read_plan(catalog, write_draft(catalog, propose_undo(catalog, plan)))
    return tell_draft(draft, weigh(draft.plan).counts, as_json=args.json)


def tell_draft(draft: StoredPlan, counts: dict[str, int], *, as_json: bool) -> ExitCode:
    """Say that a plan was proposed, and what is next."""
    code = ExitCode.PROBLEMS if "skip" in counts else ExitCode.DONE
    if as_json:
        print_json({"plan": draft.id, "name": draft.plan.name, "digest": draft.digest, "counts": counts})
        return code
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "nothing to do"
    say(f"{draft.plan.name}: {told}. Nothing is done yet")
    say(f"look at it:  lumina plan show {draft.id}", f"say yes:     lumina plan approve {draft.id}")
    say(f"carry it out: lumina plan apply {draft.id}")
    return code
