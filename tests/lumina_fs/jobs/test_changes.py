"""What those who look twice a second hear of jobs."""

from __future__ import annotations

from lumina_fs.catalog import Catalog
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
