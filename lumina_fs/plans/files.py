"""The files of a plan: the plan itself, its approval and its journal, under `.lumina/plans/`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lumina_fs.catalog import PLANS, Catalog
from lumina_fs.document_ids import ids_in, matching, the_one
from lumina_fs.documents import Stored, corrupt_at, loaded, read
from lumina_fs.durable import ABSENT, Conflict, Failed, Written
from lumina_fs.errors import CorruptDocument, Refused, UsageError, WriteFailed
from lumina_fs.stamps import utc_now, who
from schemas.approval import Approval
from schemas.document import D, collector_paused, load, new_id, validate
from schemas.errors import DocumentError
from schemas.files import file_name
from schemas.plan import MAX_PLAN_BYTES, AnyAction, Copy, Move, Plan, Restore, Trash
from schemas.text import dump

#: Actions of a new draft that are checked before it is written; every later reading checks all.
_CHECKED = 1000


class Weight(NamedTuple):
    """A plan in numbers: actions by what is done, and the bytes that are moved, copied or trashed."""

    counts: dict[str, int]
    size: int


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it lies on the disk: `digest` is the SHA-256 of its bytes, which an approval names."""

    id: str
    path: str
    plan: Plan
    stored: Stored

    @property
    def digest(self) -> str:
        """The SHA-256 of its exact bytes."""
        return self.stored.etag


def plan_path(plan_id: str) -> str:
    """Where the plan lies, relative to the catalog."""
    return f"{PLANS}/{plan_id}.json"


def approval_path(plan_id: str) -> str:
    """Where its approval lies."""
    return f"{PLANS}/{plan_id}.approval.json"


def journal_path(plan_id: str) -> str:
    """Where the record of its execution lies."""
    return f"{PLANS}/{plan_id}.journal.jsonl"


def plan_ids(catalog: Catalog) -> list[str]:
    """Ids of all plans, oldest first (ids are made in the order of time)."""
    return ids_in(catalog.root, PLANS)


def short(plan_id: str) -> str:
    """The end of an id, which tells plans apart; their beginnings are the time."""
    return plan_id[-8:]


def find_plan(catalog: Catalog, reference: str) -> StoredPlan:
    """The plan with this id, an id that starts or ends so, or this name. Raises UsageError, CorruptDocument."""
    return read_plan(catalog, find_plan_id(catalog, reference))


def find_plan_id(catalog: Catalog, reference: str) -> str:
    """The same without reading the plan: it need not parse, unless it is meant by its name."""
    fits = matching(plan_ids(catalog), reference)
    if not fits:
        fits = [stored.id for stored in read_plans(catalog, skip_corrupt=True) if stored.plan.name == reference]
    return the_one(fits, reference, f"there is no plan {reference!r}; `lumina plan list` names them")


def read_plan(catalog: Catalog, plan_id: str) -> StoredPlan:
    """The checked plan. Raises CorruptDocument with line and column, UsageError where there is none."""
    path = plan_path(plan_id)
    stored = read(catalog.root, path)
    if stored is None:
        raise UsageError(f"there is no plan {plan_id}; `lumina plan list` names them")
    plan = _loaded(stored, Plan, os.path.join(catalog.path, path))
    if plan.id != plan_id:
        raise CorruptDocument(f"id: must be that of the file, {plan_id}", path=os.path.join(catalog.path, path))
    return StoredPlan(plan_id, path, plan, stored)


def read_plans(catalog: Catalog, *, skip_corrupt: bool = False) -> Iterator[StoredPlan]:
    """All plans, oldest first."""
    for plan_id in plan_ids(catalog):
        try:
            yield read_plan(catalog, plan_id)
        except CorruptDocument:
            if not skip_corrupt:
                raise


def read_approval(catalog: Catalog, plan_id: str) -> Approval | None:
    """The approval of a plan, None without one. Whether it is one of these very bytes is for the caller to compare."""
    return loaded(catalog.root, approval_path(plan_id), Approval, MAX_PLAN_BYTES)


def write_draft(catalog: Catalog, value: dict[str, Any]) -> str:
    """Write a new plan; its id. `value` is a plan without envelope. Raises UsageError, WriteFailed."""
    plan_id = new_id()
    full = _enveloped(plan_id, value)
    _checked({**full, "actions": full["actions"][:_CHECKED]}, Plan)
    _write(catalog, plan_path(plan_id), dump(full), ABSENT)
    return plan_id


