"""The trash: what lies in it on every volume, a plan that brings it back, and the one place that removes originals."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lumina_fs.audit import record as record_audit
from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError, Refused
from lumina_fs.index_session import exclusive
from lumina_fs.plans.ledger import manifest_path
from lumina_fs.plans.places import TRASH, Places
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle, Trouble
from lumina_fs.roots import Root
from lumina_fs.stamps import utc_now, who
from lumina_fs.transfer import Spot, Transfer, content
from schemas.names import decode_name, encode_name

Value = dict[str, Any]


class TrashedFile(NamedTuple):
    """One file of a unit: where it was in its source, and where it lies beneath the root that holds the trash."""

    part: str
    path: str
    inside: str


@dataclass(frozen=True, slots=True)
class Trashed:
    """An original in the trash, with its unit. `path` is where it was, in its source; `root` holds the trash."""

    plan: str
    action: int
    when: str
    source: str
    path: str
    size: int
    sha256: str
    reason: str
    root: str
    files: tuple[TrashedFile, ...]
    whole_size: int = 0
    """Bytes of all its files but sidecars, as plans count."""

    def as_dict(self) -> Value:
        """For `--json`."""
        return {
            "plan": self.plan, "when": self.when, "source": self.source, "path": encode_name(self.path),
            "size": self.size, "whole_size": self.whole_size, "sha256": self.sha256, "reason": self.reason,
            "files": [{"part": one.part, "path": encode_name(one.path)} for one in self.files],
        }  # fmt: skip


def list_trash(catalog: Catalog) -> Iterator[Trashed | Note]:
    """What lies in the trash of every volume, oldest first; a note for each source that is offline."""
    with Places(catalog, "") as places:
        roots: dict[str, Root] = {catalog.path: catalog.root}
        for source in catalog.sources():
            if not source.inside:
                try:
                    roots[source.path] = places.root(source.name)
                except LuminaError as error:
                    yield Note(str(error))
        found = [entry for root in roots.values() for entry in _entries(root)]
    yield from sorted(found, key=lambda entry: (entry.when, entry.plan, entry.action))


def _entries(root: Root) -> Iterator[Trashed]:
    try:
        names = sorted(os.listdir(root.directory(TRASH)))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if not name.endswith(".jsonl"):
            continue
        with open(root.open_file(f"{TRASH}/{name}"), "rb") as file:
            told: dict[str, Trashed] = {}
            for line in file:
                entry = _entry(root, line)
                if entry is not None:
                    told[entry.files[0].inside] = entry
            yield from told.values()


def _entry(root: Root, line: bytes) -> Trashed | None:
    """What a line of a manifest tells, if it lies there still; None for that, and for a line that is torn."""
    try:
        value = json.loads(line)
        files = tuple(
            TrashedFile(one["part"], decode_name(one["path"]), decode_name(one["in"])) for one in value["files"]
        )
        entry = Trashed(
            value["plan"], value["action"], value["when"], value["source"], decode_name(value["path"]), value["size"],
            value["sha256"], value["reason"], root.path, files,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
    sizes = {one: _size(root, one.inside) for one in files if one.inside.startswith(f"{TRASH}/")}
    there = tuple(one for one in files if sizes.get(one) is not None)
    if not there:
        return None
    return Trashed(
        entry.plan, entry.action, entry.when, entry.source, entry.path, entry.size, entry.sha256, entry.reason,
        entry.root, there, sum(found or 0 for one, found in sizes.items() if one.part != "sidecar"),
    )  # fmt: skip


def _size(root: Root, path: str) -> int | None:
    """The size of what lies there; None where nothing does."""
    try:
        directory, name = root.place(path)
        return os.stat(name, dir_fd=directory, follow_symlinks=False).st_size
    except (OSError, Refused):
        return None


def _is_there(root: Root, path: str) -> bool:
    return _size(root, path) is not None


def propose_restore(catalog: Catalog, entries: Iterable[Trashed]) -> Value:
    """A draft (without envelope) that brings originals back where they were. What cannot be is put in as skipped."""
    with Places(catalog, "") as places:
        actions = [_restore(places, entry) for entry in entries]
    return {
        "name": "restore from the trash",
        "purpose": "restore",
        "strategy": {"name": "restore"},
        "on_failure": "stop",
        "actions": actions,
    }


def _restore(places: Places, entry: Trashed) -> Value:
    value: Value = {
        "do": "restore", "source": entry.source, "path": encode_name(entry.path), "size": entry.size,
        "sha256": entry.sha256, "reason": "back from the trash", "trashed_by": entry.plan,
    }  # fmt: skip
    why = ""
    try:
        if places.spot(entry.source, entry.path).info() is not None:
            why = "another file lies at its place by now"
    except LuminaError as error:
        why = str(error)
    if entry.files[0].path != entry.path:
        why = "the photo itself is not in the trash any more"
    if why:
        return {**value, "do": "skip", "reason": why, "proposed": {"do": "restore", "trashed_by": entry.plan}}
    value["companions"] = [_companion(places, entry, one) for one in entry.files if one.path != entry.path]
    return value


def _companion(places: Places, entry: Trashed, one: TrashedFile) -> Value:
    value: Value = {"part": one.part, "path": encode_name(one.path)}
    if one.part == "sidecar":
        return value
    root = places.trash_root(entry.source)
    sha256, info = content(Spot(root, one.inside))
    return {**value, "size": info.size, "sha256": sha256}


@dataclass(frozen=True, slots=True)
class Emptied:
    """What was removed for good."""

    originals: int
    files: int
    size: int


def empty(
    catalog: Catalog, entries: Sequence[Trashed], *, may: Callable[[Sequence[Trashed]], bool], cancel: threading.Event
) -> Iterator[Event | Finished[Emptied]]:
    """Remove originals for good: the only place that does. `may` is shown the list and asked first.

    The audit says so before they go. Raises Refused without a yes, Locked.
    """
    if not may(entries):
        raise Refused("nobody said yes; nothing was removed from the trash")
    files = size = done = 0
    throttle = Throttle()
    with exclusive(catalog, "emptying the trash"):
        for start in range(0, len(entries), 256):
            if cancel.is_set():
                break
            batch = entries[start : start + 256]
            now = utc_now()
            record_audit(catalog, [_line(entry, now) for entry in batch])
            for entry in batch:
                try:
                    files += _remove(catalog, entry)
                except OSError as error:
                    yield Trouble(entry.source, entry.path, "not_removed", error.strerror or str(error))
                    continue
                size, done = size + entry.whole_size, done + 1
            if throttle.due():
                yield Progress("emptying the trash", done, len(entries), "photos")
        _tidy(catalog, entries)
    yield Finished(Emptied(done, files, size))


def _line(entry: Trashed, now: str) -> Value:
    return {
        "when": now, "what": "emptied", "source": entry.source, "path": encode_name(entry.path),
        "companions": [encode_name(one.path) for one in entry.files if one.path != entry.path], "size": entry.size,
        "sha256": entry.sha256, "plan": entry.plan, "trashed": entry.when, "by": who(),
    }  # fmt: skip


def _remove(catalog: Catalog, entry: Trashed) -> int:
    """Remove the files of one unit, all of which lie in the trash; the number of files."""
    transfer = Transfer(catalog.disk)
    with Root.open(entry.root) as root:
        for one in reversed(entry.files):  # the original last: while it is there, the manifest tells of it
            with contextlib.suppress(FileNotFoundError):
                transfer.remove_for_good(Spot(root, one.inside))
    return len(entry.files)


def _tidy(catalog: Catalog, entries: Iterable[Trashed]) -> None:
    """Remove manifests that tell of nothing any more, and empty folders."""
    for place, plan in {(entry.root, entry.plan) for entry in entries}:
        with Root.open(place) as root:
            _remove_empty(catalog, root, f"{TRASH}/{plan}")
            if not _is_there(root, f"{TRASH}/{plan}"):
                catalog.disk.remove_marker(root, manifest_path(plan))


def _remove_empty(catalog: Catalog, root: Root, path: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(root.directory(path)):
            _remove_empty(catalog, root, f"{path}/{name}")
        catalog.disk.remove_empty_folder(root, path)
