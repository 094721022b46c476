"""What is wrong with a plan as the disk is now: originals that are gone, places that are taken, units that it splits.

Folders are listed, and sidecars of videos read for the identifier of Live Photos; no photo is opened.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

import orjson

from index.entry import content_id
from lumina_fs.catalog import Catalog, Source
from lumina_fs.documents import read
from lumina_fs.errors import UnsafePath
from lumina_fs.filetypes import by_extension, may_be_original
from lumina_fs.plans.ground import Ground
from lumina_fs.plans.targets import fold
from lumina_fs.plans.validate import Deed, Finding, deeds
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX
from lumina_fs.units import Unit, units_of
from schemas.names import decode_name
from schemas.plan import AnyAction, Copy, Edit, Move, Plan, Restore, Skip, Trash


def check_ground(catalog: Catalog, plan: Plan, sources: Mapping[str, Source]) -> list[Finding]:
    """What would be refused at present, in the order of the actions. Raises SourceOffline."""
    used = {action.source for action in plan.actions}
    used |= {action.to.source for action in plan.actions if isinstance(action, (Move, Copy))}
    with contextlib.ExitStack() as stack:
        checkers = {}
        for name in used & sources.keys():
            catalog.require_online(sources[name])
            root = stack.enter_context(Root.open(sources[name].path))
            checkers[name] = _Checker(catalog, sources[name], root)
        found: list[Finding] = []
        for number, action in enumerate(plan.actions):
            if action.source in checkers:
                reasons = _reasons(action, checkers)
                found += [Finding(number, action.path, reason) for reason in reasons]
        return found


def _reasons(action: AnyAction, checkers: Mapping[str, _Checker]) -> Iterator[str]:
    if isinstance(action, (Skip, Restore)):
        return
    here = checkers[action.source]
    path = decode_name(action.path)
    if not here.ground.holds(path):
        yield "is not there; propose again after a scan"
        return
    if isinstance(action, Edit):
        return
    files = list(deeds(action))
    yield from here.split(path, {deed.path for deed in files})
    for deed in files:
        if deed.to is not None and deed.target is not None and deed.target in checkers:
            yield from checkers[deed.target].taken(deed)
    if isinstance(action, (Move, Trash)):
        here.leave(files)


class _Checker:
    """One source: what lies where, and what earlier actions of the plan have taken away."""

    def __init__(self, catalog: Catalog, source: Source, root: Root) -> None:
        self.ground = Ground(root)
        self._sidecars = catalog.sidecars(source, root)
        self._units: dict[str, dict[str, Unit]] = {}
        self._names: dict[str, set[str]] = {}
        self._blocked: dict[str, str | None] = {}
        self._gone: set[str] = set()

    def leave(self, files: list[Deed]) -> None:
        """These are gone by now."""
        self._gone.update(fold(deed.path) for deed in files)

    def taken(self, deed: Deed) -> Iterator[str]:
        """Why a file cannot come to its target."""
        assert deed.to is not None
        folder = deed.to.rpartition("/")[0]
        if folder not in self._names:
            self._names[folder] = set(map(fold, self.ground.names(folder)))
            self._blocked[folder] = self.ground.blocked(folder)
        problem = self._blocked[folder]
        if problem is not None:
            if deed.part is None:
                yield problem
            return
        key = fold(deed.to)
        if key in self._names[folder] and key not in self._gone:
            yield f"{deed.to} is taken"

    def split(self, path: str, files: set[str]) -> Iterator[str]:
        """Files that belong to an original and would stay behind."""
        folder, slash, name = path.rpartition("/")
        if folder not in self._units:
            self._units[folder] = {one: unit for unit in self._in(folder) for one in unit.originals}
        unit = self._units[folder].get(name)
        for one in unit.names() if unit is not None else ():
            if f"{folder}{slash}{one}" not in files:
                yield f"its unit would be split: {one} belongs to it and would stay behind"

    def _in(self, folder: str) -> list[Unit]:
        listing = self.ground.listing(folder)
        here = listing.files if listing is not None else set()
        originals = {name for name in here if not name.endswith(SUFFIX) and may_be_original(name) is not False}
        return units_of(originals, here, self._sidecar_names(folder, here), self._content_ids(folder, originals))

    def _sidecar_names(self, folder: str, here: set[str]) -> set[str]:
        if self._sidecars.beside:
            return here
        try:
            place = f"{self._sidecars.prefix}{folder}".rstrip("/")
            return set(os.listdir(self._sidecars.root.directory(place)))
        except OSError:
            return set()

    def _content_ids(self, folder: str, originals: set[str]) -> dict[str, str]:
        """Identifiers of Live Photos; stills are only asked where a video has one."""
        kinds = {name: kind.media for name in originals if (kind := by_extension(name)) is not None}
        videos = [name for name, media in kinds.items() if media == "video"]
        if not videos or len(videos) == len(kinds):
            return {}
        found = {name: said for name in videos if (said := self._content_id(folder, name)) is not None}
        if found:
            stills = [name for name, media in kinds.items() if media != "video"]
            found |= {name: said for name in stills if (said := self._content_id(folder, name)) is not None}
        return found

    def _content_id(self, folder: str, name: str) -> str | None:
        try:
            stored = read(self._sidecars.root, self._sidecars.path(f"{folder}/{name}" if folder else name))
            return None if stored is None else content_id(orjson.loads(stored.data).get("capture") or {})
        except (OSError, UnsafePath, ValueError, AttributeError):
            return None
