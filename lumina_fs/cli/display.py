"""What commands print: progress and complaints on stderr, tables and JSON lines on stdout, all of it escaped."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from lumina_fs.progress import Event, Note, Progress, Rate, Throttle, Trouble
from lumina_fs.terminal import visible
from lumina_fs.wording import duration, fit, fit_middle, width


def say(*lines: str, to_stderr: bool = False) -> None:
    """Lines for people, at once also where a program reads them; a line break within one is foreign, and escaped."""
    stream = sys.stderr if to_stderr else sys.stdout
    stream.write("".join(visible(line) + "\n" for line in lines))
    stream.flush()


def print_pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values, one pair a line."""
    columns = max((width(name) for name, _ in rows), default=0)
    for name, value in rows:
        sys.stdout.write(f"{fit(visible(name), columns)}  {visible(value)}\n")


def print_json(value: Mapping[str, Any], *, at_once: bool = False) -> None:
    """One JSON line on stdout; `at_once` where somebody reads along while work goes on."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
    if at_once:
        sys.stdout.flush()


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, spare: Sequence[str] = ()) -> None:
    """A table as wide as the terminal, without empty columns; the last takes what is left. Foreign text is escaped.

    Where the last column would be narrower than 32, the columns in `spare` are left out, first ones first.
    """
    cells = [[visible(cell) for cell in row] for row in rows]
    used = [at for at in range(len(heads)) if at == len(heads) - 1 or any(row[at] for row in cells) or not cells]
    heads, cells = [heads[at] for at in used], [[row[at] for at in used] for row in cells]
    room = shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else 10_000
    widths = _widths(heads, cells)
    for name in spare:
        if name in heads and room - 2 * (len(heads) - 1) - sum(widths[:-1]) < min(32, widths[-1]):
            at = heads.index(name)
            heads, cells = [*heads[:at], *heads[at + 1 :]], [[*row[:at], *row[at + 1 :]] for row in cells]
            widths = _widths(heads, cells)
    left = room - 2 * (len(heads) - 1) - sum(widths)
    while left < 0 and max(widths) > 12:
        widest = widths.index(max(widths))
        cut = min(-left, widths[widest] - 12)
        widths[widest] -= cut
        left += cut
    for row in [list(heads), *cells]:
        parts = [fit(cell, w) for cell, w in zip(row[:-1], widths, strict=False)]
        sys.stdout.write("  ".join([*parts, fit_middle(row[-1], widths[-1])]).rstrip() + "\n")


def _widths(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max([width(head), *(width(row[at]) for row in cells)]) for at, head in enumerate(heads)]


#: Files in trouble that are named while a job runs.
_TROUBLES = 20


class Reporter:
    """Prints the events of a job on stderr: one line that moves on a terminal, a line now and then in a log."""

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._moving = self._stream.isatty()
        self._quiet = quiet
        self._throttle = Throttle(0.1) if self._moving else Throttle(10.0, time.monotonic())
        self._rate = Rate()
        self._stage = ""
        self._shown = 0
        self._troubles = 0

    def show(self, event: Event) -> None:
        """Print one event, or not, if it comes too soon after the last."""
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Note):
            self._line(visible(event.text))
        elif isinstance(event, Trouble):
            self._troubles += 1
            if self._troubles == _TROUBLES + 1:
                self._line("  ... and more of these")
            if self._troubles > _TROUBLES:
                return
            place = f":{event.line}:{event.column}" if event.line else ""
            self._line(f"  {visible(event.path)}{place}: {visible(event.message)}")

    def _progress(self, event: Progress) -> None:
        if event.stage != self._stage:
            self._stage, self._rate = event.stage, Rate()
        self._rate.add(event.done)
        last = event.total is not None and event.done >= event.total
        if self._quiet or not (self._throttle.due() or (last and self._moving)):
            return
        text = f"{event.stage}: {event.done:,}"
        if event.total is not None:
            share = 100 * event.done // event.total if event.total else 100
            text += f" of {event.total:,} ({share} %)"
        rate = self._rate.per_second()
        if rate:
            text += f", {rate:,.0f} {event.unit}/s"
        left = self._rate.seconds_left(event.total) if event.total is not None else None
        if left and left >= 1:
            text += f", {duration(left)} left"
        if self._moving:
            columns = shutil.get_terminal_size((80, 24)).columns - 1
            self._stream.write("\r" + fit(text, columns))
            self._shown = columns
            self._stream.flush()
        else:
            self._stream.write(text + "\n")

    def _line(self, text: str) -> None:
        self.clear()
        if not self._quiet:
            self._stream.write(text + "\n")
            self._stream.flush()

    def clear(self) -> None:
        """Take the moving line away."""
        if self._shown:
            self._stream.write("\r" + " " * self._shown + "\r")
            self._stream.flush()
            self._shown = 0
