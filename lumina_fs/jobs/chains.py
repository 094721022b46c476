"""Several jobs as one: each step has its record, all have one progress, and a failure or a stop ends the chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.jobs.kinds import start
from lumina_fs.jobs.running import run
from lumina_fs.progress import Event, Finished, Progress
from schemas.document import new_id


class Step(NamedTuple):
    """One step: the kind of work and its arguments."""

    work: str
    arguments: dict[str, Any]


#: What `lumina analyze` does.
ANALYZE = (Step("scan", {}), Step("duplicates", {}), Step("tag", {"optional": True}))


@dataclass(slots=True)
class ChainResult:
    """What the steps of a chain came to, in their order; fewer than there are steps where it was stopped."""

    id: str
    results: list[tuple[str, Any]] = field(default_factory=list)
    cancelled: bool = False


def run_chain(
    catalog: Catalog,
    steps: Sequence[Step],
    *,
    cancel: threading.Event,
    wait: bool = True,
    chain: str | None = None,
    first: int = 1,
    again: str | None = None,
    schedule: str | None = None,
) -> Iterator[Event | Finished[ChainResult]]:
    """Do the steps from `first` on. `again` is the record that the first of them goes on with.

    What a step raises ends the chain.
    """
    result = ChainResult(chain or new_id())
    listed = [{"work": step.work, "arguments": step.arguments} for step in steps]
    for position, step in enumerate(steps[first - 1 :], first):
        started = start(catalog, step.work, step.arguments, cancel)
        block = {"id": result.id, "position": position, "steps": listed}
        work = replace(started.work, chain=block, again=again if position == first else None, schedule=schedule)
        done = False
        for event in run(catalog, work, started.events, cancel=cancel, wait=wait):
            if isinstance(event, Finished):
                result.results.append((step.work, event.result))
                done = True
            elif isinstance(event, Progress):
                yield replace(event, stage=f"{position} of {len(steps)}, {event.stage}")
            elif isinstance(event, Event):
                yield event
        if cancel.is_set() or not done:
            result.cancelled = True
            break
    yield Finished(result)


def analyze(
    catalog: Catalog, *, cancel: threading.Event, wait: bool = True, schedule: str | None = None
) -> Iterator[Event | Finished[ChainResult]]:
    """Look at what is new, then for its twins, then at what is to be seen in it, where models can be had."""
    return run_chain(catalog, ANALYZE, cancel=cancel, wait=wait, schedule=schedule)
