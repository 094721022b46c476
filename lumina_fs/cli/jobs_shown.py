"""How jobs and schedules are shown: tables, one in full, one as it goes on; or JSON."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lumina_fs.cli.analyze import summary
from lumina_fs.cli.display import Reporter, print_json, print_pairs, print_table, say
from lumina_fs.errors import ExitCode
from lumina_fs.progress import Progress
from lumina_fs.wording import duration, plural

if TYPE_CHECKING:
    from lumina_fs.jobs.records import Record
    from lumina_fs.jobs.schedules import Planned
    from lumina_fs.roots import Root

STATES = ("pending", "running", "success", "failure", "cancelled", "interrupted")
#: Problems that `show` lists.
_PROBLEMS = 20
#: Seconds between two looks at a job that is followed.
_LOOK = 0.3


def jobs(records: Sequence[Record], *, as_json: bool) -> None:
    """A table of jobs."""
    if as_json:
        for record in records:
            print_json(record.as_dict())
        return
    if not records:
        say("no job has left a record here", to_stderr=True)
        return
    rows = [
        (record.id[-8:], record.job.work, record.state, progress(record), moment(record.began), took(record),
         short(record))
        for record in records
    ]  # fmt: skip
    print_table(("ID", "WORK", "STATE", "DONE", "STARTED", "TOOK", "WHAT"), rows, spare=("TOOK", "STARTED"))


def job(record: Record, *, as_json: bool) -> None:
    """All about one job."""
    if as_json:
        print_json(record.as_dict())
        return
    one = record.job
    print_pairs(pairs_of(record))
    for problem in one.problems[:_PROBLEMS]:
        say(f"  {problem.source}: {problem.path}: {problem.code}: {problem.message}")
    met = one.counts.get("problems", 0)
    if met > min(_PROBLEMS, len(one.problems)):
        say(f"  ... of {plural(met, 'problem')}; --json lists the first {len(one.problems)}")


def pairs_of(record: Record) -> list[tuple[str, str]]:
    """What there is to say of a job, by name."""
    one = record.job
    pairs = [
        ("id", one.id),
        ("work", one.work + _chain(record)),
        ("arguments", _given(one.arguments)),
        ("state", record.state + (f", attempt {one.attempts}" if one.attempts > 1 else "")),
        ("process", f"{one.process.pid} on {one.process.host}"),
        ("created", moment(one.created)),
        ("started", moment(one.started)),
        ("ended", moment(one.ended)),
        ("took", took(record)),
        ("stage", f"{one.stage} {progress(record)}".strip()),
        ("rate", f"{one.rate:,.0f} {one.unit}/s" if one.rate else ""),
        ("left", duration(one.seconds_left) if one.seconds_left is not None else ""),
        ("message", one.message),
        ("counts", summary(one.counts) if one.counts else ""),
        ("result", summary(one.result) if one.result is not None else ""),
        ("schedule", one.schedule or ""),
        ("on end", one.on_end or ""),
    ]
    return [(name, value) for name, value in pairs if value]


def _given(arguments: Mapping[str, Any]) -> str:
    """Arguments that say something, in words: `sources main, card; rehash`."""
    said = []
    for name, value in arguments.items():
        if value not in (None, False, "", []):
            text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is True else str(value)
            said.append(f"{name.replace('_', ' ')} {text}".rstrip())
    return "; ".join(said)


def follow(root: Root, record: Record, stop: threading.Event, *, as_json: bool) -> Record:
    """Show a job until it ends; its last record."""
    from lumina_fs.jobs.records import read_record

    reporter, before = Reporter(quiet=as_json), None
    while True:
        value = record.as_dict()
        if as_json and value != before:
            print_json(value, at_once=True)
        elif not as_json and record.job.stage:
            reporter.show(Progress(record.job.stage, record.job.current, record.job.total, record.job.unit))
        before = value
        if not record.alive or stop.is_set():
            break
        time.sleep(_LOOK)
        fresh = read_record(root, record.id)
        if fresh is None:  # it changed nothing, so its record went
            reporter.clear()
            say(f"{record.job.work} ended with nothing to tell", to_stderr=True)
            return record
        record = fresh
    reporter.clear()
    if not as_json and not record.alive:
        ended(record, as_json=False)
    return record


def ended(record: Record, *, as_json: bool) -> None:
    """How a job ended, in a line."""
    if as_json:
        print_json(record.as_dict())
    else:
        say(f"{record.job.work} {record.id[-8:]}: {record.state}, {short(record)}".rstrip(", "))


def exit_code(record: Record) -> ExitCode:
    """What a command returns that saw a job end so."""
    if record.state == "success":
        return ExitCode.PROBLEMS if record.job.counts.get("problems") else ExitCode.DONE
    if record.state in ("pending", "running"):
        return ExitCode.DONE
    return ExitCode.INTERRUPTED if record.state == "cancelled" else ExitCode.FAILED


def schedules(plans: Iterable[Planned], *, as_json: bool) -> None:
    """A table of schedules."""
    found = [schedule(plan) for plan in plans]
    if as_json:
        for one in found:
            print_json(one)
    elif not found:
        say("nothing is scheduled: lumina jobs schedule scan --every 1d", to_stderr=True)
    else:
        rows = [
            (one["name"], one["work"], when(one), moment(one["last"]), one["state"] or "", moment(one["next"]))
            for one in found
        ]
        print_table(("NAME", "WORK", "WHEN", "LAST", "STATE", "NEXT"), rows)


def schedule(plan: Planned) -> dict[str, Any]:
    """One schedule, for `--json`."""
    return {
        **plan.schedule.model_dump(mode="json"),
        "last": plan.last.began if plan.last else None,
        "state": plan.last.state if plan.last else None,
        "next": plan.next.isoformat(timespec="seconds") if plan.next else None,
    }


def moment(when: str | datetime | None) -> str:
    """A time as the clock here shows it."""
    if when is None:
        return ""
    try:
        known = datetime.fromisoformat(when) if isinstance(when, str) else when
        return known.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):  # no time, or none that a clock here can show
        return str(when)


def when(one: dict[str, Any]) -> str:
    """The times of a schedule in words."""
    return f"every {one['every']}" if one["every"] else f"at {one['at']}" if one["at"] else "never"


def progress(record: Record) -> str:
    """How far it is: a count, of how many, in percent."""
    one = record.job
    if record.state == "success":
        return ""
    if one.total is None:
        return f"{one.current:,}" if one.current else ""
    return f"{one.current:,} of {one.total:,} ({one.percent or 0:.0f} %)"


def took(record: Record) -> str:
    """How long it took, or has run so far."""
    one = record.job
    if one.started is None or (one.ended is None and not record.alive):
        return ""
    try:
        start = datetime.fromisoformat(one.started)
        end = datetime.fromisoformat(one.ended) if one.ended is not None else datetime.now().astimezone()
        return duration(max(0.0, (end - start).total_seconds()))
    except (ValueError, TypeError):  # edited by hand
        return ""


def short(record: Record) -> str:
    """What came of it, or what it is at, in a line."""
    one = record.job
    if record.state == "interrupted":
        return f"its process ended: lumina jobs retry {record.id[-8:]}"
    if not record.alive and one.result is not None:
        return summary(one.result)
    return one.message or (f"{one.stage}, {duration(one.seconds_left)} left" if one.seconds_left else one.stage)


def _chain(record: Record) -> str:
    chain = record.job.chain
    return f" ({chain.position} of {len(chain.steps)} of a chain)" if chain is not None else ""
