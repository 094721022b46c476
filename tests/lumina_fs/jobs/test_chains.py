"""A chain is one piece of work: what fails or is stopped ends it, and a retry goes on from there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Locked, UsageError
from lumina_fs.jobs import kinds
from lumina_fs.jobs.again import retry
from lumina_fs.jobs.chains import ChainResult, analyze
from lumina_fs.jobs.kinds import Started, start
from lumina_fs.jobs.records import request_cancel
from lumina_fs.jobs.work import Told, Work
from lumina_fs.progress import Finished, Progress
from tests.lumina_fs.jobs.conftest import Worker, done, records, says


class Steps:
    """Stands for scan, search and tagging; `fails` names the one that fails, `stops` the one that is stopped."""

    def __init__(self) -> None:
        self.fails = self.stops = ""
        self.ran: list[str] = []

    def starter(self, kind: str) -> kinds.Starter:
        def begin(catalog: Catalog, cancel: threading.Event, **arguments: Any) -> Started:
            return Started(Work(kind, arguments, lambda result: Told(result, True)), self.events(kind, cancel))

        return begin

    def events(self, kind: str, cancel: threading.Event) -> Iterator[Any]:
        self.ran.append(kind)
        yield Progress("looking", 1, 2)
        if self.fails == kind:
            raise OSError(28, "No space left on device")
        if self.stops == kind:
            cancel.set()
        yield Finished({"kind": kind})


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    made = Steps()
    for kind in ("scan", "duplicates", "tag"):
        monkeypatch.setitem(kinds.STARTERS, kind, made.starter(kind))
    return made


def test_a_chain_has_one_progress_and_a_record_for_each_step(catalog: Catalog, steps: Steps) -> None:
    *events, last = analyze(catalog, cancel=threading.Event())
    assert events == [Progress(f"{step} of 3, looking", 1, 2) for step in (1, 2, 3)]
    assert isinstance(last, Finished)
    assert [work for work, _ in last.result.results] == steps.ran == ["scan", "duplicates", "tag"]
    found = sorted((r.job for r in records(catalog)), key=lambda job: job.chain.position if job.chain else 0)
    assert [(job.work, job.chain and job.chain.position, job.stage) for job in found] == [
        ("scan", 1, "looking"), ("duplicates", 2, "looking"), ("tag", 3, "looking"),
    ]  # fmt: skip
    assert len({job.chain.id for job in found if job.chain}) == 1


def test_a_failure_ends_the_chain_and_a_retry_goes_on_from_there(catalog: Catalog, steps: Steps) -> None:
    steps.fails = "duplicates"
    with pytest.raises(OSError, match="No space"):
        list(analyze(catalog, cancel=threading.Event()))
    [failed] = [record for record in records(catalog) if record.state == "failure"]
    assert "No space left" in failed.job.message
    steps.fails = ""
    *_, last = retry(catalog, failed, cancel=threading.Event())
    assert steps.ran == ["scan", "duplicates", "duplicates", "tag"]
    assert last.result.results == [(kind, {"kind": kind}) for kind in ("duplicates", "tag")]
    assert {record.state for record in records(catalog)} == {"success"}
    assert {record.job.attempts for record in records(catalog)} == {1, 2}


def test_a_first_step_that_failed_takes_the_rest_along(catalog: Catalog, steps: Steps) -> None:
    steps.fails = "scan"
    with pytest.raises(OSError):
        list(analyze(catalog, cancel=threading.Event()))
    assert steps.ran == ["scan"]
    [failed] = records(catalog)
    steps.fails = ""
    list(retry(catalog, failed, cancel=threading.Event()))
    assert steps.ran == ["scan", "scan", "duplicates", "tag"]


def test_a_stop_ends_the_chain(catalog: Catalog, steps: Steps) -> None:
    steps.stops = "scan"
    *_, last = analyze(catalog, cancel=threading.Event())
    assert isinstance(last, Finished)
    assert isinstance(last.result, ChainResult)
    assert (steps.ran, last.result.cancelled) == (["scan"], True)
    assert [record.state for record in records(catalog)] == ["cancelled"]


def test_what_runs_or_succeeded_is_not_tried_again(catalog: Catalog, worker: Worker) -> None:
    done(catalog, kind="verify")
    [record] = records(catalog)
    with pytest.raises(UsageError, match="succeeded"):
        retry(catalog, record, cancel=threading.Event())
    process = worker()
    says(process)
    [running] = [record for record in records(catalog) if record.alive]
    with pytest.raises(Locked, match="still running"):
        retry(catalog, running, cancel=threading.Event())
    request_cancel(catalog.disk, catalog.root, running.id)
    assert says(process) == "cancelled"


def test_work_without_a_starter_says_how_it_is_started(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="its own command"):
        start(catalog, "apply", {"plan": "x"}, threading.Event())
    with pytest.raises(UsageError, match="make no sense"):
        start(catalog, "verify", {"mine": 1}, threading.Event())
