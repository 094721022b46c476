"""The command of the person's gets the record on its standard input, within its time, and without a shell."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.running import run
from lumina_fs.jobs.work import Work
from lumina_fs.progress import Note
from tests.lumina_fs.jobs.conftest import done, records


def with_setting(catalog: Catalog, **settings: Any) -> Catalog:
    path = Path(catalog.path) / ".lumina/catalog.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "settings": settings}))
    return Catalog.open(catalog.path)


def noted(events: list[Any]) -> str:
    return " ".join(event.text for event in events if isinstance(event, Note))


KEEP = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read()); print('ignored')"


def test_it_gets_the_record_of_every_end(catalog: Catalog, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept; touch $HOME"
    with with_setting(catalog, on_job_end=[sys.executable, "-c", KEEP, str(kept)]) as changed:
        assert noted(done(changed)) == ""
        done(changed, changed=False)
        with pytest.raises(ZeroDivisionError):
            list(run(changed, Work("verify"), (1 // zero for zero in (0,)), cancel=threading.Event()))
    told = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(one["work"], one["state"], one["changed"]) for one in told] == [
        ("scan", "success", True), ("scan", "success", False), ("verify", "failure", None),
    ]  # fmt: skip
    assert told[0]["id"] in {record.id for record in records(catalog)}
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("command", "seconds", "said"),
    [
        (["/no/such/program"], 60, "cannot be started"),
        (["false"], 60, "failed with 1"),
        (["sleep", "600"], 0.3, "was ended after"),
    ],
)
def test_its_failure_is_noted_and_the_job_has_succeeded(
    catalog: Catalog, command: list[str], seconds: float, said: str
) -> None:
    with with_setting(catalog, on_job_end=command, on_job_end_seconds=seconds) as changed:
        assert said in noted(done(changed))
    [record] = records(catalog)
    assert record.state == "success"
    assert said in (record.job.on_end or "")


def test_a_command_in_a_file_that_others_write_is_not_run(catalog: Catalog, tmp_path: Path) -> None:
    made = tmp_path / "made"
    with with_setting(catalog, on_job_end=["touch", str(made)]) as changed:
        os.chmod(tmp_path / ".lumina/catalog.json", 0o666)
        assert "was not run" in noted(done(changed))
    assert not made.exists()
