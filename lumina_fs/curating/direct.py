"""One sidecar changed at once, on the condition that it is the one that was seen; its row follows.

Where somebody else changed other fields meanwhile, both changes are kept. Where they changed the same one, the caller
gets both versions and what would become of them, and decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.curation import curation_of, difference, merged, with_curation
from lumina_fs.documents import Stored
from lumina_fs.errors import CorruptDocument, EtagMismatch, UsageError, WriteFailed
from lumina_fs.sidecars import Change, Sidecars
from schemas.document import validate
from schemas.errors import DocumentError
from schemas.sidecar import Sidecar

Value = dict[str, Any]

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Version:
    """The curation of an original as a sidecar with this ETag has it."""

    etag: str
    curation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """It is on the disk. `wrote` False: it was so already. `joined`: fields that somebody else changed meanwhile and
    that are as they made them. `index`: "current", or "behind" with nothing lost.
    """

    version: Version
    wrote: bool
    joined: tuple[str, ...]
    index: str


@dataclass(frozen=True, slots=True)
class Clash:
    """Nothing was written: both changed `fields` since `seen`, and not alike.

    `merged` has the wished values of these fields, and else what each side changed. Saving it with `live` as what was
    seen keeps the other side's version in the history.
    """

    seen: Version
    wished: Mapping[str, Any]
    live: Version
    merged: Mapping[str, Any]
    fields: tuple[str, ...]


def read_curation(catalog: Catalog, source: str, path: str) -> Version:
    """What is said of the original at `path` (decoded) in a source now.

    Raises UsageError where it has no sidecar, CorruptDocument, SourceOffline.
    """
    from lumina_fs.plans.places import Places

    with Places(catalog, "") as places:
        stored, value = _read(places.sidecars(source), path)
        return Version(stored.etag, curation_of(value))


def save_curation(
    catalog: Catalog, source: str, path: str, wished: Mapping[str, Any], *, seen: Version, why: str = "edited"
) -> Done | Clash:
    """Make the curation of an original what is wished, which was made of `seen`. Disk first, index second.

    Raises UsageError for a value that a sidecar cannot have, CorruptDocument (the file stays as it is), WriteFailed,
    SourceOffline, EtagMismatch where somebody writes all the time.
    """
    from lumina_fs.plans.places import Places
    from lumina_fs.plans.rows import following

    with Places(catalog, "") as places, following(catalog, places, alone=False) as rows:
        rows.before()
        found = _save(places.sidecars(source), path, wished, seen, why)
        if isinstance(found, Clash):
            rows.finish()
            return found
        rows.look_again(source, path)
        rows.flush()
        version, wrote, joined = found
        return Done(version, wrote, joined, rows.finish())


def change_curation(
    catalog: Catalog, source: str, path: str, change: Callable[[Value], Value], *, why: str = "edited"
) -> Done:
    """Make the curation what `change` makes of it, whatever it is now. Raises as `save_curation`."""
    for _ in range(_TRIES):
        seen = read_curation(catalog, source, path)
        done = save_curation(catalog, source, path, change(dict(seen.curation)), seen=seen, why=why)
        if isinstance(done, Done):
            return done
    raise EtagMismatch("somebody else keeps changing the same fields; nothing was written", path=path)


def _read(sidecars: Sidecars, path: str) -> tuple[Stored, Value]:
    found = sidecars.find(path)
    if found is None:
        raise UsageError("has no sidecar yet; `lumina scan` writes it", path=path)
    return found


def _save(
    sidecars: Sidecars, path: str, wished: Mapping[str, Any], seen: Version, why: str
) -> tuple[Version, bool, tuple[str, ...]] | Clash:
    stored, value = _read(sidecars, path)
    _require_valid(value, wished, path)
    clash: list[Clash] = []
    joined: list[str] = []

    def composed(current: Value | None) -> Value:
        assert current is not None
        clash.clear()
        now = curation_of(current)
        found = merged(seen.curation, wished, now)
        if found.clashes:
            clash.append(Clash(seen, wished, Version("", now), found.value, found.clashes))
            return current
        joined[:] = difference(seen.curation, now)
        return with_curation(current, found.value)

    [saved] = sidecars.put([Change(path, stored, composed, why)])
    if isinstance(saved, CorruptDocument):
        raise saved
    if isinstance(saved, OSError):
        raise WriteFailed(f"its sidecar could not be written: {saved.strerror or saved}", path=path)
    version = Version(saved.stored.etag, curation_of(saved.value))
    if clash:
        [one] = clash
        return Clash(one.seen, one.wished, version, one.merged, one.fields)
    return version, saved.wrote, tuple(joined)


def _require_valid(value: Value, wished: Mapping[str, Any], path: str) -> None:
    try:
        validate(with_curation(value, wished), Sidecar)
    except DocumentError as error:
        raise UsageError(error.reason, path=path) from None
