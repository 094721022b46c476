"""`lumina tag`: models look at photos, and sidecars say what they saw. What a person says stands above it."""

from __future__ import annotations

import argparse
import os
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
from lumina_fs.cli.show import locate
from lumina_fs.errors import ExitCode, NeedsIndex, UsageError
from lumina_fs.sidecars import SUFFIX
from lumina_fs.wording import duration, plural

_EXAMPLE = """\
lumina tag
lumina tag 2019/IMG_0001.JPG --again
lumina tag --query date:2019 --objects
lumina search auto:dog"""


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(
        subparsers,
        "tag",
        _EXAMPLE,
        "Let models look at photos: CLIP for tags, YOLO for objects (the extra lumina-fs[ai]). What they saw goes into "
        "the sidecars' machine block and is found with auto:dog; your own tags are not touched, and a tag that you put "
        "into rejected_tags is never shown. Only what lacks the answer of the present model is looked at. Weights that "
        "are not on this machine yet are fetched by the libraries.",
    )
    parser.add_argument("photos", nargs="*", metavar="PHOTO", help="only these (default: all of the catalog)")
    parser.add_argument("--query", default="", metavar="Q", help="only what this finds, in the language of search")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--clip", action="store_true", help="only tags by CLIP")
    which.add_argument("--objects", action="store_true", help="only objects by YOLO")
    parser.add_argument("--again", action="store_true", help="look also at what has the answer already")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_wait_option(parser)
    add_catalog_option(parser)
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    from index.protocol import IndexUnavailable, IndexUnusable, QueryError
    from lumina_fs.jobs.kinds import Started, tag_work, tags
    from lumina_fs.jobs.running import run as run_job
    from lumina_fs.tagging.wishes import KINDS

    measurers = [name for kind, name in KINDS.items() if getattr(args, kind)]
    with open_catalog(args.catalog) as catalog, interruptible() as cancel:
        named = [locate(catalog, os.path.abspath(photo.removesuffix(SUFFIX))) for photo in args.photos]
        chosen = named or None
        work = tag_work(measurers=measurers, originals=chosen, query=args.query, again=args.again)
        started = Started(work, tags(catalog, chosen, work.arguments, cancel=cancel))
        reporter = Reporter(quiet=args.quiet)
        try:
            jobs = run_job(catalog, started.work, started.events, cancel=cancel, wait=not args.no_wait)
            result = finish(jobs, reporter)
        except QueryError as error:
            raise UsageError(f"the query: {error}") from None
        except (IndexUnavailable, IndexUnusable) as error:
            raise NeedsIndex(f"the index cannot be used: {error}. Your files are unaffected: lumina doctor") from None
    if result is None:
        return ExitCode.INTERRUPTED
    if args.json:
        print_json(result.as_dict())
    else:
        _say(result)
    if result.cancelled:
        return ExitCode.INTERRUPTED
    return ExitCode.PROBLEMS if result.problems else ExitCode.DONE


def _say(result: Any) -> None:
    parts = [
        (result.tagged, "tagged"), (result.current, "seen before"), (result.undecodable, "without a picture"),
        (result.problems, "with problems"),
    ]  # fmt: skip
    told = ", ".join(f"{count:,} {what}" for count, what in parts if count) or "nothing to do"
    say(f"{plural(result.photos, 'photo')} to look at, in {duration(result.seconds)}: {told}")
    if result.index != "current":
        say("the index is behind; nothing is lost, the next command that reaches it catches up")
