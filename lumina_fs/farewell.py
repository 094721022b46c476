"""Deleting a catalog: its `.lumina` is set aside under another name, and no original is touched.

What a person wrote (curation, verdicts, plans, what lies in the trash) stays on the disk and can be taken back by
giving the folder its old name.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import NamedTuple

from index.protocol import IndexUnavailable
from lumina_fs.catalog import MARK, STATE, Catalog, Source
from lumina_fs.discover import SET_ASIDE
from lumina_fs.documents import read
from lumina_fs.doorbell import NoDaemon, ask
from lumina_fs.errors import Locked, LuminaError, Refused, SourceOffline
from lumina_fs.index_session import connect, exclusive
from lumina_fs.jobs.records import list_records
from lumina_fs.known_catalogs import forget
from lumina_fs.other_catalogs import told_by_walk
from lumina_fs.plans.files import read_plans
from lumina_fs.plans.status import status_of
from lumina_fs.plans.trash import Trashed, list_trash
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle, Trouble
from lumina_fs.roots import Root
from lumina_fs.sidecar_walk import sidecar_paths
from lumina_fs.transfer import set_aside

#: Where sidecars from beside originals go in the folder that is set aside, where a person wants them gone.
_GATHERED = "sidecars-beside"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What deleting a catalog would mean. `busy` says why it cannot be done now, empty when it can."""

    name: str
    path: str
    aside: str
    """The name that `.lumina` gets, in the same folder."""
    sources: tuple[Source, ...]
    originals: int
    trashed: int
    trashed_size: int
    busy: str

    def lines(self, *, sidecars: bool = False) -> list[str]:
        """What will happen, for a person."""
        said = [
            f"{self.path}/{STATE} is renamed to {self.aside} and not used any more.",
            "Nothing in it is removed: give it its old name, and the catalog is back.",
            f"No photo is touched: {self.originals:,} originals stay where they are.",
        ]
        beside = [source.name for source in self.sources if source.beside]
        inside = [source.name for source in self.sources if not source.beside]
        if beside and sidecars:
            said.append(f"Sidecars beside the originals of {', '.join(beside)} move into {self.aside}.")
        elif beside:
            said.append(f"Sidecars beside the originals of {', '.join(beside)} stay; another catalog takes them over.")
        if inside:
            said.append(f"The sidecars of {', '.join(inside)} are in {STATE} and are set aside with it.")
        if self.trashed:
            said.append(
                f"{self.trashed:,} trashed photos ({self.trashed_size / 1e6:,.1f} MB) stay in the trash, which is set "
                f"aside with it; `lumina trash restore` does not find them any more."
            )
        return [*said, "The index of it is dropped (it is a cache), and it leaves the list of catalogs."]


@dataclass(slots=True)
class Farewell:
    """What was done: where the state lies now (absolute), how many sidecars were gathered."""

    aside: str
    sidecars: int = 0
    notes: list[str] = field(default_factory=list)


def outlook(catalog: Catalog) -> Outlook:
    """What deleting it would mean. Reads files only."""
    trashed = [entry for entry in list_trash(catalog) if isinstance(entry, Trashed)]
    sources = tuple(catalog.sources())
    return Outlook(
        catalog.name, catalog.path, _free_name(catalog), sources,
        sum(source.last_originals or 0 for source in sources), len(trashed), sum(one.size for one in trashed),
        busy(catalog),
    )  # fmt: skip


def busy(catalog: Catalog) -> str:
    """Why a catalog cannot be deleted now: work that runs, a daemon, a plan half way. Empty when it can."""
    running = [record.job.work for record in list_records(catalog.root)[0] if record.alive]
    if running:
        return f"{', '.join(running)} runs in it; wait for its end, or lumina jobs cancel"
    for plan in read_plans(catalog, skip_corrupt=True):
        status = status_of(catalog, plan)
        if status in ("executing", "interrupted"):
            return f"plan {plan.plan.name} is {status}: lumina plan resume or rollback ends it"
    with contextlib.suppress(NoDaemon, OSError):
        ask(catalog.path, {"do": "status"}, timeout=5.0)
        return "a daemon watches it: lumina daemon stop"
    return ""


