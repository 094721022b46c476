"""`lumina analyze`: a scan, a search for duplicates and tagging, as one chain of jobs."""

from __future__ import annotations

import argparse
from typing import Any

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
from lumina_fs.wording import in_words, plural, size


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "analyze",
        "lumina analyze --catalog ~/Photos",
        "Look at what is new in every source, search for duplicates, then let models tag what they have not seen yet "
        "(where they are installed; nothing is fetched). A failure or Ctrl-C ends the chain; "
        "`lumina jobs retry` goes on with the step that did not end well.",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_wait_option(parser)
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from index.protocol import IndexUnavailable, IndexUnusable
    from lumina_fs.jobs.chains import analyze

    try:
        with open_catalog(args.catalog) as catalog, interruptible() as cancel:
            result = finish(analyze(catalog, cancel=cancel, wait=not args.no_wait), Reporter(quiet=args.quiet))
    except (IndexUnavailable, IndexUnusable) as error:
        raise NeedsIndex(f"the index cannot be used: {error}. Your files are unaffected: lumina doctor") from None
    if result is None:
        return ExitCode.INTERRUPTED
    return chain_ended(result, as_json=args.json)


def chain_ended(result: Any, *, as_json: bool) -> ExitCode:
    """Print what the steps of a chain came to; the exit code."""
    found = {work: told(work, value) for work, value in result.results}
    if as_json:
        print_json({"chain": result.id, "cancelled": result.cancelled, "steps": found})
    else:
        for work, numbers in found.items():
            over = numbers.get("passed_over")
            say(f"{work}: {f'passed over: {over}' if over else summary(numbers)}")
        if found.get("duplicates", {}).get("groups"):
            say(f"{plural(found['duplicates']['groups'], 'group')} of duplicates: lumina duplicates list")
    if result.cancelled:
        return ExitCode.INTERRUPTED
    scanned = found.get("scan", {})
    if scanned.get("offline"):
        return ExitCode.OFFLINE
    return ExitCode.PROBLEMS if scanned.get("problems") else ExitCode.DONE


def told(work: str, result: Any) -> dict[str, Any]:
    """What a result says, as a record would have it."""
    if hasattr(result, "as_dict"):
        return dict(result.as_dict())
    if work == "duplicates":
        found = result.result
        return {"analysed": found.analysed, "groups": len(found.groups), "relations": len(found.relations)}
    return dict(result._asdict())


def summary(numbers: dict[str, Any]) -> str:
    """The numbers of a result that say something, in one line."""
    return (
        ", ".join(
            _counted(name, value)
            for name, value in numbers.items()
            if isinstance(value, int) and not isinstance(value, bool) and value
        )
        or "nothing to do"
    )


def _counted(name: str, value: int) -> str:
    """A number of a result with its name, which is that of many."""
    if name == "size":
        return size(value)
    many = in_words(name)
    return f"{value:,} {many[:-1] if value == 1 and many.endswith('s') else many}"
