"""How a figure is taken: wall time, processor time and memory of a command with all its processes."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "bench"


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds of wall and processor time and bytes read (children included), peak PSS in MB."""

    wall: float
    cpu: float
    peak: float
    read: int
    out: str
    code: int


@dataclass(frozen=True)
class Figure:
    """What was measured. `target` is the most that `value` should be (the least, for a `floor`)."""

    name: str
    value: float
    target: float
    detail: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """True when the target is reached."""
        return self.value >= self.target if self.at_least else self.value <= self.target


def lumina(*arguments: str, environment: dict[str, str] | None = None, watch: bool = False) -> Run:
    """Run `lumina` in a process of its own; `watch` also samples the memory of all its processes, Postgres left out."""
    return run([sys.executable, "-m", "lumina_fs", *arguments], environment=environment, watch=watch)


def run(command: Sequence[str], *, environment: dict[str, str] | None = None, watch: bool = False) -> Run:
    """Run a command in the repository's root."""
    before, read = resource.getrusage(resource.RUSAGE_CHILDREN), _bytes_read()
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    peak = _Peak(process.pid) if watch else None
    out, _ = process.communicate()
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, peak.stop() if peak else 0.0, _bytes_read() - read, out, process.returncode)


def _bytes_read() -> int:
    """Bytes that this process and all that it waited for have read: files and pipes, whether cached or not."""
    return int(Path("/proc/self/io").read_text().split()[1])


class _Peak:
    """Samples the proportional set size of a process and all below it, twice a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> float:
        self._end.set()
        self._thread.join()
        return self._peak / 1024

    def _watch(self) -> None:
        while not self._end.wait(0.5):
            self._peak = max(self._peak, sum(map(_pss, _family(self._pid))))


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        try:
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except OSError:
            continue
        found += map(int, text.split())
    return found


def memory(pid: int) -> float:
    """What a process and all below it take, in MB."""
    return sum(map(_pss, _family(pid))) / 1024


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def median(act: Callable[[], float], times: int = 5) -> float:
    """The median of several runs."""
    return statistics.median(act() for _ in range(times))


def timed(act: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
