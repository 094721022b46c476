"""Many changes at once become the draft of a plan of kind "edit": each sidecar is read, nothing is written to it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.curation import curation_of, difference, with_curation
from lumina_fs.errors import CorruptDocument, LuminaError
from lumina_fs.plans.places import Places
from lumina_fs.progress import Event, Finished, Progress, Throttle
from schemas.document import validate
from schemas.errors import DocumentError
from schemas.names import encode_name
from schemas.sidecar import Sidecar

Value = dict[str, Any]
FieldChanges = dict[str, tuple[Any, Any]]


class SidecarEdit(NamedTuple):
    """A change of one original's curation: `path` (decoded) in its source, and what becomes of the block."""

    source: str
    path: str
    change: Callable[[Value], Value]


@dataclass(slots=True)
class EditProposal:
    """A plan without envelope, None where nothing changes; what is left out, as (source, path, why).

    `unchanged` counts what is so already; `changes` has before and after of each field, by (source, path).
    """

    plan: Value | None
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    unchanged: int = 0
    changes: dict[tuple[str, str], FieldChanges] = field(default_factory=dict)


def propose_edits(
    catalog: Catalog,
    edits: Iterable[SidecarEdit],
    *,
    name: str,
    description: str = "",
    reason: str = "",
    cancel: threading.Event,
) -> Iterator[Event | Finished[EditProposal]]:
    """The plan that makes these changes, in the last event. An original named twice is changed once, by both in turn.

    Each sidecar decides for itself: one that cannot be changed is left out, with the reason. Stopped, it proposes
    nothing. Raises SourceOffline.
    """
    together: dict[tuple[str, str], list[Callable[[Value], Value]]] = {}
    for edit in edits:
        together.setdefault((edit.source, edit.path), []).append(edit.change)
    proposal = EditProposal(None)
    actions = []
    throttle = Throttle()
    with Places(catalog, "") as places:
        for number, ((source, path), changes) in enumerate(together.items()):
            if cancel.is_set():
                return
            if throttle.due():
                yield Progress("reading sidecars", number, len(together), "sidecars")
            try:
                action = _action(places, source, path, changes, reason)
            except CorruptDocument as error:
                proposal.left_out.append((source, path, f"its sidecar cannot be used: {error.reason}"))
                continue
            except _LeftOut as left:
                proposal.left_out.append((source, path, str(left)))
                continue
            if action is None:
                proposal.unchanged += 1
                continue
            actions.append(action)
            fields = action["fields"].items()
            proposal.changes[source, path] = {field: (one["before"], one["after"]) for field, one in fields}
    if actions:
        proposal.plan = {
            "name": name, "description": description, "purpose": "edit", "strategy": {"name": "edit"},
            "on_failure": "continue", "actions": actions,
        }  # fmt: skip
    yield Finished(proposal)


class _LeftOut(Exception):
    """Why one original is not changed."""


def _action(
    places: Places, source: str, path: str, changes: list[Callable[[Value], Value]], reason: str
) -> Value | None:
    """The action for one original; None where it is so already."""
    try:
        found = places.sidecars(source).find(path)
    except (OSError, LuminaError) as error:
        if isinstance(error, CorruptDocument) or not isinstance(error, OSError):
            raise
        raise _LeftOut(f"its sidecar cannot be read: {error.strerror}") from None
    if found is None:
        raise _LeftOut("has no sidecar yet; `lumina scan` writes it")
    value, original = found[1], found[1]["original"]
    before = after = curation_of(value)
    for change in changes:
        after = change(dict(after))
    fields = difference(before, after)
    if not fields:
        return None
    try:
        validate(with_curation(value, after), Sidecar)
    except DocumentError as error:
        raise _LeftOut(error.reason) from None
    if not original.get("sha256"):
        raise _LeftOut("its original could not be read, so no plan can name it; `lumina edit` opens its sidecar")
    if "missing_since" in original:
        raise _LeftOut("its original is missing; `lumina edit` opens its sidecar")
    return {
        "do": "edit", "source": source, "path": encode_name(path), "size": original["size"],
        "sha256": original["sha256"], "reason": reason,
        "fields": {name: {"before": old, "after": new} for name, (old, new) in fields.items()},
    }  # fmt: skip


def counted(proposal: EditProposal) -> dict[str, int]:
    """How many originals each field changes of, by field."""
    counts = Counter(name for fields in proposal.changes.values() for name in fields)
    return dict(sorted(counts.items()))
