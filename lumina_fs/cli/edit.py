"""`lumina edit`: a photo's sidecar in the person's editor, checked after, and in the index at once."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.cli.asking import ask
from lumina_fs.cli.display import say
from lumina_fs.cli.session import add_command, open_catalog
from lumina_fs.cli.show import locate
from lumina_fs.curating.shown import told
from lumina_fs.editor import open_editor
from lumina_fs.errors import CorruptDocument, ExitCode
from lumina_fs.sidecars import SUFFIX


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "edit", "lumina edit 2019/IMG_0001.JPG")
    parser.add_argument("photo", help="the photo, or its sidecar")


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    path = os.path.abspath(args.photo.removesuffix(SUFFIX))
    with open_catalog(os.path.dirname(path)) as catalog:
        source, inner = locate(catalog, path)
        catalog.ensure_schemas()
        return _edit(catalog, source.name, inner)


def _edit(catalog: Catalog, source: str, inner: str) -> ExitCode:
    from lumina_fs.curating.by_editor import Session

    with Session(catalog, source, inner) as session:
        while True:
            open_editor(session.shown)
            try:
                fields = session.look()
            except CorruptDocument as error:
                say(str(error), to_stderr=True)
                answer = _answer()
                if answer.startswith("b"):
                    session.go_back()
                    say("it is what it was")
                    return ExitCode.DONE
                if answer.startswith("l"):
                    say("left as it is; searches find the last good version until it is mended", to_stderr=True)
                    return ExitCode.CORRUPT
                continue
            if fields is None:
                say("nothing was changed")
                return ExitCode.DONE
            index = session.take_in()
            say(told(fields) or "nothing of yours was changed, but other parts of the sidecar were")
            if index != "current":
                say("the index is behind; nothing is lost, the next command that reaches it catches up")
            return ExitCode.DONE


def _answer() -> str:
    """What to do about a sidecar that cannot be used; it is left as it is where nobody can be asked."""
    if not sys.stdin.isatty():
        return "l"
    return ask("edit it [a]gain, go [b]ack to what it was, or [l]eave it as it is? [a] ", "a", "edit it again")
