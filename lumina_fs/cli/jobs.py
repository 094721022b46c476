"""`lumina jobs`: what runs and what ran, asked to stop, started again, tidied up, and done again and again."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from lumina_fs.cli import jobs_shown as shown
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    add_wait_option,
    interruptible,
    open_catalog,
)
from lumina_fs.errors import ExitCode, NeedsIndex, UsageError
from lumina_fs.wording import plural

_EXAMPLE = """\
lumina jobs list
lumina jobs watch
lumina jobs cancel 3f2a91c0
lumina jobs schedule scan --every 1d
lumina jobs schedule analyze --at 03:00
lumina jobs schedule list"""
_ACTIONS = {
    "list": "what runs and what ran, the latest first",
    "show": "all about one job",
    "watch": "follow a job until it ends (default: the one that runs)",
    "cancel": "ask a running job to stop where everything is valid",
    "retry": "start a job again that failed or was stopped; it goes on where it was",
    "clean": "remove the records of jobs that ended",
    "schedule": "do work again and again: schedule WORK --every 1d, schedule list, schedule remove NAME",
    "run-due": "run the scheduled work whose time has come (a running daemon does this by itself)",
}
_WORK = ("scan", "rehash", "duplicates", "thumbnails", "rebuild", "verify", "tag", "analyze")


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "jobs",
        _EXAMPLE,
        "Scans, searches for duplicates and other long work leave a record in .lumina/jobs/. "
        "Any process can read it and ask the work to stop.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in _ACTIONS.items():
        one = actions.add_parser(name, help=summary)
        add_catalog_option(one)
        add_json_option(one)
    for name in ("show", "cancel", "retry"):
        actions.choices[name].add_argument("job", help="its id, or the start or end of it")
    actions.choices["watch"].add_argument("job", nargs="?", help="its id, or the start or end of it")
    actions.choices["list"].add_argument("--state", choices=shown.STATES, help="only those in this state")
    actions.choices["list"].add_argument("--limit", type=int, default=20, help="at most so many (20; 0: all)")
    actions.choices["clean"].add_argument(
        "--all", action="store_true", help="interrupted ones too, which could be started again"
    )
    add_wait_option(actions.choices["retry"])
    _add_schedule(actions.choices["schedule"])


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("list", "remove", *_WORK), metavar="WORK|list|remove", help=", ".join(_WORK))
    parser.add_argument("schedule", nargs="?", metavar="NAME", help="with remove: the schedule")
    parser.add_argument("--every", metavar="TIME", help="so long after its last start: 30m, 6h, 1d, 2w")
    parser.add_argument("--at", metavar="HH:MM", help="each day at this time")
    parser.add_argument("--name", help="what to call it (default: as the work)")
    parser.add_argument("--source", action="append", metavar="NAME", help="scan, rehash: only this source (repeatable)")


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from index.protocol import IndexUnavailable, IndexUnusable

    actions: dict[str, Callable[[argparse.Namespace], ExitCode]] = {
        "list": _list, "show": _show, "watch": _watch, "cancel": _cancel, "retry": _retry, "clean": _clean,
        "schedule": _schedule, "run-due": _run_due,
    }  # fmt: skip
    try:
        return actions[args.action](args)
    except (IndexUnavailable, IndexUnusable) as error:
        raise NeedsIndex(f"the index cannot be used: {error}. Your files are unaffected: lumina doctor") from None


def _list(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.records import list_records

    with open_catalog(args.catalog) as catalog:
        records, corrupt = list_records(catalog.root)
    for error in corrupt:
        say(error, to_stderr=True)
    records = [record for record in records if args.state in (None, record.state)]
    shown.jobs(records[: args.limit or None], as_json=args.json)
    if args.limit and len(records) > args.limit and not args.json:
        say(f"{len(records) - args.limit:,} more: --limit 0", to_stderr=True)
    return ExitCode.CORRUPT if corrupt else ExitCode.DONE


def _show(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.records import find_record

    with open_catalog(args.catalog) as catalog:
        shown.job(find_record(catalog, args.job), as_json=args.json)
    return ExitCode.DONE


def _watch(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.records import find_record, list_records

    with open_catalog(args.catalog) as catalog, interruptible(stops=False) as stop:
        if args.job is not None:
            record = find_record(catalog, args.job)
        else:
            running = [record for record in list_records(catalog.root)[0] if record.alive]
            if not running:
                say("no job runs now: lumina jobs list", to_stderr=True)
                return ExitCode.DONE
            record = running[0]
        last = shown.follow(catalog.root, record, stop, as_json=args.json)
    return ExitCode.INTERRUPTED if stop.is_set() else shown.exit_code(last)


def _cancel(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.records import find_record, request_cancel

    with open_catalog(args.catalog) as catalog:
        record = find_record(catalog, args.job)
        if record.alive:
            request_cancel(catalog.disk, catalog.root, record.id)
    if args.json:
        print_json({"id": record.id, "asked": record.alive, "state": record.state})
    elif record.alive:
        say(f"{record.job.work} {record.id} was asked to stop; lumina jobs watch {record.id[-8:]} shows its end")
    else:
        say(f"nothing to do: {record.job.work} {record.id} does not run ({record.state})", to_stderr=True)
    return ExitCode.DONE


def _retry(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.cli.analyze import chain_ended
    from lumina_fs.jobs.again import retry
    from lumina_fs.jobs.chains import ChainResult
    from lumina_fs.jobs.records import find_record
    from lumina_fs.progress import Event, Finished

    reporter, last = Reporter(quiet=args.json), None
    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        record = find_record(catalog, args.job)
        try:
            for event in retry(catalog, record, cancel=cancel, wait=not args.no_wait):
                if isinstance(event, Finished):
                    last = event.result
                elif isinstance(event, Event):
                    reporter.show(event)
        finally:
            reporter.clear()
        if isinstance(last, ChainResult):
            return chain_ended(last, as_json=args.json)
        record = find_record(catalog, record.id)
    shown.ended(record, as_json=args.json)
    return shown.exit_code(record)


def _clean(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.tidy import clean

    with open_catalog(args.catalog) as catalog:
        removed, kept = clean(catalog, interrupted=args.all)
    if args.json:
        print_json({"removed": removed, "kept": kept})
    else:
        say(f"{plural(removed, 'record')} removed, {kept:,} kept")
    return ExitCode.DONE


def _schedule(args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.schedules import add_schedule, planned, remove_schedule

    with open_catalog(args.catalog) as catalog:
        if args.what == "list":
            shown.schedules(planned(catalog), as_json=args.json)
            return ExitCode.DONE
        if args.what == "remove":
            if args.schedule is None:
                raise UsageError("say which: lumina jobs schedule remove NAME")
            remove_schedule(catalog, args.schedule)
            print_json({"removed": args.schedule}) if args.json else say(f"{args.schedule} removed")
            return ExitCode.DONE
        if args.schedule is not None:
            raise UsageError(f"{args.schedule}: only `remove` takes a name here; --name names a new schedule")
        arguments = _arguments(args)
        name = add_schedule(catalog, args.what, arguments, every=args.every, at=args.at, name=args.name)
        [plan] = [one for one in planned(catalog) if one.schedule.name == name]
    if args.json:
        print_json(shown.schedule(plan))
    else:
        say(f"{name} is scheduled, next {shown.moment(plan.next)}: a running daemon does it, or `lumina jobs run-due`")
    return ExitCode.DONE


def _arguments(args: argparse.Namespace) -> dict[str, Any]:
    if not args.source:
        return {}
    if args.what not in ("scan", "rehash"):
        raise UsageError(f"--source does not go with {args.what}")
    return {"sources": args.source}


def _run_due(args: argparse.Namespace) -> ExitCode:
    from datetime import datetime

    from lumina_fs.cli.session import finish
    from lumina_fs.jobs.schedules import run_due

    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        done = finish(run_due(catalog, datetime.now().astimezone(), cancel=cancel), Reporter(quiet=args.json)) or []
    for name, state in done:
        print_json({"schedule": name, "state": state}) if args.json else say(f"{name}: {state}")
    if not done and not args.json:
        say("nothing is due", to_stderr=True)
    states = {state for _, state in done}
    if "failure" in states:
        return ExitCode.FAILED
    return ExitCode.INTERRUPTED if cancel.is_set() else ExitCode.DONE
