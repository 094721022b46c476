"""The plan that takes a finished one back: its inverse for what is there now, which needs an approval of its own."""

from __future__ import annotations

from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.curation import curation_of
from lumina_fs.errors import CorruptDocument, LuminaError, Refused
from lumina_fs.filetypes import by_extension
from lumina_fs.plans.edits import taken_back
from lumina_fs.plans.files import StoredPlan
from lumina_fs.plans.journal import read_history
from lumina_fs.plans.places import AnyAction, Places, beside, steps_of
from lumina_fs.plans.status import status_of
from lumina_fs.transfer import Changed, Spot, content
from schemas.names import decode_name, encode_name
from schemas.plan import Copy, Edit, Move, Restore, Trash

Value = dict[str, Any]


def propose_undo(catalog: Catalog, plan: StoredPlan) -> Value:
    """A draft (without envelope) that undoes what a plan did, last first. Raises Refused where nothing is to be undone.

    Curation written since stays with its photo. An original that was changed since is put in as skipped, with the
    reason, as is what cannot be found any more.
    """
    status = status_of(catalog, plan)
    if status not in ("complete", "failed"):
        raise Refused(_instead(status, plan.id), path=plan.id)
    history = read_history(catalog, plan.id)
    if history.begin is None or history.begin["plan_sha256"] != plan.digest:
        raise Refused("was changed after it was carried out, so nobody can say what it did", path=plan.id)
    done = sorted(history.done - history.rolled_back, reverse=True)
    with Places(catalog, plan.id) as places:
        inverse = _Inverse(places, plan)
        actions = [inverse.of(plan.plan.actions[number]) for number in done]
    return {
        "name": f"undo of {plan.plan.name}",
        "description": f"Takes back what the plan {plan.id} did.",
        "purpose": "undo",
        "strategy": {"name": "undo", "plan": plan.id},
        "on_failure": "roll_back",
        "undoes": plan.id,
        "actions": actions,
    }


def _instead(status: str, plan_id: str) -> str:
    said = {
        "interrupted": f"was interrupted; take it back with: lumina plan rollback {plan_id}",
        "executing": "is being carried out; wait for it, or stop it and roll it back",
        "undone": "is undone already",
        "rolled_back": "was rolled back; everything is where it was",
    }
    return said.get(status, f"was not carried out ({status}), so there is nothing to undo")


