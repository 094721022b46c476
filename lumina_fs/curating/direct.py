"""Sidecars changed at once, each on the condition that it is the one that was seen; their rows follow.

Where somebody else changed other fields meanwhile, both changes are kept. Where they changed the same one, the caller
gets both versions and what would become of them, and decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lumina_fs.catalog import Catalog
from lumina_fs.curation import curation_of, difference, merged, with_curation
from lumina_fs.documents import Stored
from lumina_fs.errors import CorruptDocument, EtagMismatch, LuminaError, UsageError, WriteFailed
from lumina_fs.sidecars import Change, Saved, Sidecars
from schemas.document import validate
from schemas.errors import DocumentError
from schemas.sidecar import Sidecar

if TYPE_CHECKING:
    from lumina_fs.plans.places import Places

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


class Wish(NamedTuple):
    """The curation that the original at `path` (decoded) in a source shall have, which was made of `seen`."""

    source: str
    path: str
    wished: Mapping[str, Any]
    seen: Version


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
    [found] = save_curations(catalog, [Wish(source, path, wished, seen)], why=why)
    if isinstance(found, Exception):
        raise found
    return found


def save_curations(
    catalog: Catalog, wishes: Sequence[Wish], *, why: str = "edited"
) -> list[Done | Clash | LuminaError | OSError]:
    """The same for several originals in one go. Each has its own result, in order; an error left its file as it was.

    Raises LuminaError, OSError where nothing can be written at all.
    """
    from lumina_fs.plans.places import Places
    from lumina_fs.plans.rows import following

    with Places(catalog, "") as places, following(catalog, places, alone=False) as rows:
        rows.before()
        found = _save(places, wishes, why)
        for wish, one in zip(wishes, found, strict=True):
            if isinstance(one, (Done, Clash)):  # of a clash, what somebody else wrote
                rows.look_again(wish.source, wish.path)
        rows.flush()
        index = rows.finish()
    return [replace(one, index=index) if isinstance(one, Done) else one for one in found]


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


class _Attempt:
    """A wish on its way into its sidecar."""

    def __init__(self, wish: Wish, sidecars: Sidecars, why: str) -> None:
        stored, value = _read(sidecars, wish.path)
        _require_valid(value, wish.wished, wish.path)
        self.wish = wish
        self.change = Change(wish.path, stored, self._composed, why)
        self._clash: tuple[Value, tuple[str, ...]] | None = None
        self._joined: tuple[str, ...] = ()

    def _composed(self, current: Value | None) -> Value:
        assert current is not None
        self._clash = None
        seen, now = self.wish.seen.curation, curation_of(current)
        found = merged(seen, self.wish.wished, now)
        if found.clashes:
            self._clash = found.value, found.clashes
            return current
        self._joined = tuple(difference(seen, now))
        return with_curation(current, found.value)

    def result(self, saved: Saved | CorruptDocument | OSError) -> Done | Clash | LuminaError:
        """What became of it, given what became of its change."""
        if isinstance(saved, CorruptDocument):
            return saved
        if isinstance(saved, OSError):
            reason = f"its sidecar could not be written: {saved.strerror or saved}"
            return WriteFailed(reason, path=self.wish.path)
        version = Version(saved.stored.etag, curation_of(saved.value))
        if self._clash is not None:
            return Clash(self.wish.seen, self.wish.wished, version, *self._clash)
        return Done(version, saved.wrote, self._joined, "behind")


def _save(places: Places, wishes: Sequence[Wish], why: str) -> list[Done | Clash | LuminaError | OSError]:
    """Each wish tried; those of one source are written together."""
    found: dict[int, Done | Clash | LuminaError | OSError] = {}
    attempts: dict[str, dict[int, _Attempt]] = {}
    for number, wish in enumerate(wishes):
        try:
            attempt = _Attempt(wish, places.sidecars(wish.source), why)
        except (LuminaError, OSError) as error:
            found[number] = error
        else:
            attempts.setdefault(wish.source, {})[number] = attempt
    for source, tried in attempts.items():
        saved = places.sidecars(source).put([attempt.change for attempt in tried.values()])
        found.update({number: tried[number].result(one) for number, one in zip(tried, saved, strict=True)})
    return [found[number] for number in range(len(wishes))]


def _require_valid(value: Value, wished: Mapping[str, Any], path: str) -> None:
    try:
        validate(with_curation(value, wished), Sidecar)
    except DocumentError as error:
        raise UsageError(error.reason, path=path) from None
