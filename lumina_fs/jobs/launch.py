"""Long work started in a process of its own, for those who must not wait: its record tells how it gets on.

The process outlives the one that started it, so that closing a window does not stop a scan.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from lumina_fs.catalog import Catalog
from lumina_fs.left_running import leave

#: The end of what a process said that is kept of a failure, in bytes.
_LAST_WORDS = 4000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code, what it printed, and the last thing it complained of."""

    code: int
    output: str
    complaint: str


class Launched:
    """A `lumina` command that runs in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes]) -> None:
        self._process = process
        self._output = output
        self._errors = errors

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def running(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to stop where everything is valid, as Ctrl-C does; a second time: at once."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)

    def forget(self) -> None:
        """Leave it to itself: nobody waits for its end any more."""
        self._output.close()
        self._errors.close()
        leave(self._process)

    def wait(self) -> Ended:
        """Wait for its end. To be called once."""
        code = self._process.wait()
        output, complaints = _text(self._output), _text(self._errors, _LAST_WORDS)
        lines = [line for line in complaints.replace("\r", "\n").splitlines() if line.strip()]
        return Ended(code, output, lines[-1].removeprefix("lumina: ") if lines else "")


def launch(catalog: Catalog, words: Sequence[str]) -> Launched:
    """Start `lumina WORDS --catalog ...` in a session of its own. Raises OSError."""
    with contextlib.ExitStack() as opened:
        output, errors = (opened.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lumina_fs", *words, "--catalog", catalog.path],
            stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        opened.pop_all()  # `wait` or `forget` closes them
        return Launched(process, output, errors)


def _text(file: IO[bytes], last: int | None = None) -> str:
    """What was written to a file, or the last bytes of it; the file is closed."""
    with file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0 if last is None else max(0, size - last))
        return file.read().decode("utf-8", "replace")
