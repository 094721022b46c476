"""What is wrong with a plan as the disk is now: originals that are gone, places that are taken, units that it splits.

Folders are listed, and sidecars of videos read for the identifier of Live Photos; no photo is opened. Actions that
nothing can be wrong with, by what lies in their folders, are not looked at one by one.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lumina_fs.catalog import Catalog, Source
from lumina_fs.plans.deeds import Act, Deed
from lumina_fs.plans.folder_units import FolderUnits
from lumina_fs.plans.ground import Ground, Listed
from lumina_fs.plans.roads import Road, folders_reached
from lumina_fs.plans.targets import exact, fold
from lumina_fs.plans.validate import Finding
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX, sidecar_name
from schemas.names import decode_name
from schemas.plan import Edit, Move, Restore, Skip, Trash

GONE = "is not there; propose again after a scan"


def check_ground(
    catalog: Catalog,
    by_road: Sequence[Road],
    sources: Mapping[str, Source],
    listed: Mapping[str, Listed] | None = None,
    *,
    back: bool = False,
) -> list[Finding]:
    """What would be refused at present, in the order of the actions. Raises SourceOffline.

    `listed`: what the caller saw in folders just now, by source. `back`: files go back to where they were, so only
    the very same name is in their way.
    """
    same = exact if back else fold
    used = {name for road in by_road for name in (road.source, road.target)}
    reached = set(map(same, folders_reached(by_road)))
    with contextlib.ExitStack() as stack:
        checkers = {}
        for name in sources.keys() & used:
            catalog.require_online(sources[name])
            ground = Ground(stack.enter_context(Root.open(sources[name].path)), (listed or {}).get(name))
            checkers[name] = _Checker(catalog, sources[name], ground, reached, same)
        doubted = [
            act
            for road in by_road
            if road.source in checkers and not _is_beyond_doubt(road, checkers)
            for act in road.acts
        ]
        doubted.sort(key=lambda act: act.number)
        return [Finding(act.number, act.action.path, reason) for act in doubted for reason in _reasons(act, checkers)]


def _is_beyond_doubt(road: Road, checkers: Mapping[str, _Checker]) -> bool:
    """True for plain actions whose originals are there, whose targets are free, and that leave nothing behind."""
    if not road.plain:
        return False
    here, there = checkers[road.source], checkers.get(road.target or "")
    if not here.is_left_alone(road.folder) or not here.hold(road.folder, [act.files[0].name for act in road.acts]):
        return False
    return there is None or there.has_room(road.to_folder, [act.files[0].to_name for act in road.acts])


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

    def __init__(
        self, catalog: Catalog, source: Source, ground: Ground, reached: set[str], same: Callable[[str], str]
    ) -> None:
        self.ground = ground
        self._same = same
        self._units = FolderUnits(catalog.sidecars(source, ground.root), ground)
        self._reached = reached
        self._names: dict[str, Counter[str]] = {}
        self._blocked: dict[str, str | None] = {}
        self._gone: dict[str, Counter[str] | None] = {}

    def holds(self, deed: Deed) -> bool:
        """True when the file is where the plan says."""
        listing = self.ground.listing(deed.folder)
        return listing is not None and deed.name in listing.files

    def hold(self, folder: str, names: Iterable[str]) -> bool:
        """True when all these files are in a folder."""
        listing = self.ground.listing(folder)
        return listing is not None and listing.files.issuperset(names)

    def is_left_alone(self, folder: str) -> bool:
        """True when nothing goes into a folder, and nothing in it has more than its sidecar with it."""
        return self._same(folder) not in self._reached and self._units.is_simple(folder)

    def has_room(self, folder: str, names: Sequence[str]) -> bool:
        """True when originals of these names, and their sidecars, can come to a folder."""
        if self.is_empty(folder):
            return True
        taken = self._names[folder].keys()
        keys = list(map(self._same, names))
        return self._blocked[folder] is None and taken.isdisjoint(keys) and taken.isdisjoint(map(sidecar_name, keys))

    def leave(self, act: Act) -> None:
        """These files are gone by now; it only matters in folders that something goes into."""
        folder = act.files[0].folder
        if folder not in self._gone:
            self._gone[folder] = Counter() if self._same(folder) in self._reached else None
        gone = self._gone[folder]
        if gone is not None:
            gone.update(self._same(deed.name) for deed in act.every() if deed.folder == folder)

    def is_empty(self, folder: str) -> bool:
        """True when nothing is in the way in a folder."""
        self._know(folder)
        return not self._names[folder] and self._blocked[folder] is None

    def _know(self, folder: str) -> None:
        if folder not in self._names:
            self._names[folder] = Counter(self._same(path.rpartition("/")[2]) for path in self.ground.names(folder))
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
            key = self._same(deed.to_name)
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
