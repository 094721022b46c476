"""The command `lumina`: one file a command, listed here by hand; the only place that turns errors into exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from lumina_fs import __version__
from lumina_fs.collector import starting
from lumina_fs.errors import ExitCode, LuminaError, UsageError
from lumina_fs.terminal import visible

#: Every command with what it is for. A command's own module is loaded when it is the one that is run.
COMMANDS = {
    "init": "make a directory a catalog",
    "scan": "look at new and changed photos and write their sidecars",
    "status": "what the catalog holds",
    "show": "all that is known of a photo",
    "search": "find photos",
    "set": "say something of photos: rating=4 tags+=people/anna",
    "tags": "every tag you gave: list, rename, merge, delete",
    "edit": "open a photo's sidecar in your editor",
    "history": "earlier versions of what you said of a photo",
    "duplicates": "find twins, decide once: find, list, show, decide, summary, export, propose",
    "plan": "reorganise: propose, show, edit, reject, approve",
    "tag": "let models say what is in photos",
    "analyze": "scan, then search for duplicates, then tag, as one",
    "jobs": "long work: list, show, watch, cancel, retry, clean, schedule, run-due",
    "index": "the index: status, rebuild, verify, drop",
    "daemon": "keep catalogs true while files change: run, sync, status, stop, install",
    "check": "check every sidecar and document",
    "source": "list, add and change sources",
    "trash": "what plans took away: list, restore, empty",
    "audit": "what was done to which file, when, by whom",
    "cache": "thumbnails: size, clear, make",
    "catalogs": "the catalogs you have used: list, forget, delete",
    "doctor": "what is installed, and what is missing",
}

EPILOG = """\
start here:
  lumina scan ~/Photos     make a catalog of a folder; photos are never changed
  lumina search beach      find photos
  lumina status            what the catalog holds

exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some files have
problems, 4 refused, 5 a plan needs resume or rollback, 6 a document is corrupt,
7 locked, 8 read or write error, 9 source offline, 10 index unavailable,
130 interrupted.
`lumina COMMAND --help` has an example of each.
"""


#: A term that must not fit: `-camera:canon`, `-beach`, `-"red bike"`, `-(a OR b)`.
_NEGATED = re.compile(r'-[\w"(]')
#: Options of `search` whose value comes as the next word.
_VALUED = ("--like", "--within", "--limit", "--offset", "--catalog")


class Command(Protocol):
    """What a module of this package offers."""

    def add_parser(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the command's own parser."""

    def run(self, args: argparse.Namespace) -> ExitCode:
        """Do it."""


class FrontEnd(NamedTuple):
    """A command that a layer above this one adds: what it is for, and the module that does it."""

    summary: str
    module: str


def build_parser(
    command: str | None = None, front_ends: Mapping[str, FrontEnd] | None = None
) -> argparse.ArgumentParser:
    """The command line. Of `command` it knows everything, of the others what they are for."""
    above = front_ends or {}
    parser = argparse.ArgumentParser(
        prog="lumina",
        description="A photo catalog whose truth is files that you can read, edit and copy.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lumina {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in {**COMMANDS, **{name: one.summary for name, one in above.items()}}.items():
        if name == command:
            _module(name, above).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    return parser


def _module(name: str, front_ends: Mapping[str, FrontEnd]) -> Command:
    where = front_ends[name].module if name in front_ends else f"lumina_fs.cli.{name}"
    module: Command = importlib.import_module(where)
    return module


def _with_queries(command: str | None, words: Sequence[str]) -> list[str]:
    """The words with those of a query that begin with a minus in a form that argparse does not take for options."""
    found: list[str] = []
    for word, before in zip(words, ["", *words], strict=False):
        negated = _NEGATED.match(word) is not None and word != "-h"
        if negated and before == "--query":
            found[-1] += "=" + word
        elif negated and command == "search" and before not in _VALUED:
            found.append(" " + word)
        else:
            found.append(word)
    return found


def main(argv: Sequence[str] | None = None, front_ends: Mapping[str, FrontEnd] | None = None) -> int:
    """Run `lumina` with `argv`; returns the exit code. `front_ends`: commands of the layer above, by name."""
    words = sys.argv[1:] if argv is None else argv
    above = front_ends or {}
    starting()
    try:
        command = next((word for word in words if word in COMMANDS or word in above), None)
        args, extra = build_parser(command, above).parse_known_args(_with_queries(command, words))
        if extra:
            raise UsageError(f"nobody knows what {' '.join(extra)} means here; see lumina {args.command} --help")
        return int(_module(args.command, above).run(args))
    except LuminaError as error:
        sys.stderr.write(f"lumina: {visible(str(error))}\n")
        return int(error.exit_code)
    except BrokenPipeError:
        # the reader of our output has gone (`| head`): silence the interpreter's own complaint at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except OSError as error:
        what = f"{visible(os.fsdecode(error.filename))}: " if isinstance(error.filename, (str, bytes)) else ""
        sys.stderr.write(f"lumina: {what}{error.strerror or error}\n")
        return int(ExitCode.IO)
    except KeyboardInterrupt:
        sys.stderr.write("lumina: interrupted\n")
        return int(ExitCode.INTERRUPTED)
