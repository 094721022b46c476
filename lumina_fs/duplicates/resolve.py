"""From verdicts to a plan: what goes to the trash, and what its keeper takes over before. Nothing is done here."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.merging import Said, merged, relevant
from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.errors import Refused, SourceOffline
from lumina_fs.plans.files import write_draft
from lumina_fs.plans.folder_units import FolderUnits, measured
from lumina_fs.plans.ground import Ground
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars
from lumina_fs.units import Unit, part_of
from lumina_fs.wording import twin_kind
from schemas.names import decode_name, encode_name

Value = dict[str, Any]
Key = tuple[str, str]


class Proposer:
    """Makes the actions of a plan that resolves groups. A context manager: it holds the sources open."""

    def __init__(self, catalog: Catalog, cancel: threading.Event) -> None:
        self._catalog = catalog
        self._cancel = cancel
        self._sources = {source.name: source for source in catalog.sources()}
        self._open: dict[str, tuple[Sidecars, FolderUnits]] = {}
        self._stack = ExitStack()
        self._going: dict[Key, Copy] = {}
        self._said: dict[Key, Said | None] = {}
        self._refused: dict[Key, str] = {}
        self._taken: set[Key] = set()

    def __enter__(self) -> Proposer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def plan(self, groups: Sequence[Standing]) -> Value | None:
        """A plan without envelope; None when no file was decided to go.

        Raises Refused when none may be moved, and KeyboardInterrupt once `cancel` is set.
        """
        groups = [group for group in groups if group.going]
        self._going = {_key(copy): copy for group in groups for copy in group.going}
        files = [group.keeper for group in groups] + [one for one in self._going.values() if self._is_managed(one)]
        self._said = {_key(copy): self._read(copy) for copy in files}
        self._refused = self._refusals(groups)
        actions = [action for group in groups for action in self._resolved(group)]
        if not actions:
            return None
        if all(action["do"] == "skip" for action in actions):
            raise Refused(f"no plan was made, because no file may be moved: {actions[0]['reason']}")
        return {
            "name": "Resolve duplicates",
            "description": "Duplicates that you decided about go to the trash; their keepers take over what you wrote.",
            "purpose": "resolve_duplicates",
            "strategy": {"name": "verdicts"},
            "on_failure": "roll_back",
            "actions": actions,
        }

    def _resolved(self, group: Standing) -> Iterator[Value]:
        """First the keeper takes over, then the others go; what cannot go is skipped, with the reason."""
        keeper = self._said[_key(group.keeper)]
        leaving = [self._said[_key(copy)] for copy in group.going if _key(copy) not in self._refused]
        movable = [said for said in leaving if said is not None]
        if keeper is not None and (changes := merged(keeper, movable)):
            reason = f"takes over what was written to {len(movable)} duplicates that go"
            yield {**_action("edit", group.keeper, reason), "fields": changes}
        for copy in group.going:
            reason = f"{twin_kind(copy.kind)}, {copy.confidence} % certain: {group.keeper.twin.path} stays"
            why = self._refused.get(_key(copy))
            if why is not None:
                yield {**_action("skip", copy, why), "proposed": {"do": "trash", "reason": reason}}
            elif _key(copy) not in self._taken:
                companions = self._companions(copy)
                self._taken.update((copy.twin.source, one["path"]) for one in companions)
                yield {**_action("trash", copy, reason), "companions": companions}

    def _refusals(self, groups: Sequence[Standing]) -> dict[Key, str]:
        """Why files cannot go though it was decided. A unit goes whole or not at all.

        No file is in two units, so what those of one file say of its companions is final.
        """
        alone: dict[Key, str] = {}
        for group in groups:
            for copy in group.going:
                if (why := self._refusal(group, copy)) is not None:
                    alone[_key(copy)] = why
        found = dict(alone)
        for key, copy in self._going.items():
            if key not in alone and (why := self._held_back(copy, alone)) is not None:
                found[key] = why
        return found

    def _refusal(self, group: Standing, copy: Copy) -> str | None:
        """Why a file cannot go, whatever travels with it; None if it can."""
        name = copy.twin.source
        if name not in self._sources:
            return f"source {name} is no part of the catalog any more: lumina scan"
        if not self._sources[name].managed:
            how = f"`lumina source set {name} --managed yes`, or m in the list of catalogs,"
            return f"source {name} is referenced; {how} lets plans move its files"
        if self._said[_key(group.keeper)] is None:
            return f"the sidecar of {group.keeper.twin.path}, which stays, cannot be used: lumina check"
        if self._said[_key(copy)] is None:
            return "its sidecar cannot be used, so nothing of it could be kept: lumina check"
        return None

    def _held_back(self, copy: Copy, alone: Mapping[Key, str]) -> str | None:
        """Why a file cannot go because of others of its unit; None if it can."""
        unit, folder = self._unit(copy), decode_name(copy.twin.path).rpartition("/")[0]
        others = {name: (copy.twin.source, _path(folder, name)) for name in (unit.originals if unit else ())}
        staying = [name for name, key in others.items() if key not in self._going]
        if staying:
            return f"it belongs together with {', '.join(staying)}, which stays"
        refused = [name for name, key in others.items() if key in alone]
        if refused:
            return f"it belongs together with {', '.join(refused)}, which cannot go"
        return None

    def _is_managed(self, copy: Copy) -> bool:
        return copy.twin.source in self._sources and self._sources[copy.twin.source].managed

    def _unit(self, copy: Copy) -> Unit | None:
        folder, _, name = decode_name(copy.twin.path).rpartition("/")
        return self._opened(copy.twin.source)[1].of(folder).get(name)

    def _companions(self, copy: Copy) -> list[Value]:
        """The other files of its unit."""
        self.go_on()
        unit, folder = self._unit(copy), decode_name(copy.twin.path).rpartition("/")[0]
        if unit is None:
            return []
        found: list[Value] = []
        for name in unit.originals:
            twin = self._going[copy.twin.source, _path(folder, name)].twin
            if twin.path != copy.twin.path:
                found.append({"part": part_of(name), "path": twin.path, "size": twin.size, "sha256": twin.sha256})
        root = self._opened(copy.twin.source)[1].ground.root
        for one in unit.travellers:
            value: Value = {"part": one.part, "path": _path(folder, one.name)}
            if one.part != "sidecar":
                value |= measured(root, f"{folder}/{one.name}" if folder else one.name)
            found.append(value)
        return found

    def _read(self, copy: Copy) -> Said | None:
        """The sidecar of a file as it is now; None where it cannot be read or tells of other content."""
        self.go_on()
        if copy.twin.source not in self._sources:
            return None
        found = self._opened(copy.twin.source)[0].find_usable(decode_name(copy.twin.path))
        if found is None or found[1]["original"].get("sha256") != copy.twin.sha256:
            return None
        return Said(copy.twin.source, copy.twin.path, relevant(found[1]))

    def go_on(self) -> None:
        """Nothing, unless it was cancelled: then KeyboardInterrupt."""
        if self._cancel.is_set():
            raise KeyboardInterrupt

    def _opened(self, name: str) -> tuple[Sidecars, FolderUnits]:
        if name not in self._open:
            source = self._sources[name]
            try:
                root = self._stack.enter_context(Root.open(source.path))
            except OSError as error:
                raise SourceOffline(f"cannot be opened: {error.strerror}", path=source.path) from error
            sidecars = self._catalog.sidecars(source, root)
            self._open[name] = sidecars, FolderUnits(sidecars, Ground(root))
        return self._open[name]


def _action(do: str, copy: Copy, reason: str) -> Value:
    twin = copy.twin
    return {
        "do": do, "source": twin.source, "path": twin.path, "size": twin.size, "sha256": twin.sha256, "reason": reason,
    }  # fmt: skip


def _key(copy: Copy) -> Key:
    return copy.twin.source, copy.twin.path


def _path(folder: str, name: str) -> str:
    """The path of a name in a folder, as documents write it."""
    return encode_name(f"{folder}/{name}" if folder else name)


def propose(
    catalog: Catalog, groups: Iterable[Standing], *, cancel: threading.Event | None = None
) -> tuple[str, Value] | None:
    """Write the draft of a plan that resolves what was decided; its id and value, None when there is nothing to do.

    Raises Refused, SourceOffline, and KeyboardInterrupt once `cancel` is set: nothing was written.
    """
    with Proposer(catalog, cancel or threading.Event()) as proposer:
        value = proposer.plan(list(groups))
        proposer.go_on()
    return None if value is None else (write_draft(catalog, value), value)
