"""What commands share: which catalog is meant, Ctrl-C as a clean stop, and the index made ready."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from lumina_fs.catalog import Catalog
from lumina_fs.cli import COMMANDS
from lumina_fs.cli.display import Reporter
from lumina_fs.errors import CatalogNotFound, UsageError
from lumina_fs.known_catalogs import known_catalogs, remember
from lumina_fs.progress import Event, Finished

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

Result = TypeVar("Result")


def add_command(subparsers: Any, name: str, example: str, description: str = "") -> argparse.ArgumentParser:
    """A command's parser, with an example at the end of its help."""
    summary = COMMANDS.get(name) or description
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=_wrapped(description or summary[:1].upper() + summary[1:] + "."),
        epilog="example:\n  " + example.replace("\n", "\n  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _wrapped(text: str) -> str:
    """A description as wide as the terminal, like the options below it: examples must not be wrapped."""
    columns = max(40, shutil.get_terminal_size().columns - 2)
    return "\n".join(textwrap.fill(line, columns) if len(line) > columns else line for line in text.split("\n"))


def add_catalog_option(parser: argparse.ArgumentParser) -> None:
    """`--catalog`: a directory or the name of a known catalog."""
    parser.add_argument(
        "--catalog", metavar="DIR", help="the catalog: a directory in it, or the name of a known one (default: here)"
    )


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """`--json`: data for programs on stdout."""
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")


def add_wait_option(parser: argparse.ArgumentParser) -> None:
    """`--no-wait`: for commands that run as jobs."""
    parser.add_argument("--no-wait", action="store_true", help="fail where another does the same, rather than wait")


def open_catalog(where: str | None) -> Catalog:
    """The catalog that is meant: at or above a directory, or a known one by name, or the only known one."""
    catalog = Catalog.open(catalog_directory(where))
    remember(catalog.disk, catalog.id, catalog.name, catalog.path)
    return catalog


def catalog_directory(where: str | None) -> str:
    """Its directory. Raises UsageError, CatalogNotFound."""
    if where is not None and not os.path.isdir(where):
        for known in known_catalogs():
            if where in (known.name, known.id):
                return known.path
        raise UsageError(f"{where} is neither a directory nor the name of a known catalog")
    try:
        return Catalog.nearest(where or os.getcwd())
    except CatalogNotFound:
        present = [known for known in known_catalogs() if known.present]
        if where is not None or len(present) != 1:
            raise
        return present[0].path


@contextlib.contextmanager
def interruptible(*, stops: bool = True) -> Iterator[threading.Event]:
    """Ctrl-C (and a polite kill) asks the work to stop where everything is valid; a second one stops at once.

    Without `stops` nothing is under way that had to be stopped, and nothing is said. The thread that runs this looks
    at the event and never waits for it: a handler that sets an event in the midst of its `wait` stands still for ever.
    """
    cancel = threading.Event()

    def ask(number: int, _: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        if stops:
            # past the buffer, which may be in the midst of a write of ours
            with contextlib.suppress(OSError):
                os.write(2, b"\nstopping; what is written is valid (Ctrl-C again: at once)\n")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finish(events: Iterable[Event | Finished[Result]], reporter: Reporter) -> Result | None:
    """Print the events of a job; its result, None where it was stopped before it had one."""
    result = None
    try:
        for event in events:
            if isinstance(event, Finished):
                result = event.result
            else:
                reporter.show(event)
    finally:
        reporter.clear()
    return result


@contextlib.contextmanager
def ready_index(catalog: Catalog, cancel: threading.Event, *, quiet: bool = False) -> Iterator[PostgresIndex]:
    """The catalog's index, brought up to date. On a terminal a person is asked before it is made anew."""
    from lumina_fs.answers import answering_index

    reporter = Reporter(quiet=quiet)

    def may_rebuild(why: str) -> bool:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return True
        sys.stderr.write(f"{why}. Make it from the sidecars now? [Y/n] ")
        sys.stderr.flush()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # nothing runs that had to be stopped
        try:
            answer = sys.stdin.readline()
        finally:
            signal.signal(signal.SIGINT, before)
        return answer.endswith("\n") and answer.strip().lower() in ("", "y", "yes")

    with answering_index(catalog, show=reporter.show, may_rebuild=may_rebuild, cancel=cancel) as index:
        reporter.clear()
        yield index
