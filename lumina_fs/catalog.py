"""A catalog on disk: found, made, its sources and settings. The one place where the parts are put together."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lumina_fs.catalog_document import as_far_as_usable, as_it_is, named
from lumina_fs.documents import corrupt_at, edit, read
from lumina_fs.durable import ABSENT, SOURCE_MARK, STATE_FOLDER, Conflict, Disk, Failed
from lumina_fs.errors import CatalogNotFound, CorruptDocument, Refused, SourceOffline, UsageError, WriteFailed
from lumina_fs.history import History
from lumina_fs.known_catalogs import remember
from lumina_fs.roots import Root
from lumina_fs.settings import Settings
from lumina_fs.sidecars import Sidecars
from schemas.catalog import Catalog as CatalogDocument
from schemas.document import Document, load, new_id
from schemas.errors import DocumentError
from schemas.files import KINDS, file_name, published
from schemas.names import decode_name, encode_name
from schemas.source import Source as SourceDocument
from schemas.text import dump, locate

STATE = STATE_FOLDER
CATALOG = f"{STATE}/catalog.json"
SOURCES = f"{STATE}/sources"
SIDECARS = f"{STATE}/sidecars"
JOBS = f"{STATE}/jobs"
VERDICTS = f"{STATE}/verdicts"
PLANS = f"{STATE}/plans"
SCHEMAS = f"{STATE}/schemas"
MARK = SOURCE_MARK
MAIN = "main"


@dataclass(frozen=True, slots=True)
class Source:
    """A source of a catalog. `path` is absolute; `marked` says that its top folder must hold our mark."""

    name: str
    id: str
    path: str
    mode: str
    managed: bool
    sidecars: str
    inside: bool
    last_originals: int | None
    last_scan: str | None = None
    """When a scan of it ended last, in UTC."""

    @property
    def beside(self) -> bool:
        """True when sidecars lie beside the originals."""
        return self.sidecars == "beside"


class Catalog:
    """An open catalog; a context manager."""

    def __init__(self, root: Root, document: CatalogDocument, disk: Disk, settings: Settings) -> None:
        self.root = root
        self.disk = disk
        self.id = document.id
        self.name = document.name
        self.managed = document.managed
        self.layout = document.layout
        self.settings = settings

    @property
    def path(self) -> str:
        """The absolute path of its directory."""
        return self.root.path

    def is_ours(self) -> bool:
        """True where its settings are this user's own: a catalog may come from a stranger's disk.

        Programs and models that the settings name are taken only then.
        """
        directory, name = self.root.place(CATALOG)
        info = os.stat(name, dir_fd=directory, follow_symlinks=False)
        return info.st_uid == os.geteuid() and not stat.S_IMODE(info.st_mode) & stat.S_IWOTH

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptors back."""
        self.root.close()

    # -- find and make

    @classmethod
    def open(cls, path: str, disk: Disk | None = None) -> Catalog:
        """Open the catalog whose directory is `path`.

        Raises CatalogNotFound, CorruptDocument, SettingsError, and OSError where its document cannot be read.
        """
        return cls._opened(path, disk, as_it_is)

    @classmethod
    def open_to_check(cls, path: str) -> Catalog:
        """The same for a catalog whose document may be wrong: what makes no sense in it is left at its default.

        For looking at what else is there, and for nothing that writes. Raises CatalogNotFound.
        """
        return cls._opened(path, None, as_far_as_usable)

    @classmethod
    def _opened(
        cls, path: str, disk: Disk | None, taken: Callable[[Root, str], tuple[CatalogDocument, Settings] | None]
    ) -> Catalog:
        path = os.path.abspath(path)
        try:
            root = Root.open(path)
        except OSError as error:
            raise CatalogNotFound(f"cannot be opened: {error.strerror}", path=path) from error
        try:
            found = taken(root, CATALOG)
            if found is None:
                raise CatalogNotFound("there is no catalog here; `lumina scan DIR` makes one", path=path)
            document, settings = found
            return cls(root, document, disk or Disk(), settings)
        except BaseException:
            root.close()
            raise

    @classmethod
    def find(cls, start: str, disk: Disk | None = None) -> Catalog:
        """Open the nearest catalog at or above `start`. Raises as `open`."""
        return cls.open(cls.nearest(start), disk)

    @staticmethod
    def nearest(start: str) -> str:
        """The directory of the nearest catalog at or above `start`. Raises CatalogNotFound."""
        path = os.path.abspath(start)
        while True:
            if os.path.lexists(os.path.join(path, CATALOG)):
                return path
            parent = os.path.dirname(path)
            if parent == path:
                raise CatalogNotFound(
                    "no catalog here or above; --catalog names another, and `lumina scan DIR` makes one", path=start
                )
            path = parent

    @classmethod
    def create(cls, path: str, *, name: str | None = None, managed: bool = False, disk: Disk | None = None) -> Catalog:
        """Make the directory `path` a catalog with one source, itself; or open it where it is one already."""
        path, disk = os.path.abspath(path), disk or Disk()
        if not os.path.isdir(path):
            raise CatalogNotFound("there is no such directory", path=path)
        with Root.open(path) as root:
            with named(os.path.join(path, CATALOG)):
                present = read(root, CATALOG) is not None
            if not present:
                _write_new(disk, root, path, name or os.path.basename(path) or "photos", managed)
        catalog = cls.open(path, disk)
        remember(disk, catalog.id, catalog.name, catalog.path)
        return catalog

    def ensure_schemas(self) -> None:
        """Put the JSON Schemas where the `$schema` of each document points, so that editors find them."""
        for kind in KINDS:
            path, data = f"{SCHEMAS}/{file_name(kind)}", published(kind)
            stored = read(self.root, path)
            if stored is None or stored.data != data:
                self.disk.make_directory(self.root, SCHEMAS)
                condition = ABSENT if stored is None else stored.etag
                self.disk.write(self.root, path, data, if_match=condition)

    # -- sources

    def sources(self) -> list[Source]:
        """All sources, by name. Raises CorruptDocument."""
        return [source for path in self.source_files() if (source := self.source_at(path)) is not None]

    def source(self, name: str) -> Source:
        """One source. Raises UsageError where there is none of this name."""
        for source in self.sources():
            if source.name == name:
                return source
        names = ", ".join(source.name for source in self.sources())
        raise UsageError(f"there is no source {name!r}; there are: {names}")

    def source_files(self) -> list[str]:
        """The files of sources, by name, relative to the catalog."""
        try:
            names = sorted(os.listdir(self.root.directory(SOURCES)))
        except FileNotFoundError:
            return []
        return [f"{SOURCES}/{name}" for name in names if name.endswith(".json") and not name.startswith(".")]

    def source_at(self, path: str) -> Source | None:
        """The source that a file describes, None where it is gone. Raises CorruptDocument."""
        stored = read(self.root, path)
        if stored is None:
            return None
        shown, name = os.path.join(self.path, path), os.path.basename(path).removesuffix(".json")
        with corrupt_at(shown):
            document = load(stored.data, SourceDocument)
        if document.name != name:
            line, column = locate(stored.data, ["name"])
            raise CorruptDocument(f"name: must be that of the file, {name}", path=shown, line=line, column=column)
        return self._source(document)

    def _source(self, document: SourceDocument) -> Source:
        path = os.path.normpath(os.path.join(self.path, decode_name(document.path)))
        inside = os.path.commonpath([path, self.path]) == self.path
        return Source(
            document.name, document.id, path, document.mode, document.managed, document.sidecars, inside,
            document.last_scan.originals if document.last_scan else None,
            document.last_scan.finished if document.last_scan else None,
        )  # fmt: skip

    def add_source(
        self, path: str, *, name: str | None = None, sidecars: str | None = None, managed: bool = False
    ) -> tuple[Source, str | None]:
        """Add a directory; the source, and a note where sidecars have to lie in the catalog.

        Raises UsageError for a directory that is a source already, lies in one, or holds one; Refused for one that
        another catalog marked as its own, where sidecars are to lie beside the originals.
        """
        path = os.path.realpath(path)
        if not os.path.isdir(path):
            raise UsageError("there is no such directory", path=path)
        present = self.sources()
        for other in present:
            place = os.path.realpath(other.path)
            if os.path.commonpath([path, place]) in (path, place):
                raise UsageError(f"overlaps with the source {other.name} at {other.path}", path=path)
        name = name or _free_name(os.path.basename(path), {other.name for other in present})
        note = None
        if sidecars is None:
            sidecars = "beside" if os.access(path, os.W_OK) else "catalog"
            if sidecars == "catalog":
                note = f"{path} cannot be written to: its sidecars go to {SIDECARS}/{name}/ in the catalog"
        stored_path = self._stored_path(path)
        if sidecars == "beside" and os.path.isabs(stored_path):
            self._require_no_other_mark(path)
        document = _source_document(name, stored_path, sidecars=sidecars, managed=managed)
        self._create(f"{SOURCES}/{name}.json", document, SourceDocument)
        source = self.source(name)
        if source.beside and not source.inside:
            self._mark(source)
        return source, note

    def _stored_path(self, path: str) -> str:
        top = os.path.realpath(self.path)
        inside = os.path.commonpath([path, top]) == top
        return encode_name(os.path.relpath(path, top) if inside else path)

    def remove_source(self, name: str) -> None:
        """Forget a source. Its originals and sidecars stay where they are; the next scan drops its rows."""
        source = self.source(name)
        self.disk.remove_marker(self.root, f"{SOURCES}/{name}.json")
        with contextlib.suppress(OSError), Root.open(source.path) as root:
            stored = read(root, MARK)  # else it would say for ever that the folder is a source
            if stored is not None and source.id.encode() in stored.data:
                self.disk.remove_marker(root, MARK)

    def set_source(self, name: str, **changes: Any) -> bool:
        """Change fields of a source's document; False if nothing changed."""
        self.source(name)

        def change(value: dict[str, Any] | None) -> dict[str, Any]:
            if value is None:
                raise UsageError(f"the source {name} was removed meanwhile")
            return {**value, **changes}

        return edit(self.disk, self.root, f"{SOURCES}/{name}.json", SourceDocument, change)

    def _create(self, path: str, value: dict[str, Any], model: type[Document]) -> None:
        data = dump(value)
        try:
            load(data, model)
        except DocumentError as error:
            raise UsageError(error.reason) from None
        self.disk.make_directory(self.root, os.path.dirname(path))
        outcome = self.disk.write(self.root, path, data, if_match=ABSENT)
        if isinstance(outcome, Conflict):
            raise Refused("is there already", path=path)
        if isinstance(outcome, Failed):
            raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=path)

    # -- the media under a source

    def _mark(self, source: Source) -> None:
        """Write the mark, unless it is there; that of a source that we had before gives way."""
        self._require_no_other_mark(source.path)
        with Root.open(source.path) as root:
            stored = read(root, MARK)
            if stored is not None and source.id.encode() in stored.data:
                return
            value = {"kind": "source-mark", "version": 1, "catalog": self.id, "source": source.id}
            self.disk.write(root, MARK, dump(value), if_match=ABSENT if stored is None else stored.etag)

    def _require_no_other_mark(self, path: str) -> None:
        with Root.open(path) as root:
            stored = read(root, MARK)
        if stored is not None and self.id.encode() not in stored.data:
            raise Refused(
                "carries the mark of another catalog, which has this folder as a source. Take it out there first "
                "(lumina source remove); if that catalog is gone, remove this file",
                path=f"{path}/{MARK}",
            )

    def require_online(self, source: Source) -> None:
        """Raise SourceOffline where the directory is gone, or is not the one that was added."""
        if not os.path.isdir(source.path):
            raise SourceOffline(
                f"source {source.name} is not there. Is its disk connected? Nothing was changed", path=source.path
            )
        if source.inside or not source.beside:
            return
        with Root.open(source.path) as root:
            stored = read(root, MARK)
        if stored is None or self.id.encode() not in stored.data or source.id.encode() not in stored.data:
            raise SourceOffline(
                f"source {source.name} lacks its mark {MARK}: another disk may be mounted there. Nothing was changed. "
                f"If it is the right one: lumina source mark {source.name}",
                path=source.path,
            )

    def renew_mark(self, source: Source) -> None:
        """Put the mark back, because a person says that this is the right directory. Raises Refused."""
        self._mark(source)

    def sidecars(self, source: Source, root: Root) -> Sidecars:
        """The sidecars of a source; `root` is an open handle of its directory."""
        history = History(self.disk, self.root, source.name, self.settings.history_mb << 20)
        if source.beside:
            return Sidecars(self.disk, root, "", self.path, history)
        return Sidecars(self.disk, self.root, f"{SIDECARS}/{source.name}/", self.path, history)