def delete(
    catalog: Catalog, *, aside: str = "", sidecars: bool = False, cancel: threading.Event | None = None
) -> Iterator[Event | Finished[Farewell]]:
    """Delete a catalog, which is still to be closed after it. Originals are never touched.

    `aside`: the name for its state that a person was shown. `sidecars`: those beside originals go into that folder
    too, unless another catalog has them as well. Stopped before the state is set aside, it puts everything back.
    Raises Refused, Locked.
    """
    why = busy(catalog)
    if why:
        raise Refused(f"not deleted, because {why}", path=catalog.path)
    cancel = cancel or threading.Event()
    with exclusive(catalog, "deleting the catalog", hand_over=False), contextlib.ExitStack() as opened:
        result = Farewell(os.path.join(catalog.path, aside or _free_name(catalog)))
        sources = catalog.sources()
        if sidecars:
            _require_own_sidecars(catalog, sources)
            gathering = _Gathering(catalog, os.path.basename(result.aside), opened)
            for source in sources:
                yield from gathering.gather(source, cancel)
            if cancel.is_set():
                yield from gathering.bring_back()
                yield Note("stopped: the catalog is as it was")
                return
            result.sidecars = gathering.count
        yield from _drop_index(catalog)
        if not set_aside(catalog.disk, catalog.root, STATE, os.path.basename(result.aside)):
            raise Locked("somebody else made a folder of that name just now; try again", path=result.aside)
        forget(catalog.disk, catalog.path)
        for source in sources:
            _unmark(catalog, source)
    yield Finished(result)


def _require_own_sidecars(catalog: Catalog, sources: list[Source]) -> None:
    """Raise Refused where sidecars beside originals are those of another catalog too."""
    for source in sources:
        if source.beside and os.path.isdir(source.path):
            for said in told_by_walk(catalog, source):
                raise Refused(f"not deleted with its sidecars, because {said}", path=catalog.path)


def _free_name(catalog: Catalog) -> str:
    """The name that `.lumina` gets."""
    name = f"{SET_ASIDE}{datetime.now():%Y%m%d-%H%M%S}"
    number, free = 2, name
    while os.path.lexists(os.path.join(catalog.path, free)):
        free, number = f"{name}-{number}", number + 1
    return free


class _Moved(NamedTuple):
    """A sidecar that was moved, and where it lay."""

    root: Root
    path: str
    place: Root
    target: str


class _Gathering:
    """Moves the sidecars of sources from beside their originals, and back where that is stopped."""

    def __init__(self, catalog: Catalog, aside: str, opened: contextlib.ExitStack) -> None:
        self._catalog = catalog
        self._aside = aside
        self._opened = opened
        self._moved: list[_Moved] = []

    @property
    def count(self) -> int:
        """How many were moved."""
        return len(self._moved)

    def gather(self, source: Source, cancel: threading.Event) -> Iterator[Event]:
        """Move those of a source; they stay on their volume."""
        if not source.beside:
            return
        try:
            self._catalog.require_online(source)
        except SourceOffline as error:
            yield Note(f"{error}; its sidecars stay")
            return
        root = self._opened.enter_context(Root.open(source.path))
        place, top = (self._catalog.root, STATE) if source.inside else (root, self._aside)
        throttle = Throttle()
        paths = list(sidecar_paths(self._catalog, source, self._catalog.sidecars(source, root)))
        for done, path in enumerate(paths):
            if cancel.is_set():
                return
            target = f"{top}/{_GATHERED}/{source.name}/{path}"
            try:
                self._catalog.disk.make_directory(place, target.rpartition("/")[0])
                if self._catalog.disk.move_new(root, path, place, target, durable=False):
                    self._moved.append(_Moved(root, path, place, target))
            except (OSError, LuminaError) as error:
                yield _not_moved(source.name, path, error)
            if throttle.due():
                yield Progress("moving sidecars", done, len(paths), "sidecars")

    def bring_back(self) -> Iterator[Event]:
        """Move all back."""
        throttle, total = Throttle(), len(self._moved)
        folders: set[tuple[Root, str]] = set()
        while self._moved:
            one = self._moved.pop()
            try:
                self._catalog.disk.move_new(one.place, one.target, one.root, one.path, durable=False)
            except (OSError, LuminaError) as error:
                yield _not_moved("", one.target, error)
            folders.update((one.place, str(folder)) for folder in PurePosixPath(one.target).parents)
            if throttle.due():
                yield Progress("moving sidecars back", total - len(self._moved), total, "sidecars")
        for place, folder in sorted(folders, key=lambda one: -len(one[1])):
            if _GATHERED in PurePosixPath(folder).parts or folder == self._aside:
                self._catalog.disk.remove_empty_folder(place, folder)


def _not_moved(source: str, path: str, error: OSError | LuminaError) -> Trouble:
    return Trouble(source, path, "not_moved", getattr(error, "strerror", None) or str(error))


def _drop_index(catalog: Catalog) -> Iterator[Event]:
    try:
        with connect(catalog) as index:
            index.drop()
    except IndexUnavailable as error:
        yield Note(f"the index could not be dropped ({error}); it takes room until lumina index drop")


def _unmark(catalog: Catalog, source: Source) -> None:
    """Remove our mark from a source outside the catalog, so that another catalog may have it."""
    if source.inside or not os.path.isdir(source.path):
        return
    with contextlib.suppress(OSError, LuminaError), Root.open(source.path) as root:
        stored = read(root, MARK)
        if stored is not None and catalog.id.encode() in stored.data and source.id.encode() in stored.data:
            catalog.disk.remove_marker(root, MARK)
