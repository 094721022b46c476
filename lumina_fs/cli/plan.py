"""`lumina plan`: what should happen to originals, proposed, looked at, edited and approved by a person."""

from __future__ import annotations

import argparse
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, print_table, say
from lumina_fs.cli.session import add_catalog_option, add_command, add_json_option, open_catalog
from lumina_fs.errors import ExitCode
from lumina_fs.wording import size

EXAMPLE = """\
lumina plan propose YYYY/MM --query "path:incoming"
lumina plan show 3f2a9c01 --only warned
lumina plan reject 3f2a9c01 incoming/scan.jpg --reason "not a photo"
lumina plan approve 3f2a9c01
lumina plan apply 3f2a9c01
lumina plan undo 3f2a9c01"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    from lumina_fs.cli import plan_propose, plan_runs, plan_show

    parser = add_command(
        subparsers, "plan", EXAMPLE,
        "What should happen to originals. Nothing happens before a plan is approved and applied.",
    )  # fmt: skip
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    added = [plan_propose.add_parser(actions), plan_show.add_parser(actions)]
    added.append(actions.add_parser("list", help="list the plans"))
    added.append(_of_plan(actions.add_parser("edit", help="open a draft in $EDITOR, and check it after")))
    rejecting = _of_plan(actions.add_parser("reject", help="take actions out of a draft; they stay readable"))
    rejecting.add_argument("path", nargs="*", help="an original as the plan names it, or a folder of them")
    rejecting.add_argument("--refused", action="store_true", help="all actions that would be refused")
    rejecting.add_argument("--reason", default="rejected", help="why")
    approving = _of_plan(actions.add_parser("approve", help="say yes to exactly what the plan says now"))
    approving.add_argument("--yes", metavar="DIGEST", help="do not ask: the first 8 or more digits of its digest")
    deleting = _of_plan(actions.add_parser("delete", help="remove a plan that is not approved"))
    added += [rejecting, approving, deleting]
    for one in added:
        add_catalog_option(one)
        add_json_option(one)
    plan_runs.add_subcommands(actions)


def _of_plan(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("plan", help="its id, the end of it, or its name")
    return parser


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from lumina_fs.cli import plan_change, plan_propose, plan_runs, plan_show

    if args.action in plan_runs.ACTIONS:
        return plan_runs.run(args)
    doing = {
        "propose": plan_propose.run, "show": plan_show.run, "list": _list, "edit": plan_change.edit,
        "reject": plan_change.reject, "approve": plan_change.approve, "delete": plan_change.delete,
    }  # fmt: skip
    with open_catalog(args.catalog) as catalog:
        return doing[args.action](catalog, args)


def _list(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Every plan, oldest first; one that does not parse is named with what is wrong."""
    from lumina_fs.plans.files import short
    from lumina_fs.plans.listing import Listing

    rows, code = [], ExitCode.DONE
    for plan in reversed(Listing(catalog).look()[0]):
        if plan.problem:
            say(plan.problem, to_stderr=True)
            code = ExitCode.CORRUPT
            continue
        if args.json:
            print_json(plan.value())
        counts = ", ".join(f"{count:,} {do}" for do, count in (plan.counts or {}).items()) or "nothing"
        rows.append((short(plan.id), plan.status, plan.created[:16].replace("T", " "), counts, size(plan.size),
                     plan.name))  # fmt: skip
    if rows and not args.json:
        print_table(("PLAN", "STATUS", "CREATED", "ACTIONS", "SIZE", "NAME"), rows, spare=("SIZE", "CREATED"))
    elif not rows and not args.json:
        say("there are no plans; `lumina plan propose YYYY/MM` makes one", to_stderr=True)
    return code
