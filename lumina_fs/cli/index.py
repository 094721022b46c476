"""`lumina index`: the state of the cache, making it anew, proving it, dropping it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import Reporter, print_json, say
from lumina_fs.cli.session import (
    add_catalog_option,
    add_command,
    add_json_option,
    add_wait_option,
    finish,
    interruptible,
    open_catalog,
)
from lumina_fs.errors import ExitCode, NeedsIndex
from lumina_fs.index_session import connect, exclusive, is_behind
from lumina_fs.wording import duration, plural


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "index",
        "lumina index rebuild\nlumina index verify",
        "The index is a cache of the sidecars. `rebuild` makes it anew from them, `verify` builds it beside the live "
        "one and compares the two, `drop` removes it; nothing of yours is in it.",
    )
    parser.add_argument("action", choices=("status", "rebuild", "verify", "drop"), help="what to do with it")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_wait_option(parser)
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from index.protocol import IndexUnavailable, IndexUnusable

    actions = {"status": _status, "rebuild": _rebuild, "verify": _verify, "drop": _drop}
    try:
        with open_catalog(args.catalog) as catalog:
            return actions[args.action](catalog, args)
    except IndexUnavailable as error:
        raise NeedsIndex(f"the index cannot be reached: {error}. Your files are unaffected") from None
    except IndexUnusable as error:
        raise NeedsIndex(f"{error}; make it with: lumina index rebuild") from None


def _status(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    from index.protocol import IndexUnusable

    with connect(catalog) as index:
        try:
            index.check()
        except IndexUnusable as error:
            print_json({"state": "unusable", "why": str(error)}) if args.json else say(f"{error}: lumina index rebuild")
            return ExitCode.INDEX_UNAVAILABLE
        summary, behind = index.summary(), is_behind(catalog)
        revision = index.meta("revision")
    if args.json:
        print_json({"state": "behind" if behind else "current", "revision": revision, **asdict(summary)})
    else:
        state = "behind: the next command that uses it catches up" if behind else "current"
        say(f"{state}; {plural(summary.originals, 'original')}, {plural(sum(summary.problems.values()), 'problem')}")
        if summary.stale:
            say(f"{plural(summary.stale, 'sidecar')} cannot be read at present; the last good rows stand: lumina check")
    return ExitCode.DONE


def _rebuild(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    import time

    from lumina_fs.jobs.kinds import rebuild_work
    from lumina_fs.jobs.running import run as run_job
    from lumina_fs.rebuild import rebuild

    begun = time.monotonic()
    with interruptible() as cancel:
        events = run_job(catalog, rebuild_work(), rebuild(catalog, cancel=cancel), cancel=cancel, wait=not args.no_wait)
        result = finish(events, Reporter(quiet=args.quiet))
    if result is None or cancel.is_set():
        return ExitCode.INTERRUPTED
    seconds = time.monotonic() - begun
    if args.json:
        print_json({"originals": result.originals, "corrupt": result.corrupt, "seconds": round(seconds, 2)})
    else:
        say(f"made from {plural(result.originals, 'sidecar')} in {duration(seconds)}")
        if result.corrupt:
            say(f"{plural(result.corrupt, 'sidecar')} cannot be read: lumina check")
    return ExitCode.PROBLEMS if result.corrupt else ExitCode.DONE


def _verify(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    from lumina_fs.jobs.kinds import verify_work
    from lumina_fs.jobs.running import run as run_job
    from lumina_fs.rebuild import verify

    with interruptible() as cancel:
        events = run_job(catalog, verify_work(), verify(catalog, cancel=cancel), cancel=cancel, wait=not args.no_wait)
        verdict = finish(events, Reporter(quiet=args.quiet))
    if verdict is None:
        return ExitCode.INTERRUPTED
    if args.json:
        print_json({**asdict(verdict), "equal": verdict.equal})
    else:
        say(f"index {verdict.live}", f"files {verdict.files}")
        for difference in verdict.differences:
            say(f"  {difference.source}: {difference.path}: {difference.kind}")
            for name, (live, file) in difference.columns.items():
                say(f"    {name}: index {_short(live)}, files {_short(file)}")
        if verdict.equal:
            say(f"equal: the index says of {plural(verdict.rows, 'original')} what the files say")
        else:
            say(
                f"{plural(verdict.different, 'row')} differ: lumina scan brings in what changed, "
                "lumina index rebuild all"
            )
    return ExitCode.DONE if verdict.equal else ExitCode.PROBLEMS


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _drop(catalog: Catalog, args: argparse.Namespace) -> ExitCode:
    with exclusive(catalog, "dropping the index"), connect(catalog) as index:
        there = index.drop()
    if args.json:
        print_json({"dropped": there})
    else:
        say("dropped; `lumina index rebuild` makes it again" if there else "there was none")
    return ExitCode.DONE
