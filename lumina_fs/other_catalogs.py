"""Other catalogs that take the same photos as a source of ours: found by what lies in their folders, and told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lumina_fs.catalog import CATALOG, MARK, Catalog, Source
from lumina_fs.discover import Ignore, walk_directories
from lumina_fs.documents import read
from lumina_fs.errors import CatalogNotFound, LuminaError
from lumina_fs.known_catalogs import known_catalogs
from lumina_fs.roots import Root
from schemas.errors import DocumentError
from schemas.names import decode_name
from schemas.text import parse


@dataclass(frozen=True, slots=True)
class OtherCatalog:
    """A catalog that is not ours. `name` is None where its document cannot be read."""

    path: str
    name: str | None
    takes: bool
    """Whether its sources reach the place that was asked about; what cannot be read is taken to."""


def told_by_scan(catalog: Catalog, source: Source, claimed: Iterable[str]) -> Iterator[str]:
    """What a person should know after a walk of `source`, which met the state or the mark of somebody in `claimed`."""
    for other in _above(catalog, source.path):
        yield _says_above(source, other)
    for directory in filter(None, claimed):
        place = os.path.join(source.path, directory)
        for other in _at(catalog, place, place):
            yield _says_below(catalog, source, other, directory)


def told_by_walk(catalog: Catalog, source: Source) -> Iterator[str]:
    """The same with a walk of its own, for who is no scan. Raises OSError where the source cannot be read."""
    walk = walk_directories(source.path, ignore=Ignore(tuple(catalog.settings.ignore)))
    yield from told_by_scan(catalog, source, [listing.directory for listing in walk if listing.claimed])


def told_before_scan(catalog: Catalog, source: Source) -> list[str]:
    """The same right after a source was added, without a walk: of catalogs above it, and of known ones below it."""
    found = [_says_above(source, other) for other in _above(catalog, source.path)]
    top = os.path.realpath(source.path)
    ignore = Ignore(tuple(catalog.settings.ignore))
    for known in known_catalogs():
        place = os.path.realpath(known.path)
        directory = os.path.relpath(place, top)
        if known.present and place.startswith(os.path.join(top, "")) and not ignore.tree(directory):
            found += [_says_below(catalog, source, other, directory) for other in _at(catalog, place, place)]
    return found


def catalogs_above(catalog: Catalog) -> list[str]:
    """The folders of the catalogs that reach sources of ours from above, and so share sidecars with us."""
    try:
        sources = catalog.sources()
    except LuminaError:
        return []
    return sorted({other.path for one in sources if one.beside for other in _above(catalog, one.path)})


def _above(catalog: Catalog, place: str) -> Iterator[OtherCatalog]:
    """Those in whose folder `place` lies, the nearest first."""
    folder = os.path.realpath(place)
    while (parent := os.path.dirname(folder)) != folder:
        folder = parent
        yield from _at(catalog, folder, place)


def _at(catalog: Catalog, folder: str, place: str) -> Iterator[OtherCatalog]:
    """The catalog whose folder this is, or whose source, if it takes photos of `place` and is not ours."""
    if os.path.realpath(folder) == os.path.realpath(catalog.path):
        return
    if os.path.lexists(os.path.join(folder, CATALOG)):
        other = _looked_at(folder, place)
    else:
        other = _by_mark(catalog, folder, place)
    if other is not None and other.takes:
        yield other


def _looked_at(folder: str, place: str) -> OtherCatalog | None:
    try:
        with Catalog.open(folder) as other:
            return OtherCatalog(folder, other.name, _takes(other, place))
    except CatalogNotFound:
        return None
    except (LuminaError, OSError):
        return OtherCatalog(folder, None, takes=True)


def _takes(other: Catalog, place: str) -> bool:
    """Whether a source of `other` covers a place and does not leave it out, or lies in it."""
    place, ignore = os.path.realpath(place), Ignore(tuple(other.settings.ignore))
    for source in other.sources():
        top = os.path.realpath(source.path)
        shared = os.path.commonpath([top, place])
        if shared == place or (shared == top and not ignore.tree(os.path.relpath(place, top))):
            return True
    return False


def _by_mark(catalog: Catalog, folder: str, place: str) -> OtherCatalog | None:
    """The catalog that marked a folder as a source of its own; one that is known and gave it up is none."""
    try:
        with Root.open(folder) as root:
            stored = read(root, MARK)
        id_ = None if stored is None else parse(stored.data).get("catalog")
    except (LuminaError, DocumentError, OSError):
        return None
    if not isinstance(id_, str) or id_ == catalog.id:
        return None
    for known in known_catalogs():
        if known.id == id_ and known.present:
            return _looked_at(known.path, place)
    return OtherCatalog(folder, None, takes=True)


def _says_above(source: Source, other: OtherCatalog) -> str:
    text = f"source {source.name} ({source.path}) lies in {_named(other)} {_means(source)}"
    inner = os.path.relpath(os.path.realpath(source.path), os.path.realpath(other.path))
    return text if inner.startswith("..") else f"{text} To leave it out there: {_left_out(inner, other.path)}"


def _says_below(catalog: Catalog, source: Source, other: OtherCatalog, directory: str) -> str:
    text = f"{directory} in source {source.name} belongs to {_named(other)} {_means(source)}"
    return f"{text} To leave it out here: {_left_out(directory, catalog.path)}"


def _named(other: OtherCatalog) -> str:
    if other.name is None:
        return f"another catalog at {other.path}:"
    return f"another catalog, {decode_name(other.name)} at {other.path}:"


def _means(source: Source) -> str:
    if source.beside:
        return (
            "its photos are in both, and share one sidecar each. Nothing is lost by that, and what a plan of one moves "
            "the other finds at its next scan."
        )
    return "its photos are in both, each with sidecars of its own: what is said in one is not known to the other."


def _left_out(directory: str, top: str) -> str:
    """What to write into the settings of the catalog at `top`: a pattern that fits this folder alone."""
    literal = "".join(f"[{sign}]" if sign in "*?[" else sign for sign in directory)
    return f'"ignore": ["/{literal}/"] under settings in {os.path.join(top, CATALOG)}'
