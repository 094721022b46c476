"""The real program in a real terminal multiplexer, with a server of its own: keys go in, the screen is read."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len

PATIENCE = 90.0
REPOSITORY = Path(__file__).resolve().parents[2]


class Terminal:
    """One window with a program in it."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def run(self, *words: str) -> str:
        """A command of tmux; what it prints."""
        done = subprocess.run(["tmux", "-S", self._socket, *words], capture_output=True, text=True, timeout=30)
        return done.stdout

    def press(self, *keys: str) -> None:
        """Keys by their names in tmux: `a`, `Enter`, `C-s`, `Down`."""
        self.run("send-keys", "-t", "main", *keys)

    def type(self, text: str) -> None:
        """A text, letter by letter."""
        self.run("send-keys", "-t", "main", "-l", text)

    def click(self, text: str) -> None:
        """A click on the first letter of a text on the screen."""
        lines = self.until(text).splitlines()
        row = next(number for number, line in enumerate(lines) if text in line)
        column = cell_len(lines[row][: lines[row].index(text)])
        for end in "Mm":
            self.type(f"\x1b[<0;{column + 1};{row + 1}{end}")

    @property
    def shown(self) -> str:
        """What is on the screen."""
        return self.run("capture-pane", "-p", "-t", "main")

    def until(self, *texts: str) -> str:
        """Wait until all of these texts are on the screen, which is returned."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            shown = self.shown
            if all(text in shown for text in texts):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{texts} is not shown:\n{self.shown}")

    def until_gone(self, text: str) -> str:
        """Wait until a text is not on the screen any more."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            shown = self.shown
            if text not in shown:
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{text} is still shown:\n{self.shown}")

    def until_ended(self) -> None:
        """Wait until the program has ended."""
        end = time.monotonic() + PATIENCE
        while self.run("display-message", "-p", "-t", "main", "#{pane_dead}").strip() != "1":
            assert time.monotonic() < end, self.shown
            time.sleep(0.1)


@contextlib.contextmanager
def lumina_in_tmux(
    folder: Path, *words: str, size: tuple[int, int] = (110, 34), environment: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """`lumina WORDS`, started in a folder; skips where there is no tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux on this machine: .ci/prepare dev installs it from the system's packages")
    with tempfile.TemporaryDirectory(prefix="lumina-tmux-") as place:
        terminal = Terminal(f"{place}/socket")
        given = {**os.environ, "PYTHONPATH": str(REPOSITORY), "COLORTERM": "truecolor", **(environment or {})}
        given.pop("TMUX", None)
        subprocess.run(
            ["tmux", "-S", f"{place}/socket", "-f", "/dev/null", "new-session", "-d", "-s", "main",
             "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder),
             sys.executable, "-P", "-m", "tui", *words,
             ";", "set-option", "-t", "main", "remain-on-exit", "on"],
            env=given, check=True, timeout=30,
        )  # fmt: skip
        try:
            yield terminal
        finally:
            terminal.run("kill-server")
