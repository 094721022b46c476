"""A job has a record that any process can read, stops when another asks it to, and queues behind its like."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Locked, Refused
from lumina_fs.index_session import exclusive
from lumina_fs.jobs import records as on_disk
from lumina_fs.jobs.recorder import PROBLEMS
from lumina_fs.jobs.running import run
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Finished, Ingested, Note, Progress, Trouble
from tests.lumina_fs.jobs.conftest import Worker, done, records, says, soon

MARK = 17


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_what_is_yielded_comes_through_and_stands_in_the_record(catalog: Catalog) -> None:
    events = [
        Progress("scanning", 1, 4), Ingested("main", "a.jpg", "added"), Note("a note"), MARK,
        Trouble("main", "b.jpg", "corrupt_sidecar", "no JSON", 3, 7), Progress("scanning", 3, 4, "photos"),
    ]  # fmt: skip
    assert done(catalog, *events, arguments={"sources": ["main"]}) == [*events, Finished({"n": 1})]
    [record] = records(catalog)
    job = record.job
    assert (record.state, job.work, job.arguments) == ("success", "scan", {"sources": ["main"]})
    assert (job.stage, job.current, job.total, job.percent, job.unit) == ("scanning", 3, 4, 75.0, "photos")
    assert (job.message, job.counts, job.result) == ("a note", {"added": 1, "problems": 1}, {"n": 1})
    assert job.problems[0].model_dump() == {
        "source": "main", "path": "b.jpg", "code": "corrupt_sidecar", "message": "no JSON", "line": 3, "column": 7,
    }  # fmt: skip
    assert job.started is not None
    assert job.ended is not None
    assert job.created <= job.started <= job.ended
    assert names(Path(catalog.path) / ".lumina/jobs") == [f"{record.id}.json"]
    assert names(Path(catalog.path) / ".lumina/locks") == ["job-scan"]


def test_many_problems_are_counted_and_some_are_listed(catalog: Catalog) -> None:
    done(catalog, *(Trouble("main", f"{n}\udcff.jpg", "undecodable", "x" * 9000) for n in range(PROBLEMS + 30)))
    [record] = records(catalog)
    assert record.job.counts == {"problems": PROBLEMS + 30}
    assert len(record.job.problems) == PROBLEMS
    assert len(record.job.problems[0].message) < 9000


def test_a_failure_is_recorded_and_raised(catalog: Catalog) -> None:
    def events() -> Iterator[Progress]:
        yield Progress("scanning", 1)
        raise Refused("it may not be", path="a.jpg")

    with pytest.raises(Refused):
        list(run(catalog, Work("scan"), events(), cancel=threading.Event()))
    [record] = records(catalog)
    assert (record.state, record.job.message) == ("failure", "a.jpg: it may not be")


def test_a_stop_is_recorded_whoever_asked_for_it(catalog: Catalog) -> None:
    cancel = threading.Event()

    def events() -> Iterator[Progress]:
        yield Progress("scanning", 1)
        cancel.set()

    assert list(run(catalog, Work("scan"), events(), cancel=cancel)) == [Progress("scanning", 1)]
    given_up = run(catalog, Work("verify"), iter([Progress("x", 1), Progress("x", 2)]), cancel=threading.Event())
    next(iter(given_up))
    del given_up
    assert {(record.job.work, record.state) for record in records(catalog)} == {
        ("scan", "cancelled"), ("verify", "cancelled"),
    }  # fmt: skip


# -- running anything twice changes nothing


def test_a_run_that_changed_nothing_leaves_no_second_record(catalog: Catalog) -> None:
    folder = Path(catalog.path) / ".lumina"
    done(catalog, changed=False)
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    for _ in range(3):
        done(catalog, Progress("scanning", 5, 5), changed=False)
    after = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    assert after == before
    done(catalog, changed=False, arguments={"sources": ["other"]})
    done(catalog, changed=True)
    assert len(records(catalog)) == 3


def test_the_same_problems_again_are_no_news_and_others_are(catalog: Catalog) -> None:
    trouble = Trouble("main", "a.jpg", "corrupt_sidecar", "no JSON")
    done(catalog, trouble)
    done(catalog, trouble, changed=False)
    assert len(records(catalog)) == 1
    done(catalog, changed=False)  # a scan tells of a broken photo once
    assert len(records(catalog)) == 1
    done(catalog, Trouble("main", "b.jpg", "corrupt_sidecar", "no JSON"), changed=False)
    assert len(records(catalog)) == 2


def test_a_run_that_changed_nothing_after_a_failure_says_that_all_is_well(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError):
        list(run(catalog, Work("scan"), (1 // zero for zero in (0,)), cancel=threading.Event()))
    done(catalog, changed=False)
    assert [record.state for record in records(catalog)] == ["success", "failure"]


def test_of_a_schedule_that_finds_nothing_only_the_last_run_is_kept(catalog: Catalog) -> None:
    for _ in range(3):
        done(catalog, changed=False, schedule="nightly")
    [record] = records(catalog)
    assert record.job.schedule == "nightly"


def test_old_records_go_and_those_that_are_needed_stay(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk, "KEPT", 3)
    done(catalog, schedule="nightly")
    for _ in range(6):
        done(catalog)
    done(catalog, kind="verify")
    found = [(record.job.work, record.job.schedule) for record in records(catalog)]
    assert found == [("verify", None), ("scan", None), ("scan", None), ("scan", None), ("scan", "nightly")]


# -- a record that cannot be kept


def test_work_goes_on_where_its_record_cannot_be_written(catalog: Catalog) -> None:
    jobs = Path(catalog.path) / ".lumina/jobs"
    jobs.write_text("not a folder")
    events = done(catalog, Progress("scanning", 1), Progress("scanning", 2))
    assert [event for event in events if not isinstance(event, Note)] == [
        Progress("scanning", 1), Progress("scanning", 2), Finished({"n": 1}),
    ]  # fmt: skip
    [note] = [event for event in events if isinstance(event, Note)]
    assert "the record of this job cannot be written" in note.text
    assert "the work goes on" in note.text
    assert jobs.read_text() == "not a folder"


def test_nothing_is_written_through_a_link(catalog: Catalog, tmp_path: Path) -> None:
    done(catalog)
    jobs, elsewhere = Path(catalog.path) / ".lumina/jobs", tmp_path / "elsewhere"
    jobs.rename(elsewhere)
    jobs.symlink_to(elsewhere)
    before = names(elsewhere)
    with Catalog.open(catalog.path) as again:
        events = done(again, MARK, changed=True)
        assert MARK in events
        assert any(isinstance(event, Note) and "passes through a link" in event.text for event in events)
    assert names(elsewhere) == before


def test_work_goes_on_in_a_catalog_without_room_for_locks(catalog: Catalog) -> None:
    (Path(catalog.path) / ".lumina/locks").write_text("not a folder")
    assert done(catalog, MARK)[0] == MARK


def test_a_record_that_a_person_broke_keeps_nobody_from_working(catalog: Catalog) -> None:
    done(catalog)
    [path] = (Path(catalog.path) / ".lumina/jobs").iterdir()
    path.write_text('{"kind": "job", "version": 1, "state": "sleeping"}')
    done(catalog)
    found, corrupt = on_disk.list_records(catalog.root)
    assert len(found) == 1
    assert "work: is missing" in corrupt[0] or "id: is missing" in corrupt[0]
    assert path.name in corrupt[0]


# -- other processes


def test_another_process_sees_it_run_and_stops_it(catalog: Catalog, worker: Worker) -> None:
    process = worker()
    assert says(process) == "working"
    assert soon(lambda: [record.job.current for record in records(catalog)] > [3])
    [record] = records(catalog)
    assert (record.state, record.job.process.pid) == ("running", process.pid)
    assert record.job.rate is not None
    on_disk.request_cancel(catalog.disk, catalog.root, record.id)
    assert says(process) == "cancelled"
    process.wait(timeout=60)
    [record] = records(catalog)
    assert record.state == "cancelled"
    assert names(Path(catalog.path) / ".lumina/jobs") == [f"{record.id}.json"]


def test_readers_always_see_a_whole_record(catalog: Catalog, worker: Worker) -> None:
    process, begun = worker("scan", 3), time.monotonic()
    says(process)
    [path] = (Path(catalog.path) / ".lumina/jobs").glob("*.json")
    seen: dict[int, int] = {}
    while process.poll() is None:
        current = json.loads(path.read_bytes())["current"]
        seen[current] = path.stat().st_mtime_ns
    at_most = 3 + 2 * (time.monotonic() - begun)  # at its start and its end too
    assert 2 <= len(set(seen.values())) <= at_most, "written at most twice a second"
    assert records(catalog)[0].state == "success"


def test_a_killed_job_is_interrupted_and_the_next_run_goes_on_with_it(catalog: Catalog, worker: Worker) -> None:
    process = worker()
    says(process)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    [record] = records(catalog)
    assert (record.job.state, record.state, record.alive) == ("running", "interrupted", False)
    done(catalog, changed=False)
    [again] = records(catalog)
    assert (again.id, again.state, again.job.attempts) == (record.id, "success", 2)
    assert names(Path(catalog.path) / ".lumina/locks") == ["job-scan"]


def test_two_of_a_kind_queue_and_others_do_not(catalog: Catalog, worker: Worker) -> None:
    first = worker("scan", 60)
    assert says(first) == "working"
    refused = worker("scan", 60, "--no-wait")
    assert "error Locked another Lumina process is at the same work (scan)" in (said := says(refused))
    assert str(first.pid) in said
    second = worker("scan", 0.1)
    assert "this one starts after it" in says(second)
    other = worker("verify", 0.1)
    assert [says(other), says(other)] == ["working", "done"]
    states = {record.job.process.pid: record.state for record in records(catalog)}
    assert states == {first.pid: "running", second.pid: "pending", other.pid: "success"}
    [running] = [record for record in records(catalog) if record.state == "running"]
    on_disk.request_cancel(catalog.disk, catalog.root, running.id)
    assert [says(first), says(second), says(second)] == ["cancelled", "working", "done"]


def test_one_that_waits_can_be_stopped_too(catalog: Catalog, worker: Worker) -> None:
    first, second = worker(), worker()
    lines = {says(first), says(second)}
    assert "working" in lines
    assert soon(lambda: "pending" in {record.state for record in records(catalog)})
    [waiting] = [record for record in records(catalog) if record.state == "pending"]
    on_disk.request_cancel(catalog.disk, catalog.root, waiting.id)
    assert soon(lambda: "cancelled" in {record.state for record in records(catalog)})


def test_all_who_need_the_index_stand_in_one_line(catalog: Catalog) -> None:
    first = run(catalog, Work("rebuild", uses_index=True), iter([MARK]), cancel=threading.Event())
    assert next(iter(first)) == MARK
    second = Work("scan", uses_index=True)
    with pytest.raises(Locked, match="work on the index"):
        list(run(catalog, second, iter([MARK]), cancel=threading.Event(), wait=False))
    assert list(first) == []
    assert list(run(catalog, second, iter([MARK]), cancel=threading.Event(), wait=False)) == [MARK]


def test_work_that_needs_the_index_waits_for_whoever_has_it(catalog: Catalog) -> None:
    work = Work("scan", {}, lambda result: Told(None, True), uses_index=True)
    cancel = threading.Event()
    with exclusive(catalog, "something"):
        with pytest.raises(Locked, match="at the index"):
            list(run(catalog, work, iter([MARK]), cancel=cancel, wait=False))
        waiting = iter(run(catalog, work, iter([MARK]), cancel=cancel))
        note = next(waiting)
        assert isinstance(note, Note)
        assert "at the index" in note.text
    assert list(waiting) == [MARK]
