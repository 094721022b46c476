"""Where the files of a plan are and go: sources, trash and sidecars as places beneath open roots."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lumina_fs.catalog import STATE, Catalog, Source
from lumina_fs.errors import SourceOffline
from lumina_fs.filetypes import by_extension
from lumina_fs.plans.folder_units import FolderUnits
from lumina_fs.plans.ground import Ground
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars, sidecar_name
from lumina_fs.transfer import Spot
from schemas.names import decode_name
from schemas.plan import Companion, Copy, Edit, Move, Restore, Skip, Trash

TRASH = f"{STATE}/trash"

AnyAction = Move | Copy | Trash | Restore | Skip | Edit


class Owner(NamedTuple):
    """The original that a sidecar is of."""

    source: str
    path: str


class Step(NamedTuple):
    """One file of an action: from where, to where. `keep`: the old one stays, because it is a copy.

    Our own sidecar has neither size nor digest: it may be edited until it is moved. It says whose it is before and
    after; None while it lies in the trash.
    """

    part: str
    old: Spot
    new: Spot
    size: int | None
    sha256: str | None
    keep: bool = False
    before: Owner | None = None
    after: Owner | None = None

    @property
    def is_sidecar(self) -> bool:
        """True for our own sidecar."""
        return self.part == "sidecar"


class Places:
    """The sources of a catalog, opened when first asked for; a context manager."""

    def __init__(self, catalog: Catalog, plan_id: str) -> None:
        self.catalog = catalog
        self.plan_id = plan_id
        self._sources: dict[str, Source] = {}
        self._roots: dict[str, Root] = {}
        self._sidecars: dict[str, Sidecars] = {}
        self._units: dict[str, FolderUnits] = {}

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        for root in self._roots.values():
            root.close()
        self._roots.clear()

    def source(self, name: str) -> Source:
        """A source. Raises UsageError."""
        if name not in self._sources:
            self._sources[name] = self.catalog.source(name)
        return self._sources[name]

    def root(self, name: str) -> Root:
        """The open root of a source. Raises UsageError, SourceOffline."""
        if name not in self._roots:
            source = self.source(name)
            self.catalog.require_online(source)
            try:
                self._roots[name] = Root.open(source.path)
            except OSError as error:
                raise SourceOffline(f"cannot be opened: {error.strerror}", path=source.path) from error
        return self._roots[name]

    def forget(self) -> None:
        """Look folders up anew: what they were may have been moved by now."""
        for root in (*self._roots.values(), self.catalog.root):
            root.forget()

    def spot(self, source: str, path: str) -> Spot:
        """A path of a source."""
        return Spot(self.root(source), path)

    def sidecars(self, source: str) -> Sidecars:
        """The sidecars of a source."""
        if source not in self._sidecars:
            self._sidecars[source] = self.catalog.sidecars(self.source(source), self.root(source))
        return self._sidecars[source]

    def unit_of(self, source: str, path: str) -> list[str]:
        """The names beside an original that belong to it, without sidecars, as the disk was when first asked."""
        if source not in self._units:
            self._units[source] = FolderUnits(self.sidecars(source), Ground(self.root(source)))
        folder, _, name = path.rpartition("/")
        unit = self._units[source].of(folder).get(name)
        if unit is None:
            return []
        others = [one.name for one in unit.travellers if one.part != "sidecar"]
        return [one for one in (*unit.originals, *others) if one != name]

    def sidecar(self, source: str, path: str) -> Spot:
        """The place of the sidecar of an original."""
        sidecars = self.sidecars(source)
        return Spot(sidecars.root, sidecars.path(path))

    def trash_root(self, source: str) -> Root:
        """The root whose trash takes what lies in a source: the catalog's, or the source's own where it is outside."""
        return self.catalog.root if self.source(source).inside else self.root(source)

    def trash(self, source: str, path: str, plan_id: str | None = None) -> Spot:
        """The place in the trash of a path of a source, put there by a plan."""
        return Spot(self.trash_root(source), f"{TRASH}/{plan_id or self.plan_id}/{source}/{path}")


def beside(path: str) -> str:
    """The path of the sidecar where it lies beside its original."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + sidecar_name(name)


def steps_of(places: Places, action: AnyAction) -> list[Step]:
    """The files that an action carries: the original, its companions, and last their sidecars, wherever those lie.

    Raises UsageError, SourceOffline.
    """
    if isinstance(action, (Move, Copy)):
        return list(_steps(places, action))
    if isinstance(action, Trash):
        return list(_trash_steps(places, action, places.plan_id))
    if isinstance(action, Restore):
        steps = _trash_steps(places, action, action.trashed_by)
        return [step._replace(old=step.new, new=step.old, before=None, after=step.before) for step in steps]
    return []


def _steps(places: Places, action: Move | Copy) -> Iterator[Step]:
    old, new, keep = action.source, action.to.source, isinstance(action, Copy)
    path, to = decode_name(action.path), decode_name(action.to.path)
    yield Step("original", places.spot(old, path), places.spot(new, to), action.size, action.sha256, keep)
    pairs = [(path, to)]
    for one in _others(action.companions):
        came = decode_name(one.path)
        goes = decode_name(one.to) if one.to else os.path.join(os.path.dirname(to), os.path.basename(came))
        yield Step(one.part, places.spot(old, came), places.spot(new, goes), one.size, one.sha256, keep)
        if by_extension(came) is not None:
            pairs.append((came, goes))
    for came, goes in pairs:
        before, after = Owner(old, came), Owner(new, goes)
        yield Step("sidecar", places.sidecar(*before), places.sidecar(*after), None, None, keep, before, after)


def _trash_steps(places: Places, action: Trash | Restore, plan_id: str) -> Iterator[Step]:
    source, path = action.source, decode_name(action.path)
    trash = places.trash(source, path, plan_id)
    yield Step("original", places.spot(source, path), trash, action.size, action.sha256)
    paths = [path]
    for one in _others(action.companions):
        inner = decode_name(one.path)
        trash = places.trash(source, inner, plan_id)
        yield Step(one.part, places.spot(source, inner), trash, one.size, one.sha256)
        if by_extension(inner) is not None:
            paths.append(inner)
    for inner in paths:
        owner = Owner(source, inner)
        yield Step(
            "sidecar", places.sidecar(*owner), places.trash(source, beside(inner), plan_id), None, None, False, owner
        )


def _others(companions: Iterable[Companion]) -> Iterable[Companion]:
    """Companions that are not our own sidecars, which are found by the names of their originals."""
    return (one for one in companions if one.part != "sidecar")
