"""Where the sidecar of an original lies, and how it is read, written, moved and kept."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from lumina_fs.documents import Stored, checked, read, text_for
from lumina_fs.durable import ABSENT, Conflict, Disk, Failed, Item, Outcome, Written
from lumina_fs.errors import CorruptDocument, UnsafePath, WriteFailed
from lumina_fs.file_state import FileStat
from lumina_fs.free_names import MAX_NAME, with_ending
from lumina_fs.history import History, Kept, text_digest, text_of_block, with_text_of_block
from lumina_fs.roots import Root
from schemas.errors import DocumentError
from schemas.files import file_name
from schemas.names import decode_name
from schemas.sidecar import Sidecar
from schemas.text import parse, same

SUFFIX = ".lumina.json"
#: The name of a sidecar is cut only where that of its original has so many characters; this is how it ends then.
MAY_BE_CUT = 60
_CUT = re.compile(r"~[0-9a-f]{10}$")
#: In the name of a sidecar whose original was replaced by other content.
ORPHAN = ".lumina-orphan-"

#: A sidecar that was touched within this and does not parse is looked at again, so often, after a pause in seconds.
_JUST_NOW_NS = 1_000_000_000
_LOOKS, _PAUSE = 12, 0.02

#: Where an editor finds the schema, in the catalog's directory.
SCHEMA_PATH = f".lumina/schemas/{file_name('sidecar')}"


def sidecar_name(name: str) -> str:
    """The name of the sidecar of `name`: `IMG_0001.JPG` -> `IMG_0001.JPG.lumina.json`.

    A name so long that the suffix does not fit is cut and gets ten digits of its SHA-256, after a "~".
    """
    if len(name) < MAY_BE_CUT:
        return name + SUFFIX
    raw = os.fsencode(name)
    if len(raw) + len(SUFFIX) <= MAX_NAME:
        return name + SUFFIX
    mark = "~" + hashlib.sha256(raw).hexdigest()[:10]
    room = MAX_NAME - len(SUFFIX) - len(mark)
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name + mark + SUFFIX


def original_path(sidecar_path: str) -> str:
    """The path of the original that a sidecar path stands for (for a cut name: its cut form)."""
    return sidecar_path[: -len(SUFFIX)]


def original_beside(photos: str, sidecar_path: str) -> str:
    """The same for a sidecar that cannot say its original's name: a cut one is looked for in its folder in `photos`."""
    path = original_path(sidecar_path)
    folder, slash, name = path.rpartition("/")
    if not _CUT.search(name):
        return path
    try:
        names = os.listdir(os.path.join(photos, folder))
    except OSError:
        return path
    found = (one for one in names if len(one) >= MAY_BE_CUT and sidecar_name(one) == name + SUFFIX)
    return folder + slash + next(found, name)


def path_of(value: dict[str, Any], sidecar_path: str, photos: str) -> str:
    """The path of the original, by its own name: that of the sidecar is cut where the name is very long.

    A copy that no scan came by yet says the name of another: then it is looked for in its folder in `photos`.
    """
    folder, slash, name = sidecar_path.rpartition("/")
    said = decode_name(value["original"]["name"])
    return folder + slash + said if sidecar_name(said) == name else original_beside(photos, sidecar_path)


class Change(NamedTuple):
    """A sidecar to write: `compose` gives the new value from the present one (None: there is no sidecar yet).

    It is asked again when somebody else wrote in between, so it must keep what it does not own. `why` is what the
    history says of curation that is displaced; `back`: where the value is that of the version before, its text is put
    back character for character.
    """

    path: str
    stored: Stored | None
    compose: Callable[[dict[str, Any] | None], dict[str, Any]]
    why: str = "a change by Lumina"
    back: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a Change: the value now on disk, and the write (None where nothing had to be written)."""

    value: dict[str, Any]
    stored: Stored
    wrote: bool


def _same_curation(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return same(one.get("curation"), other.get("curation"))


def _without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    """A sidecar's value in which a field of the curation that is null is as one that is not there."""
    curation = value.get("curation") or {}
    return {**value, "curation": {name: item for name, item in curation.items() if item is not None}}


def _kept(change: Change, stored: Stored, data: bytes, value: Mapping[str, Any]) -> Kept:
    return Kept(str(value.get("id")), change.path, text_of_block(stored.data), text_of_block(data), change.why)


