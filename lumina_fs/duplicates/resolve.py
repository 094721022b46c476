"""From verdicts to a plan: what goes to the trash, and what its keeper takes over before. Nothing is done here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.merging import Said, merged
from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.errors import Refused, SourceOffline
from lumina_fs.plans.files import write_draft
from lumina_fs.plans.folder_units import FolderUnits, measured
from lumina_fs.plans.ground import Ground
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars
from lumina_fs.units import Unit, part_of
from schemas.names import decode_name, encode_name

Value = dict[str, Any]
Key = tuple[str, str]


class Proposer:
    """Makes the actions of a plan that resolves groups. A context manager: it holds the sources open."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._sources = {source.name: source for source in catalog.sources()}
        self._open: dict[str, tuple[Sidecars, FolderUnits]] = {}
        self._stack = ExitStack()
        self._going: dict[Key, Copy] = {}
        self._taken: set[Key] = set()

    def __enter__(self) -> Proposer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def plan(self, groups: Sequence[Standing]) -> Value | None:
        """A plan without envelope; None when no file was decided to go. Raises Refused when none may be moved."""
        self._going = {_key(copy): copy for group in groups for copy in group.going}
        actions = [action for group in groups if group.going for action in self._resolved(group)]
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
        keeper = self._said(group.keeper)
        refused = {_key(copy): self._refusal(group, keeper, copy) for copy in group.going}
        movable = [said for copy in group.going if refused[_key(copy)] is None and (said := self._said(copy))]
        if keeper is not None and (changes := merged(keeper, movable)):
            reason = f"takes over what was written to {len(movable)} duplicates that go"
            yield {**_action("edit", group.keeper, reason), "fields": changes}
        for copy in group.going:
            reason = f"{copy.kind}, {copy.confidence} % certain: {group.keeper.twin.path} stays"
            why = refused[_key(copy)]
            if why is not None:
                yield {**_action("skip", copy, why), "proposed": {"do": "trash", "reason": reason}}
            elif _key(copy) not in self._taken:
                companions = self._companions(copy)
                self._taken.update((copy.twin.source, one["path"]) for one in companions)
                yield {**_action("trash", copy, reason), "companions": companions}

    def _refusal(self, group: Standing, keeper: Said | None, copy: Copy) -> str | None:
        """Why a file cannot go though it was decided; None if it can."""
        name = copy.twin.source
        if name not in self._sources:
            return f"source {name} is no part of the catalog any more: lumina scan"
        if not self._sources[name].managed:
            return f"source {name} is referenced; `lumina source set {name} --managed yes` lets plans move its files"
        if keeper is None:
            return f"the sidecar of {group.keeper.twin.path}, which stays, cannot be used: lumina check"
        if self._said(copy) is None:
            return "its sidecar cannot be used, so nothing of it could be kept: lumina check"
        unit = self._unit(copy)
        folder = decode_name(copy.twin.path).rpartition("/")[0]
        staying = [one for one in (unit.originals if unit else ()) if (name, _path(folder, one)) not in self._going]
        if staying:
            return f"it belongs together with {', '.join(staying)}, which stays"
        return None

    def _unit(self, copy: Copy) -> Unit | None:
        folder, _, name = decode_name(copy.twin.path).rpartition("/")
        return self._opened(copy.twin.source)[1].of(folder).get(name)

    def _companions(self, copy: Copy) -> list[Value]:
        """The other files of its unit."""
        unit, folder = self._unit(copy), decode_name(copy.twin.path).rpartition("/")[0]
        if unit is None:
            return []
        found: list[Value] = []
        for name in unit.originals:
            other = self._going[copy.twin.source, _path(folder, name)]
            if other is not copy:
                twin = other.twin
                found.append({"part": part_of(name), "path": twin.path, "size": twin.size, "sha256": twin.sha256})
        root = self._opened(copy.twin.source)[1].ground.root
        for one in unit.travellers:
            value: Value = {"part": one.part, "path": _path(folder, one.name)}
            if one.part != "sidecar":
                value |= measured(root, f"{folder}/{one.name}" if folder else one.name)
            found.append(value)
        return found

    def _said(self, copy: Copy) -> Said | None:
        """The sidecar of a file as it is now; None where it cannot be read or tells of other content."""
        if copy.twin.source not in self._sources:
            return None
        found = self._opened(copy.twin.source)[0].find_usable(decode_name(copy.twin.path))
        if found is None or found[1]["original"].get("sha256") != copy.twin.sha256:
            return None
        return Said(copy.twin.source, copy.twin.path, found[1])

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


def propose(catalog: Catalog, groups: Iterable[Standing]) -> tuple[str, Value] | None:
    """Write the draft of a plan that resolves what was decided; its id and value, None when there is nothing to do."""
    with Proposer(catalog) as proposer:
        value = proposer.plan(list(groups))
    return None if value is None else (write_draft(catalog, value), value)
