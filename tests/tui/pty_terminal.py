"""The real program on a real pty: every byte that it writes is kept, and read as a terminal would."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyte

PATIENCE = 60.0
REPOSITORY = Path(__file__).resolve().parents[2]


#: Pictures for the terminal, which pyte would take for text; whole ones, and one that has only begun.
_GRAPHICS = re.compile(rb"\x1b[P_][^\x1b]*\x1b\\")
_BEGUN = re.compile(rb"\x1b(?:[P_][^\x1b]*\x1b?)?\Z")


class Pty:
    """A terminal with a program in it."""

    def __init__(self, handle: int, pid: int, size: tuple[int, int]) -> None:
        self._handle = handle
        self.pid = pid
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._unread = b""
        #: All that the program has written.
        self.written = bytearray()

    def read(self, seconds: float) -> bool:
        """Take in what is written within some seconds; False when nothing was."""
        ready, _, _ = select.select([self._handle], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._handle, 1 << 16)
        except OSError:  # the program has ended
            return False
        self.written += data
        text = _GRAPHICS.sub(b"", self._unread + data)
        begun = _BEGUN.search(text)
        cut = begun.start() if begun is not None else len(text)
        self._unread = text[cut:]
        self._stream.feed(text[:cut])
        return bool(data)

    @property
    def shown(self) -> str:
        """What is on the screen."""
        return "\n".join(self._screen.display)

    def until(self, text: str) -> None:
        """Wait until a text is on the screen."""
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert time.monotonic() < end, f"{text!r} is not shown:\n{self.shown}"
            self.read(0.2)

    def until_written(self, part: bytes, times: int) -> None:
        """Wait until something was written so many times."""
        end = time.monotonic() + PATIENCE
        while self.written.count(part) < times:
            assert time.monotonic() < end, f"{part!r} was written {self.written.count(part)} times:\n{self.shown}"
            self.read(0.2)

    def rest(self, quiet: float = 0.3) -> None:
        """Wait until nothing more is written, or what is written goes on for a while."""
        end = time.monotonic() + 4
        while time.monotonic() < end and self.read(quiet):
            pass

    def press(self, keys: str) -> None:
        """Keys, as the bytes that a terminal sends."""
        os.write(self._handle, keys.encode())


@contextlib.contextmanager
def lumina_on_pty(
    *words: str, size: tuple[int, int] = (120, 40), environment: Mapping[str, str] | None = None
) -> Iterator[Pty]:
    """`lumina WORDS` on a pty."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tui", *words], stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm-256color", "COLORTERM": "truecolor",
             **(environment or {})},
    )  # fmt: skip
    os.close(theirs)
    terminal = Pty(ours, process.pid, size)
    try:
        yield terminal
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            terminal.press("\x11")  # ctrl+q; more than once, as it may come too soon after an escape
            again = time.monotonic() + PATIENCE / 4
            while process.poll() is None and time.monotonic() < again:
                terminal.read(0.1)
        terminal.rest()
    finally:
        process.kill()
        process.wait()
        os.close(ours)
