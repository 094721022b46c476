"""A job while it runs: what it is at, how far, how fast, and how long it will take; two lines."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from lumina_fs.jobs.records import Record
from lumina_fs.wording import duration
from tui.foreign import foreign


class RunningJob(Widget):
    """Shows the last record it was given. A click posts `Picked`."""

    DEFAULT_CSS = """
    RunningJob { height: 2; padding: 0 1; }
    RunningJob:hover { background: $panel; }
    """

    class Picked(Message):
        """A click on the job with this id."""

        def __init__(self, job: str) -> None:
            super().__init__()
            self.job = job

    def __init__(self) -> None:
        super().__init__()
        self.record: Record | None = None

    def show(self, record: Record | None) -> None:
        """Take a record; None where nothing runs."""
        self.record = record
        self.display = record is not None
        self.refresh()

    def on_click(self) -> None:
        """Tell who was meant."""
        if self.record is not None:
            self.post_message(self.Picked(self.record.id))

    def render(self) -> Content:
        """The words, then the bar."""
        if self.record is None:
            return Content("")
        return Content("\n").join([foreign(said(self.record)), bar(self.record.job.percent, self.size.width)])


def said(record: Record) -> str:
    """What a job is at: `scan: photos, 12,345 of 100,000 files, 321 files/s, 4 min 20 s left`."""
    job = record.job
    if record.state == "pending":
        return f"{job.work}: {job.message or 'waiting'}"
    count = f"{job.current:,}" + (f" of {job.total:,}" if job.total is not None else "") + f" {job.unit}"
    parts = [job.stage, count.rstrip() if job.current or job.total else ""]
    parts.append(f"{job.rate:,.0f} {job.unit}/s" if job.rate else "")
    parts.append(f"{duration(job.seconds_left)} left" if job.seconds_left is not None else "")
    parts.append(job.message if job.message.startswith("stopping") else "")
    parts.append(f"{job.counts['problems']:,} problems" if job.counts.get("problems") else "")
    return f"{job.work}: " + (", ".join(part for part in parts if part) or "starting")


def bar(percent: float | None, width: int) -> Content:
    """A bar with its percent in digits; empty where nobody knows how much there is."""
    room = max(1, width - 6)
    if percent is None:
        return Content.styled("─" * room, "$foreground 30%")
    full = round(room * percent / 100)
    return Content.assemble(("━" * full, "$accent"), ("─" * (room - full), "$foreground 30%"), f" {percent:3.0f} %")
