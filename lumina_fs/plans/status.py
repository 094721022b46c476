"""The status of a plan, derived from its bytes, its approval and its journal, and never stored."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Locked
from lumina_fs.locks import lock
from lumina_fs.plans.apply import plan_lock
from lumina_fs.plans.files import StoredPlan, read_approval
from lumina_fs.plans.journal import History, read_history

Status = Literal["draft", "approved", "void", "executing", "interrupted", "complete", "failed", "rolled_back", "undone"]
#: What may still be edited, rejected in and deleted.
OPEN: tuple[Status, ...] = ("draft", "void")


#: How the journal of a plan is read.
Reading = Callable[[Catalog, str], History]


def status_of(catalog: Catalog, plan: StoredPlan) -> Status:
    """What became of a plan. `void`: it was edited after it was approved. Raises CorruptDocument."""
    return status_by(catalog, plan.id, plan.digest)


def status_by(catalog: Catalog, plan_id: str, digest: str, read: Reading = read_history) -> Status:
    """The same for a plan whose bytes have this digest."""
    if _is_locked(catalog, plan_id):
        return "executing"
    history = read(catalog, plan_id)
    if history.begin is not None:
        if history.outcome == "complete" and is_undone(catalog, history, read):
            return "undone"
        return history.outcome or "interrupted"
    approval = read_approval(catalog, plan_id)
    if approval is None:
        return "draft"
    return "approved" if (approval.plan, approval.plan_sha256) == (plan_id, digest) else "void"


def is_undone(catalog: Catalog, history: History, read: Reading = read_history) -> bool:
    """True when a plan that undid this one is complete, and was not undone itself."""
    for other in history.undone_by:
        undo = read(catalog, other)
        if undo.outcome == "complete" and not is_undone(catalog, undo, read):
            return True
    return False


def _is_locked(catalog: Catalog, plan_id: str) -> bool:
    try:
        directory, name = catalog.root.place(plan_lock(plan_id))
        os.stat(name, dir_fd=directory, follow_symlinks=False)
        with lock(catalog.root, plan_lock(plan_id)):
            return False
    except Locked:
        return True
    except OSError:
        return False