class Sidecars:
    """The sidecars of one source: beside their originals, or in a tree of their own under the catalog."""

    def __init__(self, disk: Disk, root: Root, prefix: str, schema_base: str, history: History | None = None) -> None:
        """`history`: where curation that is displaced goes first."""
        self.disk = disk
        self.root = root
        self.prefix = prefix
        self.history = history
        self._schema_base = schema_base

    @property
    def beside(self) -> bool:
        """True when sidecars lie beside their originals."""
        return not self.prefix

    def path(self, original: str) -> str:
        """The sidecar's path, relative to `root`, of the original at this path in its source."""
        folder, slash, name = original.rpartition("/")
        return self.prefix + folder + slash + sidecar_name(name)

    def schema_reference(self, original: str) -> str:
        """What the sidecar's `$schema` says: a relative path to the catalog's copy of the schema."""
        folder = os.path.join(self.root.path, os.path.dirname(self.path(original)))
        reference = os.path.relpath(os.path.join(self._schema_base, SCHEMA_PATH), folder)
        return os.fsencode(reference).decode("utf-8", "replace")

    def read(self, original: str) -> Stored | None:
        """The sidecar as it lies there. Raises OSError."""
        return read(self.root, self.path(original))

    def value(self, original: str, stored: Stored) -> dict[str, Any]:
        """The checked value. Raises CorruptDocument."""
        return checked(stored, Sidecar, self.path(original))

    def find(self, original: str) -> tuple[Stored, dict[str, Any]] | None:
        """The sidecar and its checked value, None where there is none. Raises CorruptDocument, OSError.

        One that does not parse may be half saved: if it was touched just now, it is read again for a moment.
        """
        stored = self.read(original)
        return None if stored is None else self._at_rest(original, stored)

    def _at_rest(self, original: str, stored: Stored) -> tuple[Stored, dict[str, Any]]:
        looks = 0
        while True:
            try:
                return stored, self.value(original, stored)
            except CorruptDocument:
                looks += 1
                if looks > _LOOKS or abs(time.time_ns() - stored.stat.mtime_ns) > _JUST_NOW_NS:
                    raise
                time.sleep(_PAUSE)
                now = self.read(original)
                if now is None:
                    raise
                stored = now

    def find_usable(self, original: str) -> tuple[Stored, dict[str, Any]] | None:
        """The same, and None also for one that cannot be read or does not parse."""
        try:
            return self.find(original)
        except (CorruptDocument, OSError):
            return None

    def put(self, changes: Sequence[Change]) -> list[Saved | CorruptDocument | OSError]:
        """Write a batch. Each change has its own result, in order; what a person wrote meanwhile is kept."""
        results: list[Saved | CorruptDocument | OSError | None] = [None] * len(changes)
        waiting = list(enumerate(changes))
        for _ in range(20):
            waiting = self._round(waiting, results)
            if not waiting:
                break
        busy = OSError("somebody else keeps writing this sidecar")
        return [busy if result is None else result for result in results]

    def _round(
        self,
        waiting: list[tuple[int, Change]],
        results: list[Saved | CorruptDocument | OSError | None],
    ) -> list[tuple[int, Change]]:
        """Try all that wait; those that met another writer come back with the sidecar as it is now."""
        items: list[Item] = []
        drafts: list[tuple[int, Change, dict[str, Any]]] = []
        displaced: list[Kept] = []
        earlier = self._earlier([change for _, change in waiting])
        for at, change in waiting:
            stored = change.stored
            try:
                current = None
                if stored is not None:
                    stored, current = self._at_rest(change.path, stored)
                    change = change._replace(stored=stored)
                value = change.compose(current)
                data, value = self._text(stored, value, earlier)
            except (CorruptDocument, OSError) as error:
                results[at] = error
                continue
            if stored is not None and data == stored.data:
                results[at] = Saved(value, stored, wrote=False)
                continue
            try:
                if not self.beside and stored is None:
                    self.disk.make_directory(self.root, os.path.dirname(self.path(change.path)))
            except (OSError, UnsafePath, WriteFailed) as error:
                results[at] = error if isinstance(error, OSError) else OSError(errno.EIO, str(error))
                continue
            if stored is not None and current is not None and not _same_curation(current, value):
                displaced.append(_kept(change, stored, data, value))
            condition = ABSENT if stored is None else stored.etag
            items.append(Item(self.path(change.path), data, condition))
            drafts.append((at, change, value))
        again: list[tuple[int, Change]] = []
        if self.history is not None and displaced:
            try:
                self.history.keep(displaced)
            except WriteFailed as error:
                results[:] = [OSError(errno.EIO, str(error)) if result is None else result for result in results]
                return []
        outcomes = self.disk.write_batch(self.root, items)
        for (at, change, value), item, outcome in zip(drafts, items, outcomes, strict=True):
            result = self._settle(change, value, item, outcome)
            if isinstance(result, Change):
                again.append((at, result))
            else:
                results[at] = result
        return again

    def _earlier(self, changes: Sequence[Change]) -> dict[str, str]:
        """By id the texts of blocks that changes lead back to, where there is a history."""
        back = [change.stored.data for change in changes if change.back and change.stored is not None]
        if self.history is None or not back:
            return {}
        wanted = {}
        for data in back:
            with contextlib.suppress(DocumentError, UnicodeDecodeError):
                wanted[str(parse(data).get("id"))] = text_digest(text_of_block(data))
        return self.history.texts_before(wanted)

    @staticmethod
    def _text(stored: Stored | None, value: dict[str, Any], earlier: Mapping[str, str]) -> tuple[bytes, dict[str, Any]]:
        """The bytes of a value: with the block as it stood before where that means the same, else as an edit."""
        text = earlier.get(str(value.get("id")))
        if stored is not None and text is not None:
            with contextlib.suppress(ValueError):
                exact = with_text_of_block(stored.data, text)
                was = parse(exact)
                if same(_without_nulls(was), _without_nulls(value)):
                    return exact, was
        return text_for(stored, value), value

    def _settle(self, change: Change, value: dict[str, Any], item: Item, outcome: Outcome) -> Saved | Change | OSError:
        if isinstance(outcome, Written):
            stored = Stored(item.data, outcome.etag, outcome.stat, outcome.settled)
            return Saved(value, stored, wrote=True)
        if isinstance(outcome, Failed):
            return outcome.error
        assert isinstance(outcome, Conflict)
        try:
            now = self.read(change.path)
        except UnsafePath as error:
            return OSError(errno.ELOOP, str(error))
        except OSError as error:
            return error
        if now is None and change.stored is not None:
            return FileNotFoundError(errno.ENOENT, "it was removed meanwhile", item.path)
        return change._replace(stored=now)

    def orphan(self, original: str, stored: Stored) -> str:
        """Keep the sidecar of a file that was replaced by other content, under a name of its own; that path.

        It is on the disk for good with the sidecar of the new content: until then a power cut only takes it back.
        """
        path = self.path(original)
        folder, slash, name = path.removesuffix(SUFFIX).rpartition("/")
        for number in count(1):
            again = "" if number == 1 else f"-{number}"
            kept = folder + slash + with_ending(name, f"{ORPHAN}{stored.etag[:8]}{again}.json")
            if self.disk.move_new(self.root, path, self.root, kept, durable=False):
                break
        return kept

    def orphan_value(self, kept: str) -> dict[str, Any] | None:
        """The checked value of a sidecar that was put aside, at its path as the source's; None if it is of no use."""
        try:
            stored = read(self.root, self.prefix + kept)
            return None if stored is None else checked(stored, Sidecar, kept)
        except (OSError, CorruptDocument):
            return None

    def adopt(self, kept: str, original: str) -> bool:
        """Let the sidecar at the path `kept` become that of `original`; False if it has one."""
        target = self.path(original)
        if not self.beside:
            self.disk.make_directory(self.root, os.path.dirname(target))
        return self.disk.move_new(self.root, kept, self.root, target)

    def stats(
        self, folders: Mapping[str, bool] | None = None, orphans: list[str] | None = None
    ) -> dict[str, dict[str, FileStat]] | None:
        """For a tree of their own: the stat of every sidecar by folder and name, as the source's folders are named.

        With `folders` only of those, and of all below the ones that are True. What was put aside goes to `orphans`.

        None when sidecars lie beside their originals, where the walk sees them.
        """
        if self.beside:
            return None
        base = os.path.join(self.root.path, self.prefix.rstrip("/"))
        found: dict[str, dict[str, FileStat]] = {}
        for start, below in ({"": True} if folders is None else folders).items():
            self._stats_of(base, os.path.join(base, start) if start else base, below, found, orphans)
        return found

    @staticmethod
    def _stats_of(
        base: str, start: str, below: bool, found: dict[str, dict[str, FileStat]], orphans: list[str] | None
    ) -> None:
        for folder, inner, names in os.walk(start):
            if not below:
                inner.clear()
            relative = "" if folder == base else os.path.relpath(folder, base)
            for name in names:
                if not name.endswith(SUFFIX):
                    if orphans is not None and ORPHAN in name:
                        orphans.append(os.path.join(relative, name))
                    continue
                info = os.stat(os.path.join(folder, name), follow_symlinks=False)
                if stat.S_ISREG(info.st_mode):
                    entry = FileStat(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
                    found.setdefault(relative, {})[name] = entry
