"""Long work: what runs, with its progress; what ran, with its results and problems; and starting more of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from lumina_fs.catalog import Catalog
from lumina_fs.cli.jobs_shown import moment, pairs_of, progress, short, took
from lumina_fs.jobs.records import Record, request_cancel
from lumina_fs.jobs.tidy import clean
from lumina_fs.sidecars import SUFFIX
from lumina_fs.viewing.new_catalog import Opinion
from lumina_fs.wording import in_words, plural
from schemas.names import encode_name
from tui.asking import Choose
from tui.catalog_screen import CatalogScreen
from tui.following import Change, JobsChanged
from tui.foreign import foreign_lines
from tui.forms import Field, Form
from tui.jobs.job_forms import KINDS, work_form
from tui.jobs.running_job import RunningJob
from tui.jobs.schedules import Schedules
from tui.widgets.virtual_table import Cell, Column, Row, VirtualTable

#: Jobs that are drawn with a bar at a time.
_BARS = 3
_ROOMY = 108
_WIDE = (
    Column("work", "Work", 12),
    Column("state", "State", 12),
    Column("began", "Began", 19),
    Column("took", "Took", 12, "right"),
    Column("problems", "Problems", 8, "right"),
    Column("what", "What came of it"),
)
_NARROW = (_WIDE[0], Column("state", "State", 11), Column("began", "Began", 16), Column("what", "What came of it"))
_PROBLEMS = (Column("code", "Problem", 20), Column("path", "File", 0, "middle"), Column("message", "Message"))
_LOOKS = {"success": "good", "failure": "bad", "interrupted": "bad", "cancelled": "warn", "pending": "dim"}
#: What is left out of the details, because it is in the list or says nothing to a person.
_IN_THE_LIST = ("id", "work", "created", "started", "ended", "took", "stage", "rate", "left")


class JobsScreen(CatalogScreen):
    """Bars of what runs, a row for every job, and the one under the cursor in full."""

    NAME = "jobs"
    CSS = """
    JobsScreen #running { height: auto; }
    JobsScreen #jobs { height: 1fr; min-height: 4; }
    JobsScreen #details { height: auto; max-height: 50%; }
    JobsScreen #about { height: auto; max-height: 6; padding: 0 1; }
    JobsScreen #problems { height: auto; max-height: 8; min-height: 3; }
    """
    ANYWHERE = frozenset({"start", "scan", "clean", "schedules"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "start", "Start", tooltip="Start work: scan, duplicates, tagging, thumbnails, rebuild, verify"),
        Binding("s", "scan", "Scan", tooltip="Scan, with its options"),
        Binding("c", "cancel", "Stop", tooltip="Ask the job under the cursor to stop where everything is valid"),
        Binding("r", "retry", "Retry", tooltip="Start the job under the cursor again: it goes on where it was"),
        Binding("x", "clean", "Clean", tooltip="Remove records of jobs that ended", show=False),
        Binding("t", "schedules", "Schedules", tooltip="Work that is done again and again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._records: list[Record] = []
        self._wanted = ""

    def content(self) -> Iterable[Widget]:
        """Bars, the list, the details."""
        with Vertical(id="running"):
            for _ in range(_BARS):
                yield RunningJob()
        yield VirtualTable(_WIDE, id="jobs")
        with Vertical(id="details"):
            yield Static("", id="about")
            yield VirtualTable(_PROBLEMS, id="problems")

    def concerns(self, change: Change) -> bool:
        """Jobs only."""
        return isinstance(change, JobsChanged)

    def allows(self, action: str) -> bool:
        """To stop what runs, and to begin again what ended otherwise than well."""
        if self.is_gone or action not in ("cancel", "retry"):
            return True
        record = self._record
        if record is None:
            return False
        return record.alive if action == "cancel" else not record.alive and record.state != "success"

    # -- what is shown

    @property
    def _list(self) -> VirtualTable:
        return self.query_one("#jobs", VirtualTable)

    @property
    def _record(self) -> Record | None:
        at = self._list.cursor
        return self._records[at] if at < len(self._records) else None

    def load(self) -> None:
        """The jobs as they were told last; those that run first."""
        before = self._record
        self._records = sorted(self.app.jobs, key=lambda record: not record.alive)
        alive = [record for record in self._records if record.alive]
        for number, widget in enumerate(self.query(RunningJob)):
            widget.show(alive[number] if number < len(alive) else None)
        wanted = self._wanted or (before.id if before is not None else "")
        at = next((number for number, record in enumerate(self._records) if record.id == wanted), 0)
        if self._records:
            self._wanted = ""
        self._fill(at)

    def on_resize(self) -> None:
        """Fewer columns where there is little room."""
        if self._records:
            self._fill(self._list.cursor)

    def _fill(self, at: int) -> None:
        table = self._list
        table.columns = list(_WIDE if self.app.size.width >= _ROOMY else _NARROW)
        table.fill([self._row(record) for record in self._records], cursor=at)
        self._about()

    def _row(self, record: Record) -> Row:
        met = record.job.counts.get("problems", 0)
        began = moment(record.began)
        what = f"{record.job.stage} {progress(record)}".strip() if record.alive else _came_of(record)
        cells: dict[str, str | Cell] = {
            "work": record.job.work, "state": Cell(record.state, _LOOKS.get(record.state, "")),
            "began": began if self.app.size.width >= _ROOMY else began[:16], "took": took(record),
            "problems": Cell(f"{met:,}", "warn") if met else "", "what": what,
        }  # fmt: skip
        return [cells[column.key] for column in self._list.columns]

    @on(VirtualTable.Moved, "#jobs")
    def _about(self) -> None:
        record = self._record
        self.refresh_bindings()
        problems = self.query_one("#problems", VirtualTable)
        if record is None:
            problems.display = False
            self.query_one("#about", Static).update("No job has left a record here. n starts one.")
            return
        lines = [
            f"{record.job.work} {record.id[-8:]}, {record.state}, began {moment(record.began)}, took {took(record)}"
        ]
        lines += [f"{name}: {value}" for name, value in pairs_of(record) if name not in (*_IN_THE_LIST, "state")]
        self.query_one("#about", Static).update(foreign_lines(lines))
        problems.display = bool(record.job.problems)
        at = problems.cursor if problems.total == len(record.job.problems) else 0
        problems.fill(
            [(Cell(in_words(one.code), "warn"), one.path, one.message) for one in record.job.problems],
            cursor=at,
        )

    @on(RunningJob.Picked)
    def _picked(self, event: RunningJob.Picked) -> None:
        at = next((number for number, record in enumerate(self._records) if record.id == event.job), None)
        if at is not None:
            self._list.cursor = at

    @on(VirtualTable.Chosen, "#jobs")
    def _to_problems(self) -> None:
        problems = self.query_one("#problems", VirtualTable)
        if problems.display and problems.total:
            problems.focus()

    @on(VirtualTable.Chosen, "#problems")
    def _to_photo(self, event: VirtualTable.Chosen) -> None:
        record = self._record
        if record is not None and event.row < len(record.job.problems):
            problem = record.job.problems[event.row]
            if problem.source:
                path = encode_name(problem.path.removesuffix(SUFFIX))
                self.app.show_photos("", (problem.source, path))

    # -- what a person does

    @work(group="asking")
    async def action_start(self) -> None:
        """Choose a kind of work, and start it."""
        kind = await self.app.push_screen_wait(Choose("Start what?", list(KINDS.items())))
        if kind is not None:
            await self._start(kind)

    @work(group="asking")
    async def action_scan(self) -> None:
        """Start a scan."""
        await self._start("scan")

    @work(group="asking")
    async def action_start_kind(self, kind: str) -> None:
        """Start a kind of work."""
        await self._start(kind)

    async def _start(self, kind: str) -> None:
        sources = await self.read(_source_names)
        if sources is None:
            return
        wanted = work_form(kind, sources)
        values = await self.app.push_screen_wait(wanted.form)
        if values is not None:
            self.app.start(wanted.words(values))

    @work(group="asking")
    async def action_cancel(self) -> None:
        """Ask the job under the cursor to stop."""
        record = self._record
        if record is None or not record.alive:
            return
        if await self.read(_cancel, record.id):
            self.app.notify("It was asked to stop; what is written is valid.", title=record.job.work)

    def action_retry(self) -> None:
        """Start the job under the cursor again."""
        if self._record is not None:
            self.app.start(["jobs", "retry", self._record.id])

    @work(group="asking")
    async def action_clean(self) -> None:
        """Remove the records of jobs that ended."""
        ended = sum(not record.alive and record.state != "interrupted" for record in self._records)
        interrupted = sum(record.state == "interrupted" for record in self._records)

        def judge(values: dict[str, Any]) -> Opinion:
            count = ended + (interrupted if values["interrupted"] else 0)
            if not count:
                return Opinion("there is nothing to remove")
            return Opinion(notes=[
                f"{plural(count, 'record')} of {len(self._records):,} are removed; what the jobs did stays as it is.",
                "The last record of each schedule stays: it says when it is next.",
            ])  # fmt: skip

        field = Field("interrupted", f"Interrupted ones too ({interrupted:,}), which could go on", "check", value=False)
        values = await self.app.push_screen_wait(Form("Remove records of jobs?", [field], "Remove", judge))
        if values is not None:
            removed = await self.read(clean, interrupted=bool(values["interrupted"]))
            if removed is not None:
                self.app.notify(f"{plural(removed[0], 'record')} removed, {removed[1]:,} kept")

    def action_schedules(self) -> None:
        """Show what is done again and again."""
        self.app.push_screen(Schedules())

    # -- memory

    def state(self) -> dict[str, Any]:
        """Which job the cursor is on."""
        record = self._record
        return {"at": record.id} if record is not None else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Back to it."""
        self._wanted = str(state.get("at", ""))


def _source_names(catalog: Catalog) -> list[str]:
    return [source.name for source in catalog.sources()]


def _cancel(catalog: Catalog, job: str) -> bool:
    request_cancel(catalog.disk, catalog.root, job)
    return True


def _came_of(record: Record) -> str:
    return "its process ended; r goes on where it was" if record.state == "interrupted" else short(record)
