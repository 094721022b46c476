"""How the carrying out of a plan gets on, told by its job's record: whoever started it."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from lumina_fs.cli.analyze import summary
from lumina_fs.jobs.records import Record
from lumina_fs.terminal import visible
from lumina_fs.wording import duration, plural

_WIDTH = 24
_PROBLEMS = 3


class Monitor(Static):
    """A few lines about the last run of a plan; hidden where there is nothing to tell."""

    DEFAULT_CSS = """
    Monitor { height: auto; padding: 0 1; background: $panel; display: none; }
    Monitor.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__("", id="monitor", markup=False)

    def show(self, record: Record | None) -> None:
        """Tell of this job; of none: hide."""
        text = told(record) if record is not None else []
        self.set_class(bool(text), "-shown")
        self.update(Content("\n".join(visible(line) for line in text)))


def run_of(jobs: tuple[Record, ...], plan: str) -> Record | None:
    """The last run of a plan among all jobs (the latest first)."""
    return next((one for one in jobs if one.job.work == "apply" and one.job.arguments.get("plan") == plan), None)


def told(record: Record) -> list[str]:
    """Lines about a run; none where it went well, because the plan says so itself."""
    job = record.job
    how = {"apply": "carrying out", "resume": "finishing", "rollback": "taking back"}.get(
        str(job.arguments.get("how")), "carrying out"
    )
    if record.alive:
        lines = [": ".join(filter(None, (f"▶ {how}", job.message if record.state == "pending" else _moving(record))))]
    elif record.state == "success" and (job.result or {}).get("outcome") in ("complete", "rolled_back"):
        return []
    else:
        outcome = str((job.result or {}).get("outcome") or record.state)
        counted = summary(job.result) if job.result is not None else ""
        lines = [": ".join(filter(None, (f"‖ {how}: {outcome.replace('_', ' ')}", counted, job.message)))]
    problems = job.counts.get("problems", 0)
    if problems:
        lines.append(f"! {plural(problems, 'problem')}")
        lines += [f"  {one.path}: {one.message}" for one in job.problems[-_PROBLEMS:]]
    return [line for text in lines for line in text.split("\n")]


def _moving(record: Record) -> str:
    job = record.job
    parts = [job.stage]
    if job.percent is not None:
        full = round(_WIDTH * job.percent / 100)
        parts.append(f"{'█' * full}{'░' * (_WIDTH - full)} {job.percent:.0f} %")
    if job.total is not None:
        parts.append(f"{job.current:,} of {job.total:,} {job.unit}")
    if job.rate:
        parts.append(f"{job.rate:,.0f}/s")
    if job.seconds_left is not None:
        parts.append(f"{duration(job.seconds_left)} left")
    return "  ".join(part for part in parts if part)
