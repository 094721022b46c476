"""What is wrong with a plan as the disk is now: originals that are gone, places that are taken, units that it splits.

Folders are listed, and sidecars of videos read for the identifier of Live Photos; no photo is opened.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lumina_fs.catalog import Catalog, Source
from lumina_fs.plans.deeds import Act, Deed
from lumina_fs.plans.folder_units import FolderUnits
from lumina_fs.plans.ground import Ground
from lumina_fs.plans.targets import fold
from lumina_fs.plans.validate import Finding
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX
from schemas.names import decode_name
from schemas.plan import Edit, Move, Restore, Skip, Trash

GONE = "is not there; propose again after a scan"


def check_ground(catalog: Catalog, found: Sequence[Act], sources: Mapping[str, Source]) -> list[Finding]:
    """What would be refused at present, in the order of the actions. Raises SourceOffline."""
    used = {act.action.source for act in found} | {deed.target for act in found for deed in act.files[:1]}
    reached = {fold(deed.to_folder) for act in found for deed in act.files}
    with contextlib.ExitStack() as stack:
        checkers = {}
        for name in sources.keys() & used:
            catalog.require_online(sources[name])
            root = stack.enter_context(Root.open(sources[name].path))
            checkers[name] = _Checker(catalog, sources[name], root, reached)
        return [
            Finding(act.number, act.action.path, reason)
            for act in found
            if act.action.source in checkers
            for reason in _reasons(act, checkers)
        ]


def _reasons(act: Act, checkers: Mapping[str, _Checker]) -> Iterator[str]:
    action, files = act.action, act.files
    if isinstance(action, (Skip, Restore)):
        return
    here = checkers[action.source]
    if isinstance(action, Edit):
        if not here.ground.holds(decode_name(action.path)):
            yield GONE
        return
    if not here.holds(files[0]):
        yield GONE
        return
    yield from here.split(act)
    target = checkers.get(files[0].target or "")
    if target is not None and not (act.plain and target.is_empty(files[0].to_folder)):
        for deed in act.every():
            if deed.target is not None:
                yield from target.taken(deed)
    if isinstance(action, (Move, Trash)):
        here.leave(act)


class _Checker:
    """One source: what lies where, and what earlier actions of the plan have taken away."""

    def __init__(self, catalog: Catalog, source: Source, root: Root, reached: set[str]) -> None:
        self.ground = Ground(root)
        self._units = FolderUnits(catalog.sidecars(source, root), self.ground)
        self._reached = reached
        self._names: dict[str, Counter[str]] = {}
        self._blocked: dict[str, str | None] = {}
        self._gone: dict[str, Counter[str] | None] = {}

    def holds(self, deed: Deed) -> bool:
        """True when the file is where the plan says."""
        listing = self.ground.listing(deed.folder)
        return listing is not None and deed.name in listing.files

    def leave(self, act: Act) -> None:
        """These files are gone by now; it only matters in folders that something goes into."""
        folder = act.files[0].folder
        if folder not in self._gone:
            self._gone[folder] = Counter() if fold(folder) in self._reached else None
        gone = self._gone[folder]
        if gone is not None:
            gone.update(fold(deed.name) for deed in act.every() if deed.folder == folder)

    def is_empty(self, folder: str) -> bool:
        """True when nothing is in the way in a folder."""
        self._know(folder)
        return not self._names[folder] and self._blocked[folder] is None

    def _know(self, folder: str) -> None:
        if folder not in self._names:
            self._names[folder] = Counter(fold(path.rpartition("/")[2]) for path in self.ground.names(folder))
            self._blocked[folder] = self.ground.blocked(folder)

    def _left(self, folder: str, key: str) -> int:
        """How many files of this name are gone by now from the folder and from those that are it on some volume."""
        return sum((self._gone.get(place) or Counter())[key] for place in self.ground.variants(folder))

    def taken(self, deed: Deed) -> Iterator[str]:
        """Why a file cannot come to its target."""
        folder = deed.to_folder
        self._know(folder)
        problem = self._blocked[folder]
        if problem is not None:
            if deed.part is None:
                yield problem
        elif self._names[folder]:
            key = fold(deed.to_name)
            if self._names[folder][key] > self._left(folder, key):
                yield f"{deed.to} is taken"

    def split(self, act: Act) -> Iterator[str]:
        """Files that belong to an original and would stay behind."""
        first = act.files[0]
        if act.plain and self._units.is_simple(first.folder):
            return
        unit = self._units.of(first.folder).get(first.name)
        wanted = unit.names() if unit is not None else []
        if act.plain and len(wanted) == 2 and wanted[1] == first.name + SUFFIX:
            return
        have = {deed.name for deed in act.every()}
        for name in wanted:
            if name not in have:
                yield f"its unit would be split: {name} belongs to it and would stay behind"