class _Inverse:
    """The inverse of each action of a plan, as things are now."""

    def __init__(self, places: Places, plan: StoredPlan) -> None:
        self._places = places
        self._plan = plan

    def of(self, action: AnyAction) -> Value:
        """An action, or one to be skipped with the reason."""
        try:
            return self._of(action)
        except OSError as error:
            return self._skip(action, f"it cannot be read: {error.strerror}")
        except (LuminaError, CorruptDocument) as error:
            return self._skip(action, str(error))

    def _of(self, action: AnyAction) -> Value:
        if isinstance(action, Move):
            return self._move_back(action)
        if isinstance(action, Copy):
            return self._trash(action.to.source, decode_name(action.to.path), action, "a copy that the plan made")
        if isinstance(action, Restore):
            return self._trash(action.source, decode_name(action.path), action, "the plan had restored it")
        if isinstance(action, Trash):
            return self._restore(action)
        assert isinstance(action, Edit)
        return self._edit_back(action)

    def _skip(self, action: AnyAction, why: str) -> Value:
        at = action.to if isinstance(action, (Move, Copy)) else action
        return {
            "do": "skip", "source": at.source, "path": at.path, "size": action.size, "sha256": action.sha256,
            "reason": f"cannot be undone: {why}",
            "proposed": {"do": "undo", "of": action.do, "source": action.source, "path": action.path},
        }  # fmt: skip

    def _same(self, spot: Spot, action: AnyAction) -> None:
        info = spot.info()
        if info is None:
            raise Changed("is not there any more", path=spot.path)
        if info.st_size != action.size or content(spot)[0] != action.sha256:
            raise Changed("its content was changed since", path=spot.path)

    def _base(self, action: AnyAction, do: str, source: str, path: str, why: str) -> Value:
        where = {"source": source, "path": encode_name(path), "size": action.size, "sha256": action.sha256}
        return {"do": do, **where, "reason": why}

    def _move_back(self, action: Move) -> Value:
        source, path, back = action.to.source, decode_name(action.to.path), decode_name(action.path)
        self._same(self._places.spot(source, path), action)
        value = self._base(action, "move", source, path, "back where it was")
        value["to"] = {"source": action.source, "path": action.path}
        pairs = {
            decode_name(one.to): decode_name(one.path) for one in action.companions if one.to and one.part != "sidecar"
        }
        parts = {decode_name(one.to): one.part for one in action.companions if one.to}
        folder, slash, name = path.rpartition("/")
        for other in self._places.unit_of(source, path):  # what another program wrote since
            pairs.setdefault(folder + slash + other, _renamed(other, name, back))
        companions = [
            self._companion(parts.get(new, _part(new)), source, new, old)
            for new, old in pairs.items()
            if self._places.spot(source, new).info() is not None
        ]
        value["companions"] = companions + self._sidecars(source, path, back, pairs)
        return value

    def _sidecars(self, source: str, path: str, back: str, pairs: dict[str, str]) -> list[Value]:
        originals = {path: back, **{new: old for new, old in pairs.items() if by_extension(new) is not None}}
        return [
            {"part": "sidecar", "path": encode_name(beside(new)), "to": encode_name(beside(old))}
            for new, old in originals.items()
            if self._places.sidecar(source, new).info() is not None
        ]

    def _companion(self, part: str, source: str, path: str, to: str | None) -> Value:
        sha256, info = content(self._places.spot(source, path))
        value = {"part": part, "path": encode_name(path), "size": info.size, "sha256": sha256}
        return value if to is None else {**value, "to": encode_name(to)}

    def _trash(self, source: str, path: str, action: Copy | Restore, why: str) -> Value:
        self._same(self._places.spot(source, path), action)
        value = self._base(action, "trash", source, path, why)
        folder, slash, _ = path.rpartition("/")
        found = {folder + slash + other for other in self._places.unit_of(source, path)}
        goes = (one.to if isinstance(action, Copy) else one.path for one in action.companions if one.part != "sidecar")
        found |= {decode_name(one) for one in goes if one}
        there = sorted(one for one in found if self._places.spot(source, one).info() is not None)
        value["companions"] = [self._companion(_part(one), source, one, None) for one in there]
        for original in (path, *(one for one in there if by_extension(one) is not None)):
            if self._places.sidecar(source, original).info() is not None:
                value["companions"].append({"part": "sidecar", "path": encode_name(beside(original))})
        return value

    def _restore(self, action: Trash) -> Value:
        path = decode_name(action.path)
        steps = steps_of(self._places, action)
        self._same(steps[0].new, action)
        value = self._base(action, "restore", action.source, path, "back from the trash")
        value["trashed_by"] = self._plan.id
        value["companions"] = [one.model_dump(exclude_none=True) for one in action.companions]
        return value

    def _edit_back(self, action: Edit) -> Value:
        path = decode_name(action.path)
        if self._places.spot(action.source, path).info() is None:
            raise Changed("is not there any more", path=path)
        found = self._places.sidecars(action.source).find(path)
        if found is None:
            raise Changed("its sidecar is gone", path=path)
        if found[1]["original"].get("sha256") != action.sha256:
            raise Changed("its content was changed since", path=path)
        curation = curation_of(found[1])
        fields = {
            name: {"before": curation.get(name), "after": value} for name, value in taken_back(curation, action).items()
        }
        if not fields:
            raise Changed("its curation was edited since; what a person wrote stays", path=path)
        return {**self._base(action, "edit", action.source, path, "the fields as they were"), "fields": fields}


def _renamed(other: str, name: str, back: str) -> str:
    """Where something beside an original goes when that goes back: its name follows the original's."""
    folder, slash, old_name = back.rpartition("/")
    if other.lower().startswith(name.lower()):
        return folder + slash + old_name + other[len(name) :]
    stem = name.rpartition(".")[0]
    return folder + slash + old_name.rpartition(".")[0] + other[len(stem) :]


def _part(path: str) -> str:
    ending = path.rpartition(".")[2].lower()
    kind = by_extension(path)
    if ending in ("xmp", "aae"):
        return "xmp" if ending == "xmp" else "edits"
    if kind is None:
        return "caption"
    return "live_photo" if kind.media == "video" else "jpeg" if kind.format == "JPEG" else "raw"
