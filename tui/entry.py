"""The console script `lumina`: the terminal UI where nothing is asked for, else a command."""

from __future__ import annotations

import sys

from lumina_fs import cli
from lumina_fs.cli import FrontEnd
from lumina_fs.collector import ending
from lumina_fs.utf8 import require_utf8

#: What this layer adds to the commands of `lumina_fs.cli`.
FRONT_ENDS = {
    "ui": FrontEnd("the terminal UI (also: lumina alone)", "tui.commands.ui"),
    "serve": FrontEnd("the terminal UI in a browser", "tui.commands.serve"),
}


def main() -> int:
    """Run `lumina`; returns the exit code."""
    require_utf8()
    words = sys.argv[1:]
    if not words and sys.stdin.isatty() and sys.stdout.isatty():
        words = ["ui"]
    try:
        return cli.main(words, FRONT_ENDS)
    finally:
        ending()


if __name__ == "__main__":
    sys.exit(main())
