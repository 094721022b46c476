"""Rejecting actions of a draft: each becomes a `skip` that keeps what was proposed, and nothing else is touched."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.durable import Conflict, Failed
from lumina_fs.errors import EtagMismatch, UsageError, WriteFailed
from lumina_fs.plans.files import StoredPlan
from schemas.names import decode_name
from schemas.plan import MAX_PLAN_BYTES, AnyAction, Plan
from schemas.text import dump, parse, patch

#: What every action says; all else is what was proposed.
_SHARED = frozenset({"source", "path", "size", "sha256", "warnings", "companions"})


def reject(catalog: Catalog, plan: StoredPlan, paths: Sequence[str], reason: str, *, also: Collection[int] = ()) -> int:
    """Reject the actions at these paths or below these folders, and those numbered `also` (from 0); how many.

    Raises UsageError for a path that no action has, EtagMismatch where the plan was changed meanwhile.
    """
    numbers = set(also)
    for path in paths:
        numbers |= _fitting(catalog, plan.plan, path)
    value = parse(plan.stored.data, MAX_PLAN_BYTES)
    canonical = dump(value) == plan.stored.data
    done = 0
    for number in numbers:
        if value["actions"][number]["do"] != "skip":
            value["actions"][number] = skipped(value["actions"][number], reason)
            done += 1
    data = dump(value) if canonical else patch(plan.stored.data, value, MAX_PLAN_BYTES)
    outcome = catalog.disk.write(catalog.root, plan.path, data, if_match=plan.digest)
    shown = os.path.join(catalog.path, plan.path)
    if isinstance(outcome, Conflict):
        raise EtagMismatch("the plan was changed meanwhile; nothing was rejected, look at it again", path=shown)
    if isinstance(outcome, Failed):
        raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=shown)
    return done


def skipped(action: dict[str, Any], reason: str) -> dict[str, Any]:
    """The value of an action as one that does nothing."""
    shared = {name: inner for name, inner in action.items() if name in _SHARED}
    proposed = {name: inner for name, inner in action.items() if name not in _SHARED}
    return {"do": "skip", **shared, "reason": reason, "proposed": proposed}


def _fitting(catalog: Catalog, plan: Plan, path: str) -> set[int]:
    """Positions of the actions on an original, or on those in a folder: as the plan names it, or as a path on disk."""
    wanted = {path.rstrip("/")}
    for source in catalog.sources():
        place = os.path.abspath(path)
        if place.startswith(source.path.rstrip("/") + "/"):
            wanted.add(os.path.relpath(place, source.path))
    found = {number for number, action in enumerate(plan.actions) if _is_at(action, wanted)}
    if not found:
        raise UsageError("no action of this plan is about it; nothing was changed", path=path)
    return found


def _is_at(action: AnyAction, wanted: set[str]) -> bool:
    path = decode_name(action.path)
    names = {path, f"{action.source}:{path}", action.path}
    return bool(names & wanted) or any(path.startswith(f"{one}/") for one in wanted)
