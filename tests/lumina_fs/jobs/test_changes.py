"""What those who look twice a second hear of jobs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lumina_fs.catalog import JOBS, PLANS, Catalog
from lumina_fs.errors import UnsafePath
from lumina_fs.jobs import records
from lumina_fs.progress import Progress
from lumina_fs.viewing.changes import Changes
from tests.lumina_fs.jobs.conftest import done


def test_a_job_that_begins_and_ends_between_two_looks_is_told(catalog: Catalog) -> None:
    done(catalog, Progress("scanning", 1, 4))
    changes = Changes()
    first = changes.look(catalog)
    assert first.jobs is not None
    assert len(first.jobs) == 1
    assert first.ended == (), "what ended before anyone looked is no news"
    done(catalog, Progress("scanning", 1, 4))
    second = changes.look(catalog)
    assert second.jobs is not None
    assert [record.id for record in second.ended] == [second.jobs[0].id]
    assert changes.look(catalog).ended == ()


def test_jobs_that_cannot_be_read_are_looked_at_again_and_everything_else_is_told(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(catalog, Progress("scanning", 1, 4))
    changes = Changes()
    assert changes.look(catalog).trouble is None

    def failing(root: object, folder: str) -> list[str]:
        raise OSError(errno.EIO, os.strerror(errno.EIO), 7)

    with monkeypatch.context() as context:
        context.setattr(records, "ids_in", failing)
        assert changes.look(catalog).trouble is None, "there is nothing new to be read"
        jobs = Path(catalog.path) / JOBS
        (jobs / "new.tmp").touch()
        (Path(catalog.path) / PLANS).mkdir()
        (Path(catalog.path) / PLANS / "new.json").touch()
        for kinds in (["plans"], []):
            seen = changes.look(catalog)
            assert (seen.jobs, seen.ended, list(seen.kinds)) == (None, (), kinds)
            assert isinstance(seen.trouble, OSError)
            assert (seen.trouble.errno, seen.trouble.filename) == (errno.EIO, str(jobs))
    seen = changes.look(catalog)
    assert seen.jobs is not None
    assert len(seen.jobs) == 1
    assert (seen.ended, seen.trouble) == ((), None)
    assert changes.look(catalog).jobs is None


def test_jobs_behind_a_link_are_told_as_soon_as_they_are_a_folder_again(catalog: Catalog, tmp_path: Path) -> None:
    done(catalog, Progress("scanning", 1, 4))
    folder = tmp_path / JOBS
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with Catalog.open(catalog.path) as fresh:
        changes = Changes()
        for _ in range(2):
            assert isinstance(changes.look(fresh).trouble, UnsafePath)
        folder.unlink()
        (tmp_path / "elsewhere").rename(folder)
        seen = changes.look(fresh)
    assert seen.trouble is None
    assert seen.jobs is not None
    assert len(seen.jobs) == 1
