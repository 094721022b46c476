"""A proposal of edits becomes an approved plan and is carried out, in one go: for changes that a person just agreed to.

The plan stays as the record of what was done, and `lumina plan undo` takes it back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from lumina_fs.catalog import Catalog
from lumina_fs.curating.proposing import EditProposal
from lumina_fs.jobs.kinds import apply_work
from lumina_fs.jobs.running import run
from lumina_fs.plans.apply import Applied, apply
from lumina_fs.plans.files import StoredPlan, read_plan, write_approval, write_draft
from lumina_fs.progress import Event, Finished


def approved(catalog: Catalog, proposal: EditProposal) -> StoredPlan:
    """The plan of a proposal that changes something, written and approved. Raises UsageError, WriteFailed."""
    assert proposal.plan is not None, "there is nothing to approve"
    plan = read_plan(catalog, write_draft(catalog, proposal.plan))
    write_approval(catalog, plan)
    return plan


def carry_out(catalog: Catalog, plan: StoredPlan, *, cancel: threading.Event) -> Iterator[Event | Finished[Applied]]:
    """Carry it out, as a job. What a person writes into the same sidecars meanwhile is joined with it, and theirs stays
    where both changed one field; the other is kept in the history. Raises as `lumina_fs.plans.apply.apply`.
    """
    yield from run(
        catalog, apply_work(plan.id, "apply"), apply(catalog, plan, cancel=cancel, joins=True), cancel=cancel
    )