def write_and_read(catalog: Catalog, value: dict[str, Any]) -> StoredPlan:
    """The same, and the plan as its bytes say it, without parsing these.

    They are the canonical text of `value`: what a parser makes of that is the value again. So the value is checked as a
    reader checks what it parsed. It must hold what JSON knows and nothing else. Raises UsageError, WriteFailed.
    """
    from concurrent.futures import ThreadPoolExecutor

    plan_id = new_id()
    path, full = plan_path(plan_id), _enveloped(plan_id, value)
    data = dump(full)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(_write, catalog, path, data, ABSENT)  # most of it is waiting for the disk
        try:
            plan = _checked(full, Plan)
        except UsageError:
            writing.result()
            catalog.disk.remove_marker(catalog.root, path)
            raise
        written = writing.result()
    return StoredPlan(plan_id, path, plan, Stored(data, written.etag, written.stat, written.settled))


def _enveloped(plan_id: str, value: dict[str, Any]) -> dict[str, Any]:
    envelope = {
        "$schema": f"../schemas/{file_name('plan')}", "kind": "plan", "version": 1, "id": plan_id,
        "name": value["name"], "description": value.get("description", ""), "created": utc_now(),
    }  # fmt: skip
    return {**envelope, **value}


def write_approval(catalog: Catalog, plan: StoredPlan) -> Approval:
    """Say yes to exactly these bytes. Raises Refused where they are approved already, or changed since.

    An approval of other bytes is void and is replaced.
    """
    now = read(catalog.root, plan.path)
    if now is None or now.etag != plan.digest:
        raise Refused("the plan was changed since you saw it; look at it again", path=plan.path)
    path = approval_path(plan.id)
    before = read(catalog.root, path)
    if before is not None and _loaded(before, Approval, os.path.join(catalog.path, path)).plan_sha256 == plan.digest:
        raise Refused("is approved already", path=plan.path)
    weight = weigh(plan.plan)
    value = {
        "$schema": f"../schemas/{file_name('approval')}",
        "kind": "approval",
        "version": 1,
        "id": new_id(),
        "plan": plan.id,
        "plan_sha256": plan.digest,
        "approved": utc_now(),
        "by": who(),
        "counts": weight.counts,
        "size": weight.size,
    }
    approval = _checked(value, Approval)
    _write(catalog, path, dump(value), ABSENT if before is None else before.etag)
    return approval


def remove_plan(catalog: Catalog, plan: StoredPlan) -> None:
    """Remove a plan and a void approval of it. Whether it may go is for the caller to know."""
    catalog.disk.remove_marker(catalog.root, approval_path(plan.id))
    catalog.disk.remove_marker(catalog.root, plan.path)


def weigh(plan: Plan) -> Weight:
    """How much a plan does."""
    counts = Counter([action.do for action in plan.actions])
    size = 0
    for action in plan.actions:
        if isinstance(action, (Move, Copy, Trash, Restore)):
            size += size_of(action)
    return Weight(dict(sorted(counts.items())), size)


def size_of(action: AnyAction) -> int:
    """Bytes of an original and of what goes with it, as far as the plan says."""
    size = action.size
    for companion in action.companions:
        size += companion.size or 0
    return size


def _loaded(stored: Stored, model: type[Any], shown: str) -> Any:
    with corrupt_at(shown):
        return load(stored.data, model, MAX_PLAN_BYTES)


def _checked(value: dict[str, Any], model: type[D]) -> D:
    """A value of ours as its model. Raises UsageError."""
    try:
        with collector_paused(1 << 30):
            return validate(value, model)
    except DocumentError as error:
        raise UsageError(error.reason) from None


def _write(catalog: Catalog, path: str, data: bytes, condition: str) -> Written:
    shown = os.path.join(catalog.path, path)
    if len(data) > MAX_PLAN_BYTES:
        raise UsageError(f"the plan would be larger than {MAX_PLAN_BYTES >> 20} MiB; propose less at a time (--query)")
    catalog.disk.make_directory(catalog.root, PLANS)
    outcome = catalog.disk.write(catalog.root, path, data, if_match=condition)
    if isinstance(outcome, Conflict):
        raise Refused("was changed meanwhile; nothing was written", path=shown)
    if isinstance(outcome, Failed):
        raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=shown)
    return outcome
