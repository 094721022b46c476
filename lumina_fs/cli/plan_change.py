"""`lumina plan edit | reject | approve | delete`: what a person does with a draft."""

from __future__ import annotations

import argparse
import os

from lumina_fs.catalog import Catalog
from lumina_fs.cli.asking import ask
from lumina_fs.cli.display import print_json, say
from lumina_fs.editor import open_editor
from lumina_fs.errors import CorruptDocument, ExitCode, Refused, UsageError
from lumina_fs.plans.approving import Unfit, require_fit, require_open
from lumina_fs.plans.files import find_plan, find_plan_id, plan_path, read_plan, write_approval
from lumina_fs.plans.findings import findings_of
from lumina_fs.plans.status import status_of
from lumina_fs.plans.validate import Finding
from lumina_fs.wording import plural, size

_FIRST = 20


def edit(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Open a plan in the editor; check it after, and offer to go back where it no longer makes sense."""
    from lumina_fs.documents import read

    plan_id = find_plan_id(catalog, args.plan)
    path = plan_path(plan_id)
    before = read(catalog.root, path)
    assert before is not None
    while True:
        open_editor(os.path.join(catalog.path, path))
        after = read(catalog.root, path)
        if after is None:
            raise UsageError("the editor removed the plan", path=os.path.join(catalog.path, path))
        if after.etag == before.etag:
            say("nothing was changed")
            return ExitCode.DONE
        try:
            plan = read_plan(catalog, plan_id)
        except CorruptDocument as error:
            say(str(error), to_stderr=True)
            answer = ask("edit it [a]gain, go [b]ack to what it was, or [k]eep it as it is? [a] ", "a", "edit it again")
            if answer.startswith("b"):
                catalog.disk.write(catalog.root, path, before.data, if_match=after.etag)
                say("it is what it was")
                return ExitCode.DONE
            if answer.startswith("k"):
                return ExitCode.CORRUPT
            continue
        findings = findings_of(catalog, plan.plan)
        _say_findings(findings)
        if status_of(catalog, plan) != "draft":
            say("it was approved before this edit: that approval is void. Approve it again", to_stderr=True)
        return ExitCode.PROBLEMS if findings else ExitCode.DONE


def reject(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Turn actions into `skip`; what was proposed stays readable in them."""
    from lumina_fs.plans.reject import reject as reject_actions

    plan = find_plan(catalog, args.plan)
    require_open(catalog, plan)
    if not args.path and not args.refused:
        raise UsageError("which actions? Name originals or folders as the plan does, or --refused")
    refused = {one.action for one in findings_of(catalog, plan.plan)} if args.refused else set()
    count = reject_actions(catalog, plan, args.path, args.reason, also=refused)
    findings = findings_of(catalog, read_plan(catalog, plan.id).plan)
    if args.json:
        print_json({"plan": plan.id, "rejected": count, "refused": len({one.action for one in findings})})
    else:
        say(f"{plural(count, 'action')} rejected")
        _say_findings(findings)
    return ExitCode.DONE


def approve(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Show what would be done, ask, and write the approval of exactly these bytes."""
    plan = find_plan(catalog, args.plan)
    try:
        weight = require_fit(catalog, plan)
    except Unfit as error:
        _say_findings(error.findings)
        raise
    counts = ", ".join(f"{count:,} {do}" for do, count in weight.counts.items())
    say(f"{plan.plan.name}: {counts}, {size(weight.size)}; digest {plan.digest[:16]}", to_stderr=args.json)
    if args.yes is not None:
        if len(args.yes) < 8 or not plan.digest.startswith(args.yes.lower()):
            raise Refused(f"the digest of the plan is {plan.digest[:16]}..., not {args.yes}: look at it again")
    elif ask("Approve exactly this? [y/N] ", "n", "approve takes --yes DIGEST instead") not in ("y", "yes"):
        say("not approved")
        return ExitCode.REFUSED
    approval = write_approval(catalog, plan)
    if args.json:
        print_json({"plan": plan.id, "approval": approval.id, "digest": approval.plan_sha256})
    else:
        say(f"approved by {approval.by}. Next: lumina plan apply {plan.id[-8:]}")
    return ExitCode.DONE


def delete(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    """Remove a draft. What was approved or run stays as a record."""
    from lumina_fs.plans.files import remove_plan

    plan = find_plan(catalog, args.plan)
    require_open(catalog, plan)
    remove_plan(catalog, plan)
    print_json({"plan": plan.id, "deleted": True}) if args.json else say(f"deleted: {plan.plan.name}")
    return ExitCode.DONE


def _say_findings(findings: list[Finding]) -> None:
    for one in findings[:_FIRST]:
        say(f"action {one.action + 1}, {one.path}: {one.reason}", to_stderr=True)
    if len(findings) > _FIRST:
        say(f"... and {len(findings) - _FIRST:,} more", to_stderr=True)