def _write_new(disk: Disk, root: Root, path: str, name: str, managed: bool) -> None:
    """The documents of a new catalog: its source first, because `catalog.json` is what makes it one."""
    with named(os.path.join(path, STATE)):
        disk.make_directory(root, SOURCES)
    main = _source_document(MAIN, ".", sidecars=None if os.access(path, os.W_OK) else "catalog", managed=managed)
    catalog = {
        "$schema": f"schemas/{file_name('catalog')}",
        "kind": "catalog",
        "version": 1,
        "id": new_id(),
        "name": encode_name(name),
        "managed": "." if managed else None,
        "layout": "YYYY/MM",
        "settings": {},
    }
    for place, value in ((f"{SOURCES}/{MAIN}.json", main), (CATALOG, catalog)):
        outcome = disk.write(root, place, dump(value), if_match=ABSENT)
        if isinstance(outcome, Failed):
            raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=os.path.join(path, place))


def _source_document(name: str, path: str, *, sidecars: str | None, managed: bool) -> dict[str, Any]:
    return {
        "$schema": f"../schemas/{file_name('source')}",
        "kind": "source",
        "version": 1,
        "id": new_id(),
        "name": name,
        "path": path,
        "mode": "reference",
        "managed": managed,
        "sidecars": sidecars or "beside",
    }


def _free_name(wish: str, taken: set[str]) -> str:
    """A name for a source out of a folder's name."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wish).strip("-._")[:60] or "source"
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free
