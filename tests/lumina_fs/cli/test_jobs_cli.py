"""`lumina jobs` and `lumina analyze` as a person types them, with real processes that are stopped and killed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.cli import main
from lumina_fs.cli.analyze import summary
from lumina_fs.errors import ExitCode
from tests.lumina_fs.jobs.conftest import WORKER

if TYPE_CHECKING:
    from tests.conftest import Library

REPOSITORY = Path(__file__).resolve().parents[3]
Run = Callable[..., tuple[int, str, str]]
Began = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(library: Library, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command about the library; (code, stdout, stderr)."""

    def one(line: str) -> tuple[int, str, str]:
        code = main([*shlex.split(line), *([] if line.startswith("scan") else ["--catalog", str(library.root)])])
        said = capsys.readouterr()
        return code, said.out, said.err

    return one


@pytest.fixture
def begun(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Began]:
    """Starts a command in a process of its own, with one worker, so that it takes a while."""
    monkeypatch.setenv("LUMINA_WORKERS", "1")
    processes: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "lumina_fs", *words], cwd=REPOSITORY, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def jobs(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("jobs list --json")[1].splitlines()]


def wait_for(question: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = question()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_every_run_has_a_record_and_a_second_one_changes_nothing(library: Library, run: Run) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 1)
    (library.root / "broken.jpg").write_bytes(b"nothing")
    assert run(f"scan {library.root}")[0] == ExitCode.PROBLEMS
    for line in ("duplicates find", "index verify --quiet", f"cache thumbnail {library.root}/a.jpg"):
        assert run(line)[0] == 0
    found = jobs(run)
    assert [(one["work"], one["state"]) for one in found] == [
        ("thumbnails", "success"), ("verify", "success"), ("duplicates", "success"), ("scan", "success"),
    ]  # fmt: skip
    assert found[-1]["counts"] == {"added": 3, "problems": 1}
    assert found[-1]["result"]["exact_duplicates"] == 1
    assert found[2]["result"]["groups"] == 1
    assert run("analyze --quiet")[0] == 0  # its third step never ran before, so it leaves a record
    before = library.tree()
    thumbnail = f"cache thumbnail {library.root}/a.jpg"
    for line in (f"scan {library.root}", "duplicates find", "index verify --quiet", thumbnail, "analyze --quiet"):
        assert run(line)[0] == 0
    assert library.tree() == before
    code, out, _ = run("jobs list --limit 2")
    assert (code, len(out.splitlines())) == (0, 3)
    code, out, _ = run(f"jobs show {found[-1]['id'][-8:]}")
    assert code == 0
    assert "broken.jpg: undecodable" in out
    assert "arguments" not in out, "none of them says anything"
    searched = next(one["id"] for one in found if one["work"] == "duplicates")
    assert "threshold 5" in run(f"jobs show {searched}")[1]
    assert json.loads(run(f"jobs show --json {found[-1]['id']}")[1])["problems"][0]["code"] == "undecodable"
    assert run("check")[0] in (0, ExitCode.PROBLEMS)


def test_analyze_is_one_chain(library: Library, run: Run) -> None:
    library.photo("a.jpg", 1)
    library.photo("copy.jpg", 1)
    library.scan()
    library.photo("b.jpg", 2)
    code, out, _ = run("analyze --json")
    told = json.loads(out)
    assert code == 0
    assert (told["steps"]["scan"]["added"], told["steps"]["duplicates"]["groups"]) == (1, 1)
    chain = {(one["work"], one["chain"]["position"], one["chain"]["id"]) for one in jobs(run)}
    assert chain == {(work, step, told["chain"]) for step, work in enumerate(("scan", "duplicates", "tag"), 1)}


def test_another_process_stops_a_scan_and_a_retry_ends_it(library: Library, run: Run, begun: Began) -> None:
    for number in range(200):
        library.photo(f"{number}.jpg", number)
    process = begun("scan", str(library.root), "--quiet")
    wait_for(lambda: list(library.root.glob("*.lumina.json")))
    os.kill(process.pid, signal.SIGSTOP)  # it shall not end before it was asked to
    [one] = jobs(run)
    assert (one["work"], one["state"], one["process"]["pid"]) == ("scan", "running", process.pid)
    code, out, _ = run(f"jobs cancel {one['id']}")
    os.kill(process.pid, signal.SIGCONT)
    assert code == 0
    assert "was asked to stop" in out
    process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    written = len(list(library.root.glob("*.lumina.json")))
    assert 0 < written < 200
    assert "does not run (cancelled)" in run(f"jobs cancel {one['id']}")[2]
    code, out, _ = run(f"jobs retry {one['id']} --json")
    told = json.loads(out)
    assert (code, told["id"], told["state"], told["attempts"]) == (0, one["id"], "success", 2)
    assert (told["result"]["unchanged"], told["result"]["added"]) == (written, 200 - written)
    assert run(f"jobs retry {one['id']}")[0] == ExitCode.USAGE


