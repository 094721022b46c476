"""What a plan writes down beside its journal: manifests of the trash before files go there, and the audit."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from lumina_fs.audit import record as record_audit
from lumina_fs.growing import append_durable
from lumina_fs.plans.places import TRASH, AnyAction, Places, Step, beside, steps_of
from lumina_fs.roots import Root
from lumina_fs.stamps import utc_now, who
from lumina_fs.transfer import Spot
from schemas.names import encode_name
from schemas.plan import Copy, Edit, Move, Plan, Restore, Trash

_WORDS = {"move": "moved", "copy": "copied", "trash": "trashed", "restore": "restored", "edit": "edited"}


class Ledger:
    """The manifests and audit lines of one run."""

    def __init__(self, places: Places, plan: Plan) -> None:
        self._places = places
        self._plan = plan
        self._by = who()

    # -- the trash

    def write_manifests(self, numbers: Iterable[int]) -> None:
        """Say durably what is about to lie in the trash. Raises WriteFailed, OSError."""
        lines: dict[str, tuple[Root, list[bytes]]] = {}
        for number in numbers:
            action = self._plan.actions[number]
            assert isinstance(action, Trash)
            steps = steps_of(self._places, action)
            files = [(step.part, step.old.path, step.new.path) for step in steps if step.old.info() is not None]
            root = self._places.trash_root(action.source)
            value = self._entry(number, action.source, action.path, action.size, action.sha256, action.reason, files)
            lines.setdefault(root.path, (root, []))[1].append(value)
        for root, texts in lines.values():
            append_durable(self._places.catalog.disk, root, manifest_path(self._places.plan_id), texts)

    def place_for_copy(self, number: int, step: Step) -> Spot:
        """The place in the trash for a copy that was taken back, after its manifest says so. Raises WriteFailed."""
        action = self._plan.actions[number]
        assert isinstance(action, Copy)
        source = action.to.source
        path = beside(step.after.path) if step.after else step.new.path
        trash = self._places.trash(source, path)
        if not step.is_sidecar:
            why = f"a copy that the plan {self._plan.name} made, taken back"
            sidecar = [("sidecar", beside(path), self._places.trash(source, beside(path)).path)]
            files = [(step.part, path, trash.path), *sidecar]
            line = self._entry(number, source, encode_name(path), step.size or 0, step.sha256 or "", why, files)
            root = self._places.trash_root(source)
            append_durable(self._places.catalog.disk, root, manifest_path(self._places.plan_id), [line])
        return trash

    def _entry(
        self, number: int, source: str, path: str, size: int, sha256: str, why: str, files: list[tuple[str, str, str]]
    ) -> bytes:
        value = {
            "when": utc_now(), "plan": self._places.plan_id, "action": number, "source": source, "path": path,
            "size": size, "sha256": sha256, "reason": why,
            "files": [{"part": p, "path": encode_name(old), "in": encode_name(new)} for p, old, new in files],
        }  # fmt: skip
        return json.dumps(value, separators=(",", ":")).encode()

    # -- the audit

    def write_audit(self, numbers: Iterable[int], *, back: bool) -> None:
        """Write down what was done, or rolled back. Raises WriteFailed."""
        now = utc_now()
        record_audit(self._places.catalog, [self._line(number, now, back) for number in numbers])

    def _line(self, number: int, now: str, back: bool) -> dict[str, Any]:
        action = self._plan.actions[number]
        word = _WORDS[action.do]
        line: dict[str, Any] = {"when": now, "what": "rolled_back" if back else word}
        if back:
            line["of"] = word
        line |= {"source": action.source, "path": action.path, **_more(action)}
        line |= {"size": action.size, "sha256": action.sha256, "plan": self._places.plan_id, "action": number}
        return line | {"by": self._by}


def _more(action: AnyAction) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(action, (Move, Copy)):
        found["to"] = {"source": action.to.source, "path": action.to.path}
    if isinstance(action, Restore):
        found["trashed_by"] = action.trashed_by
    if isinstance(action, Edit):
        found["fields"] = {name: [change.before, change.after] for name, change in action.fields.items()}
    if action.companions:
        found["companions"] = [one.path for one in action.companions]
    return found


def manifest_path(plan_id: str) -> str:
    """Where the manifest of what a plan put into a trash lies."""
    return f"{TRASH}/{plan_id}.jsonl"
