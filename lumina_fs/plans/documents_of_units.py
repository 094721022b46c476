"""Sidecars after their originals went: the new name where they moved, fresh ones for copies, edits of the curation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lumina_fs import compose
from lumina_fs.durable import ABSENT, Conflict, Failed, Item
from lumina_fs.errors import CorruptDocument, LuminaError, Refused, WriteFailed
from lumina_fs.plans.edits import edited, unlike
from lumina_fs.plans.places import AnyAction, Owner, Places, Step
from lumina_fs.sidecars import Change, Saved
from schemas.document import new_id
from schemas.names import decode_name, encode_name
from schemas.plan import Edit
from schemas.text import patch

Value = dict[str, Any]
Wrong = dict[int, LuminaError | OSError]


class Documents:
    """The documents of one run. A write is conditional, so what a person edits meanwhile is kept."""

    def __init__(self, places: Places, steps: Callable[[int], Sequence[Step]]) -> None:
        """`steps`: the files of an action, by its number."""
        self._places = places
        self._steps = steps

    def follow(self, actions: Iterable[tuple[int, AnyAction]], *, back: bool) -> Wrong:
        """Bring the sidecars of actions that were done (or taken back) up to date; which could not be, and why."""
        wrong: Wrong = {}
        changes: dict[str, list[tuple[int, Change]]] = {}
        refused: dict[int, Refused] = {}
        for number, action in actions:
            try:
                for source, change in self._changes(number, action, back, refused):
                    changes.setdefault(source, []).append((number, change))
            except CorruptDocument:
                continue  # it went with its original as it is; a person has to mend it
            except (OSError, LuminaError) as error:
                wrong[number] = error
        for source, group in changes.items():
            results = self._places.sidecars(source).put([change for _, change in group])
            for (number, _), result in zip(group, results, strict=True):
                if not isinstance(result, (Saved, CorruptDocument)):
                    wrong[number] = result
        return {**wrong, **refused}

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
        if to_source.read(step.after.path) is not None:
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
        [outcome] = disk.write_batch(step.new.root, [Item(step.new.path, patch(stored.data, fresh), ABSENT)])
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
        return Change(path, stored, self._composed(number, action, refused))

    @staticmethod
    def _composed(number: int, action: Edit, refused: dict[int, Refused]) -> Callable[[Value | None], Value]:
        def composed(current: Value | None) -> Value:
            assert current is not None
            if not unlike(current, action, "after"):
                return current  # a run that was killed did it
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
            curation = current.get("curation") or {}
            ours = {name: change for name, change in action.fields.items() if curation.get(name) == change.after}
            return edited(current, action.model_copy(update={"fields": ours}), "before")

        [result] = sidecars.put([Change(path, stored, composed)])
        if isinstance(result, OSError):
            raise WriteFailed(f"its sidecar could not be written: {result.strerror or result}", path=path)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