def test_watch_follows_a_job_of_another_process_to_its_end(library: Library, run: Run, begun: Began) -> None:
    library.scan()
    command = [sys.executable, "-c", WORKER, str(library.root), "scan", "60"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as work:
        assert work.stdout is not None
        assert work.stdout.readline() == "working\n"
        watch = begun("jobs", "watch", "--json", "--catalog", str(library.root))
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        assert (first["state"], first["process"]["pid"]) == ("running", work.pid)
        run(f"jobs cancel {first['id']}")
        *_, last = watch.communicate(timeout=30)[0].splitlines()
    assert (json.loads(last)["state"], watch.returncode) == ("cancelled", ExitCode.INTERRUPTED)


def test_a_killed_scan_claims_no_more_to_run_and_goes_on(library: Library, run: Run, begun: Began) -> None:
    for number in range(200):  # the first are written when a third of them was read
        library.photo(f"{number}.jpg", number)
    process = begun("scan", str(library.root), "--quiet")
    wait_for(lambda: list(library.root.glob("*.lumina.json")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    [one] = jobs(run)
    assert one["state"] == "interrupted"
    assert "jobs retry" in run("jobs list")[1]
    assert run("jobs clean --json")[1] == '{"removed": 0, "kept": 1}\n'
    assert run("jobs watch")[0] == 0
    code, out, _ = run(f"jobs retry {one['id'][-8:]}")
    assert code == 0
    assert "scan" in out
    assert "success" in out
    assert len(list(library.root.glob("*.lumina.json"))) == 200
    [again] = jobs(run)
    assert (again["state"], again["attempts"], again["id"]) == ("success", 2, one["id"])
    assert run("jobs clean --json")[1] == '{"removed": 1, "kept": 0}\n'
    assert sorted(path.name for path in (library.root / ".lumina/locks").iterdir()) == ["index", "job-index", "photos"]


def test_schedules_are_kept_listed_run_and_removed(library: Library, run: Run) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    assert run("jobs schedule scan --every 1d --source main")[0] == 0
    code, out, _ = run("jobs schedule analyze --at 03:00 --name nightly --json")
    assert (code, json.loads(out)["at"]) == (0, "03:00")
    assert run("jobs run-due --json")[1] == '{"schedule": "scan", "state": "success"}\n'
    assert "nothing is due" in run("jobs run-due")[2]
    rows = [json.loads(line) for line in run("jobs schedule list --json")[1].splitlines()]
    assert [(row["name"], row["state"]) for row in rows] == [("scan", "success"), ("nightly", None)]
    assert rows[0]["next"] > rows[0]["last"]
    assert len(run("jobs schedule list")[1].splitlines()) == 3
    assert run("jobs clean --json")[1] == '{"removed": 0, "kept": 1}\n', "it says when the schedule is next"
    for name in ("scan", "nightly"):
        assert run(f"jobs schedule remove {name}")[0] == 0
    assert run("jobs schedule remove nightly")[0] == ExitCode.USAGE
    assert run("jobs schedule scan")[0] == ExitCode.USAGE
    assert run("jobs schedule scan --every daily")[0] == ExitCode.USAGE
    assert run("jobs schedule verify --every 1d --source main")[0] == ExitCode.USAGE
    assert "nothing is scheduled" in run("jobs schedule list")[2]


def test_numbers_of_a_result_are_told_in_units() -> None:
    assert summary({"done": 1_234, "size": 1_615_142, "failed": 0, "outcome": "complete"}) == "1,234 done, 1.6 MB"
    assert summary({"failed": 0, "equal": True}) == "nothing to do"


def test_a_name_in_a_record_cannot_act_on_the_terminal(library: Library, run: Run) -> None:
    (library.root / "\x1b]0;owned\x07\u202ebroken.jpg").write_bytes(b"nothing")
    run(f"scan {library.root}")
    [one] = jobs(run)
    said = "".join((*run(f"jobs show {one['id']}")[1:], *run("jobs list")[1:]))
    assert "\\x1b" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
