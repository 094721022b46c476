"""The earlier versions of one sidecar's curation as a numbered list, and the way back to one of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.curating.direct import Done, change_curation
from lumina_fs.curation import curation_of, difference, put_fields
from lumina_fs.documents import checked, read
from lumina_fs.durable import KEPT
from lumina_fs.errors import CorruptDocument, UsageError
from lumina_fs.history import Version
from lumina_fs.plans.places import Places
from lumina_fs.sidecars import Sidecars
from schemas.names import encode_name
from schemas.sidecar import Sidecar

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A version. `then`: by field what it had and what came after; for one that lost (`clash`), what is and what was
    wished. `file`: the file beside the sidecar that holds it, where an editor saved while Lumina wrote.
    """

    when: str
    by: str
    why: str
    curation: Mapping[str, Any]
    then: Mapping[str, tuple[Any, Any]]
    clash: tuple[str, ...] = ()
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one original's curation, oldest first."""

    source: str
    path: str
    id: str
    now: Mapping[str, Any]
    versions: tuple[Earlier, ...]

    def as_dict(self) -> Value:
        """For `--json`."""
        versions = [
            {
                "number": number, "when": one.when, "by": one.by, "why": one.why, "curation": dict(one.curation),
                "then": {name: list(pair) for name, pair in one.then.items()}, "clash": list(one.clash),
                **({"file": encode_name(one.file)} if one.file else {}),
            }
            for number, one in enumerate(self.versions, 1)
        ]  # fmt: skip
        return {
            "source": self.source, "path": encode_name(self.path), "id": self.id, "curation": dict(self.now),
            "versions": versions,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    when: str
    by: str
    why: str
    curation: Value
    clash: tuple[str, ...] = ()
    file: str | None = None


def versions_of(catalog: Catalog, source: str, path: str) -> Record:
    """The versions of the original at `path` (decoded) in a source.

    Raises UsageError, CorruptDocument, SourceOffline.
    """
    with Places(catalog, "") as places:
        sidecars = places.sidecars(source)
        stored = sidecars.find(path)
        if stored is None:
            raise UsageError("has no sidecar yet; `lumina scan` writes it", path=path)
        value = stored[1]
        history = sidecars.history
        kept = history.of(value["id"]) if history is not None else []
        found = [*_told(kept), *_files_beside(sidecars, path)]
    now = curation_of(value)
    found.sort(key=lambda one: one.when)
    return Record(source, path, value["id"], now, tuple(_with_what_followed(found, now)))


def restore(catalog: Catalog, record: Record, number: int) -> Done:
    """Make the curation what it was in version `number` (from 1), or of one that lost, put in what was wished.

    What it displaces is kept. Raises as `lumina_fs.curating.direct.save_curation`.
    """
    version = record.versions[number - 1]

    def changed(now: Value) -> Value:
        if version.clash:
            return put_fields(now, {name: version.curation.get(name) for name in version.clash})
        return dict(version.curation)

    return change_curation(catalog, record.source, record.path, changed, why=f"before version {number} was restored")


def _told(versions: list[Version]) -> Iterator[_Found]:
    """The versions without those that were never displaced, because their write came to nothing."""
    for at, one in enumerate(versions):
        following = versions[at + 1] if at + 1 < len(versions) else None
        if following is not None and (one.text, one.after) == (following.text, following.after):
            continue
        yield _Found(one.when, one.by, one.why, one.curation, one.clash)


def _files_beside(sidecars: Sidecars, path: str) -> Iterator[_Found]:
    """Versions that an editor saved in the very moment of a write; they lie beside the sidecar."""
    folder, slash, name = sidecars.path(path).rpartition("/")
    try:
        names = os.listdir(sidecars.root.directory(folder))
    except OSError:
        return
    for other in names:
        if not other.startswith(name + KEPT):
            continue
        with contextlib.suppress(OSError, CorruptDocument):
            stored = read(sidecars.root, folder + slash + other)
            if stored is not None:
                value = checked(stored, Sidecar, other)
                when = datetime.fromtimestamp(stored.stat.mtime_ns / 1e9, UTC).isoformat(timespec="milliseconds")
                why = f"saved while Lumina wrote: {encode_name(other)}"
                yield _Found(when.replace("+00:00", "Z"), "", why, curation_of(value), file=folder + slash + other)


def _with_what_followed(found: list[_Found], now: Value) -> Iterator[Earlier]:
    """Each with how it differs from what came after it."""
    states: list[Value] = []
    after = now
    for one in reversed(found):
        states.append(after)
        if not one.clash:
            after = one.curation
    for one, state in zip(found, reversed(states), strict=True):
        if one.clash:
            then = {name: (state.get(name), one.curation.get(name)) for name in one.clash}
        else:
            then = difference(one.curation, state)
        yield Earlier(one.when, one.by, one.why, one.curation, then, one.clash, one.file)
