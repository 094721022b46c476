"""Starting a job again: with the same arguments, under the same record, and with the rest of its chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Locked, UsageError
from lumina_fs.jobs.chains import Step, run_chain
from lumina_fs.jobs.kinds import start
from lumina_fs.jobs.records import Record
from lumina_fs.jobs.running import run


def retry(catalog: Catalog, record: Record, *, cancel: threading.Event, wait: bool = True) -> Iterator[Any]:
    """The events of the job, done again; it goes on where it was, because all our work does.

    Raises Locked while it still runs, UsageError for one that succeeded or cannot be started from its record.
    """
    if record.alive:
        raise Locked(
            f"job {record.id} is still running (process {record.job.process.pid}); lumina jobs cancel stops it"
        )
    if record.state == "success":
        raise UsageError(f"job {record.id} succeeded: there is nothing to do again. To do the same once more, "
                         "use its command")  # fmt: skip
    chain = record.job.chain
    if chain is not None:
        steps = [Step(step.work, dict(step.arguments)) for step in chain.steps]
        return run_chain(
            catalog, steps, cancel=cancel, wait=wait, chain=chain.id, first=chain.position, again=record.id,
            schedule=record.job.schedule,
        )  # fmt: skip
    started = start(catalog, record.job.work, dict(record.job.arguments), cancel)
    work = replace(started.work, again=record.id, schedule=record.job.schedule)
    return run(catalog, work, started.events, cancel=cancel, wait=wait)
