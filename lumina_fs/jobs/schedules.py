"""Work that is done again and again: kept in `catalog.json`, due by the clock and by the records of its runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lumina_fs.catalog import CATALOG, Catalog
from lumina_fs.documents import checked, edit, read
from lumina_fs.errors import UsageError
from lumina_fs.index_session import LOCKS
from lumina_fs.jobs.again import retry
from lumina_fs.jobs.chains import analyze
from lumina_fs.jobs.kinds import STARTERS, Started, start
from lumina_fs.jobs.records import Record, list_records
from lumina_fs.jobs.running import run
from lumina_fs.jobs.work import Work
from lumina_fs.locks import lock
from lumina_fs.progress import Event, Finished, Note
from lumina_fs.stamps import utc_now
from schemas.catalog import Catalog as CatalogDocument
from schemas.catalog import Schedule

#: How often a run that was interrupted is started again before its next time.
ATTEMPTS = 3
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Due(NamedTuple):
    """A schedule whose time has come. `interrupted` is the run that it goes on with."""

    schedule: Schedule
    interrupted: Record | None = None


class Planned(NamedTuple):
    """A schedule, when it ran last, and when it is next."""

    schedule: Schedule
    last: Record | None
    next: datetime | None


def schedules(catalog: Catalog) -> list[Schedule]:
    """All schedules, as they are in the file now. Raises CorruptDocument."""
    stored = read(catalog.root, CATALOG)
    if stored is None:
        return []
    return CatalogDocument.model_validate(checked(stored, CatalogDocument, CATALOG)).schedules


def due(catalog: Catalog, now: datetime) -> list[Due]:
    """What is to be run at `now` (with a time zone), in the order of the file. Changes nothing."""
    found = []
    for one in planned(catalog):
        if one.last is not None and one.last.alive:
            continue
        if one.last is not None and one.last.state == "interrupted" and one.last.job.attempts < ATTEMPTS:
            found.append(Due(one.schedule, one.last))
        elif one.next is not None and one.next <= now:
            found.append(Due(one.schedule))
    return found


def planned(catalog: Catalog) -> list[Planned]:
    """All schedules with their last run and their next time."""
    wanted = schedules(catalog)
    if not wanted:
        return []
    last: dict[str, Record] = {}
    for record in list_records(catalog.root)[0]:
        if record.job.schedule is not None:
            last.setdefault(record.job.schedule, record)
    found = []
    for schedule in wanted:
        before = last.get(schedule.name)
        found.append(Planned(schedule, before, next_time(schedule, _moment(before.began) if before else None)))
    return found


def next_time(schedule: Schedule, last: datetime | None) -> datetime | None:
    """When a schedule is to start after `last`; one that never ran and has no time of day is due since it was made."""
    since = last or _moment(schedule.created)
    if schedule.every is not None:
        count, unit = int(schedule.every[:-1]), _UNITS[schedule.every[-1]]
        return since + timedelta(**{unit: count}) if last is not None else since
    if schedule.at is not None:
        hour, minute = map(int, schedule.at.split(":"))
        local = since.astimezone()
        day = local.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
        if day.astimezone() <= local:
            day += timedelta(days=1)
        return day.astimezone()  # of the wall clock, whose offset may change in between
    return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.astimezone()


def add_schedule(
    catalog: Catalog,
    work: str,
    arguments: dict[str, Any],
    *,
    every: str | None = None,
    at: str | None = None,
    name: str | None = None,
) -> str:
    """Keep a schedule; its name. Raises UsageError where the name is taken or the time makes no sense."""
    if (every is None) == (at is None):
        raise UsageError("say when: either --every 1d (30m, 6h, 2w) or --at 03:00")
    if work != "analyze" and work not in STARTERS:
        raise UsageError(f"{work} cannot be scheduled; these can: {', '.join((*STARTERS, 'analyze'))}")
    name = name or work
    entry = {
        "name": name,
        "work": work,
        "arguments": arguments,
        "every": every,
        "at": at,
        "created": utc_now("milliseconds"),
    }
    entry = {key: value for key, value in entry.items() if value is not None}
    try:
        Schedule.model_validate(entry)
    except ValueError:
        raise UsageError(f"{every or at}: a time is like 30m, 6h, 1d, 2w, or 03:00 with --at") from None

    def change(value: dict[str, Any] | None) -> dict[str, Any]:
        assert value is not None
        present = value.get("schedules", [])
        if any(one["name"] == name for one in present):
            raise UsageError(f"there is a schedule {name!r} already; --name gives this one another name")
        return {**value, "schedules": [*present, entry]}

    edit(catalog.disk, catalog.root, CATALOG, CatalogDocument, change)
    return name


def remove_schedule(catalog: Catalog, name: str) -> None:
    """Forget a schedule. Raises UsageError where there is none of this name."""

    def change(value: dict[str, Any] | None) -> dict[str, Any]:
        assert value is not None
        present = value.get("schedules", [])
        kept = [one for one in present if one["name"] != name]
        if len(kept) == len(present):
            raise UsageError(f"there is no schedule {name!r}; `lumina jobs schedule list` names them")
        return {**value, "schedules": kept}

    edit(catalog.disk, catalog.root, CATALOG, CatalogDocument, change)


def run_due(
    catalog: Catalog, now: datetime, *, cancel: threading.Event
) -> Iterator[Event | Finished[list[tuple[str, str]]]]:
    """Run what is due, one after the other; (schedule, state) of each. A failure does not keep the others from it.

    Raises Locked while another process does this.
    """
    done: list[tuple[str, str]] = []
    catalog.disk.make_directory(catalog.root, LOCKS)
    with lock(catalog.root, f"{LOCKS}/schedules", what="what is due"):
        for one in due(catalog, now):
            if cancel.is_set():
                break
            state = "success"
            try:
                for event in start_due(catalog, one, cancel=cancel):
                    if isinstance(event, Event):
                        yield event
            except Exception as error:
                state = "failure"
                yield Note(f"{one.schedule.name}: {error}")
            done.append((one.schedule.name, "cancelled" if cancel.is_set() else state))
    yield Finished(done)


def start_due(catalog: Catalog, one: Due, *, cancel: threading.Event) -> Iterator[Any]:
    """The events of one run of a schedule."""
    schedule = one.schedule
    try:
        if one.interrupted is not None:
            return retry(catalog, one.interrupted, cancel=cancel)
        if schedule.work == "analyze":
            return analyze(catalog, cancel=cancel, schedule=schedule.name)
        started = start(catalog, schedule.work, dict(schedule.arguments), cancel)
    except UsageError as error:  # a failure like others: on record, and not due again at once
        kind = one.interrupted.job.work if one.interrupted is not None else schedule.work
        work = Work(kind, dict(schedule.arguments), again=one.interrupted.id if one.interrupted is not None else None)
        started = Started(work, _refuse(error))
    return run(catalog, replace(started.work, schedule=schedule.name), started.events, cancel=cancel)


def _refuse(error: UsageError) -> Iterator[Any]:
    raise error
    yield
