"""Sidecars after their originals went: the new name where they moved, fresh ones for copies, edits of the curation."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lumina_fs import compose
from lumina_fs.curation import curation_of, put_fields, with_curation
from lumina_fs.durable import ABSENT, Conflict, Failed, Item
from lumina_fs.errors import CorruptDocument, LuminaError, Refused, WriteFailed
from lumina_fs.history import Kept
from lumina_fs.plans.edits import edited, joined, taken_back, unlike
from lumina_fs.plans.files import short
from lumina_fs.plans.places import AnyAction, Owner, Places, Step
from lumina_fs.sidecars import Change, Saved
from schemas.document import new_id
from schemas.names import decode_name, encode_name
from schemas.plan import Edit, Plan
from schemas.text import dump, patch

Value = dict[str, Any]
Wrong = dict[int, LuminaError | OSError]

#: So often a sidecar that does not parse is looked at again, 20 ms apart.
_PATIENCE = 25


class Documents:
    """The documents of one run. A write is conditional, so what a person edits meanwhile is kept."""

    def __init__(self, places: Places, plan: Plan, steps: Callable[[int], Sequence[Step]]) -> None:
        """`steps`: the files of an action, by its number."""
        self._places = places
        self._steps = steps
        self._why = f"plan {short(places.plan_id)}: {plan.name}"
        self._is_undo = plan.purpose == "undo"
        # what a person says of photos may be joined; a plan that goes on with the files needs exactly what it said
        self._joins = plan.purpose in ("edit", "undo")
        self.lost: dict[int, Value] = {}
        """By action the wishes that gave way to what a person wrote meanwhile; they are kept in the history."""

    def follow(self, actions: Iterable[tuple[int, AnyAction]], *, back: bool) -> Wrong:
        """Bring the sidecars of actions that were done (or taken back) up to date; which could not be, and why."""
        wrong: Wrong = {}
        changes: dict[str, list[tuple[int, Change]]] = {}
        refused: dict[int, Refused] = {}
        edits: set[int] = set()
        for number, action in actions:
            if isinstance(action, Edit):
                edits.add(number)
            try:
                for source, change in self._changes(number, action, back, refused):
                    changes.setdefault(source, []).append((number, change))
            except CorruptDocument as error:
                if number in edits:
                    wrong[number] = error
                continue  # it went with its original as it is; a person has to mend it
            except (OSError, LuminaError) as error:
                wrong[number] = error
        for source, group in changes.items():
            results = self._places.sidecars(source).put([change for _, change in group])
            for (number, change), first in zip(group, results, strict=True):
                result = first
                if isinstance(result, CorruptDocument) and number in edits:
                    result = self._patiently(source, change, result)
                if isinstance(result, OSError) or (number in edits and isinstance(result, CorruptDocument)):
                    wrong[number] = result
                elif isinstance(result, Saved) and number in self.lost:
                    self._keep_lost(source, change.path, result.value, self.lost[number])
        return {**wrong, **refused}

    def _patiently(self, source: str, change: Change, error: CorruptDocument) -> Saved | CorruptDocument | OSError:
        """The same edit again, because a sidecar that does not parse may be one that an editor is writing."""
        sidecars = self._places.sidecars(source)
        result: Saved | CorruptDocument | OSError = error
        for _ in range(_PATIENCE):
            if not isinstance(result, CorruptDocument):
                break
            time.sleep(0.02)
            stored = sidecars.read(change.path)
            if stored is not None:
                [result] = sidecars.put([change._replace(stored=stored)])
        return result

    def _keep_lost(self, source: str, path: str, value: Value, lost: Value) -> None:
        history = self._places.sidecars(source).history
        if history is not None:
            text = dump(put_fields(curation_of(value), lost)).decode().rstrip()
            with contextlib.suppress(WriteFailed):  # the plan says it too
                history.keep([Kept(str(value.get("id")), path, text, text, self._why, tuple(lost))])

    def _changes(
        self, number: int, action: AnyAction, back: bool, refused: dict[int, Refused]
    ) -> Iterable[tuple[str, Change]]:
        if isinstance(action, Edit):
            if not back:
                yield action.source, self._edit(number, action, refused)
            return
        for step in self._steps(number):
            owner = step.before if back else step.after
            if owner is None:
                continue
            if step.keep:
                if not back:
                    self._copy_sidecar(step)
                continue
            other = step.after if back else step.before
            if other is None or _name(other.path) != _name(owner.path):
                yield from self._renamed(owner)

    def _renamed(self, owner: Owner) -> Iterable[tuple[str, Change]]:
        sidecars = self._places.sidecars(owner.source)
        found = sidecars.find(owner.path)
        name = _name(owner.path)
        if found is None or found[1]["original"]["name"] == encode_name(name):
            return
        reference = sidecars.schema_reference(owner.path)

        def renamed(current: Value | None) -> Value:
            assert current is not None
            value = compose.present(current, name)
            return {**value, "$schema": reference} if "$schema" in value else value

        yield owner.source, Change(owner.path, found[0], renamed)

    def _copy_sidecar(self, step: Step) -> None:
        """A copy keeps the curation and gets an id of its own, as a scan has it."""
        assert step.before is not None
        assert step.after is not None
        from_source, to_source = self._places.sidecars(step.before.source), self._places.sidecars(step.after.source)
        there = to_source.read(step.after.path)
        if there is not None and there.data:
            return  # a run that was killed wrote it
        found = from_source.find(step.before.path)
        if found is None:
            return
        stored, value = found
        fresh = {**compose.present(value, _name(step.after.path)), "id": new_id()}
        if "$schema" in fresh:
            fresh["$schema"] = to_source.schema_reference(step.after.path)
        disk = self._places.catalog.disk
        disk.make_directory(step.new.root, step.new.path.rpartition("/")[0])
        condition = ABSENT if there is None else there.etag  # an empty one: killed between taking the name and writing
        [outcome] = disk.write_batch(step.new.root, [Item(step.new.path, patch(stored.data, fresh), condition)])
        if isinstance(outcome, Conflict):
            raise Refused("somebody else made this sidecar meanwhile", path=step.new.shown)
        if isinstance(outcome, Failed):
            raise outcome.error

    # -- edits of the curation

    def _edit(self, number: int, action: Edit, refused: dict[int, Refused]) -> Change:
        path = decode_name(action.path)
        stored = self._places.sidecars(action.source).read(path)
        if stored is None:
            raise Refused("its sidecar is gone", path=path)
        return Change(path, stored, self._composed(number, action, refused), self._why, self._is_undo)

    def _composed(self, number: int, action: Edit, refused: dict[int, Refused]) -> Callable[[Value | None], Value]:
        def composed(current: Value | None) -> Value:
            assert current is not None
            if not unlike(current, action, "after"):
                return current  # a run that was killed did it
            if self._joins:
                value, lost = joined(current, action)
                self.lost.pop(number, None)
                if lost:
                    self.lost[number] = lost
                return value
            if wrong := unlike(current, action, "before"):
                refused[number] = Refused(f"its curation was edited meanwhile: {wrong}", path=decode_name(action.path))
                return current
            return edited(current, action, "after")

        return composed

    def undo_edit(self, action: AnyAction) -> None:
        """Put fields back that are as the action made them; what a person wrote since stays. Raises WriteFailed."""
        if not isinstance(action, Edit):
            return
        path = decode_name(action.path)
        sidecars = self._places.sidecars(action.source)
        stored = sidecars.read(path)
        if stored is None:
            return

        def composed(current: Value | None) -> Value:
            assert current is not None
            curation = curation_of(current)
            if self._joins:
                return with_curation(current, put_fields(curation, taken_back(curation, action)))
            ours = {name: change for name, change in action.fields.items() if curation.get(name) == change.after}
            return edited(current, action.model_copy(update={"fields": ours}), "before")

        [result] = sidecars.put([Change(path, stored, composed, f"{self._why}, rolled back", back=True)])
        if isinstance(result, OSError):
            raise WriteFailed(f"its sidecar could not be written: {result.strerror or result}", path=path)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
