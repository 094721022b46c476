"""What is due is a function of the catalog, the records and the time, and a schedule is a part of catalog.json."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.errors import UsageError
from lumina_fs.jobs import kinds
from lumina_fs.jobs.kinds import Started
from lumina_fs.jobs.schedules import add_schedule, due, next_time, planned, remove_schedule, run_due
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Finished, Note
from schemas.catalog import Schedule
from tests.lumina_fs.jobs.conftest import done, records


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def quiet_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(catalog: Catalog, cancel: threading.Event, **arguments: Any) -> Started:
        return Started(Work("scan", arguments, lambda result: Told(None, False)), iter([Finished(None)]))

    monkeypatch.setitem(kinds.STARTERS, "scan", begin)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def schedule(**values: Any) -> Schedule:
    return Schedule.model_validate({"name": "x", "work": "scan", "created": "2024-03-01T12:00:00Z", **values})


def test_every_counts_from_the_last_start_and_is_due_at_once_where_there_was_none() -> None:
    assert next_time(schedule(every="1d"), None) == moment("2024-03-01T12:00:00Z")
    for every, later in (("30m", timedelta(minutes=30)), ("6h", timedelta(hours=6)), ("2w", timedelta(days=14))):
        last = moment("2024-03-05T10:00:00Z")
        assert next_time(schedule(every=every), last) == last + later


def test_a_time_of_day_is_that_of_the_clock_here() -> None:
    nightly = schedule(at="03:00")
    assert next_time(nightly, None) == moment("2024-03-02T03:00:00+01:00")
    assert next_time(nightly, moment("2024-03-02T02:00:00Z")) == moment("2024-03-03T03:00:00+01:00")
    assert next_time(nightly, moment("2024-03-02T01:59:59Z")) == moment("2024-03-02T02:00:00Z")
    assert next_time(nightly, moment("2024-03-30T12:00:00Z")) == moment("2024-03-31T03:00:00+02:00")
    assert next_time(schedule(), None) is None


def test_what_is_due_changes_nothing_and_a_run_makes_it_wait(catalog: Catalog, quiet_scan: None) -> None:
    now = datetime.now(UTC) + timedelta(minutes=1)
    add_schedule(catalog, "scan", {}, every="1h")
    add_schedule(catalog, "verify", {}, at=f"{now.astimezone() + timedelta(hours=12):%H:%M}")  # at any time of day
    before = (Path(catalog.path) / ".lumina/catalog.json").read_bytes()
    assert [one.schedule.name for one in due(catalog, now)] == ["scan"]
    assert (Path(catalog.path) / ".lumina/catalog.json").read_bytes() == before
    *_, last = run_due(catalog, now, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result == [("scan", "success")]
    assert due(catalog, now) == []
    assert [one.schedule.name for one in due(catalog, now + timedelta(hours=1))][:1] == ["scan"]
    assert {one.schedule.name for one in due(catalog, now + timedelta(days=1))} == {"scan", "verify"}
    *_, last = run_due(catalog, now + timedelta(hours=1), cancel=threading.Event())
    assert len(records(catalog)) == 1, "of runs that changed nothing the last is kept"


def test_an_interrupted_run_goes_on_before_its_time_but_not_for_ever(catalog: Catalog, quiet_scan: None) -> None:
    add_schedule(catalog, "scan", {}, every="1w")
    done(catalog, schedule="scan")
    [record] = records(catalog)
    path = Path(catalog.path) / f".lumina/jobs/{record.id}.json"
    now = datetime.now(UTC)
    assert due(catalog, now) == []
    for attempts, wanted in ((1, True), (2, True), (3, False)):
        value = {**json.loads(path.read_bytes()), "state": "running", "attempts": attempts}
        path.write_text(json.dumps(value))
        assert [one.interrupted is not None for one in due(catalog, now)] == [True] * wanted
    path.write_text(json.dumps({**value, "attempts": 1}))
    list(run_due(catalog, now, cancel=threading.Event()))
    [record] = records(catalog)
    assert (record.state, record.job.attempts, record.job.schedule) == ("success", 2, "scan")


def test_one_that_fails_keeps_no_other_from_running(catalog: Catalog, quiet_scan: None) -> None:
    add_schedule(catalog, "rehash", {"sources": ["no such"]}, every="1d")
    add_schedule(catalog, "scan", {}, every="1d")
    *events, last = run_due(catalog, datetime.now(UTC) + timedelta(seconds=1), cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result == [("rehash", "failure"), ("scan", "success")]
    assert any(isinstance(event, Note) and "there is no source" in event.text for event in events)
    assert due(catalog, datetime.now(UTC) + timedelta(hours=1)) == []


def test_one_that_cannot_be_started_fails_once_a_period(catalog: Catalog) -> None:
    add_schedule(catalog, "verify", {"mine": 1}, every="1d")
    now = datetime.now(UTC) + timedelta(seconds=1)
    *_, last = run_due(catalog, now, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert last.result == [("verify", "failure")]
    [record] = records(catalog)
    assert "make no sense" in record.job.message
    assert due(catalog, now) == []


def test_schedules_stand_in_the_catalog_beside_what_a_person_wrote(catalog: Catalog) -> None:
    path = Path(catalog.path) / ".lumina/catalog.json"
    value = {**json.loads(path.read_bytes()), "mine": {"a": 1.50}}
    path.write_text(json.dumps(value, indent=4))
    assert add_schedule(catalog, "scan", {"sources": ["main"]}, every="1d") == "scan"
    add_schedule(catalog, "scan", {}, at="03:00", name="nightly")
    written = json.loads(path.read_bytes())
    assert [one["name"] for one in written["schedules"]] == ["scan", "nightly"]
    assert [plan.schedule.arguments for plan in planned(catalog)] == [{"sources": ["main"]}, {}]
    path.write_text(path.read_text().replace('"at": "03:00"', '"at": "03:00", "why": "quiet then"'))
    remove_schedule(catalog, "scan")
    written = json.loads(path.read_bytes())
    assert written["mine"] == {"a": 1.5}
    assert [one["why"] for one in written["schedules"]] == ["quiet then"]
    with pytest.raises(UsageError, match="no schedule 'scan'"):
        remove_schedule(catalog, "scan")
    assert os.path.exists(path)


@pytest.mark.parametrize(
    ("work", "when", "said"),
    [
        ("scan", {}, "either --every"),
        ("scan", {"every": "1d", "at": "03:00"}, "either --every"),
        ("scan", {"every": "daily"}, "a time is like"),
        ("scan", {"at": "25:00"}, "a time is like"),
        ("apply", {"every": "1d"}, "cannot be scheduled"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(
    catalog: Catalog, work: str, when: dict[str, str], said: str
) -> None:
    before = (Path(catalog.path) / ".lumina/catalog.json").read_bytes()
    with pytest.raises(UsageError, match=said):
        add_schedule(catalog, work, {}, **when)
    assert (Path(catalog.path) / ".lumina/catalog.json").read_bytes() == before


def test_two_schedules_have_two_names(catalog: Catalog) -> None:
    add_schedule(catalog, "scan", {}, every="1d")
    with pytest.raises(UsageError, match="already"):
        add_schedule(catalog, "scan", {}, every="1h")
