"""Which trees the daemon watches for a catalog, and which folder of which source a hint is about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from lumina_fs.catalog import CATALOG, MARK, SIDECARS, SOURCES, STATE, Catalog, Source
from lumina_fs.daemon.watching import Hint, Place
from lumina_fs.discover import Ignore

#: The name of the place that holds the catalog's own documents; no source is called so.
OWN = "."
#: As they are called in the folder that is watched for it.
_CATALOG, _SOURCES, _SIDECARS = (os.path.basename(path) for path in (CATALOG, SOURCES, SIDECARS))


@dataclass(frozen=True, slots=True)
class Affected:
    """A folder of a source; `path` is the file in it, "" for anything, `below` for all under it too."""

    source: str
    folder: str
    path: str
    below: bool


class Documents:
    """The hint was about the catalog's own documents."""


def places(catalog: Catalog, sources: list[Source]) -> list[Place]:
    """What to watch: every source, and the catalog's documents."""
    ignore = Ignore(tuple(catalog.settings.ignore))
    wanted = [Place(source.name, source.path, ignore.folder) for source in sources if os.path.isdir(source.path)]
    return [Place(OWN, os.path.join(catalog.path, STATE), _skip_own), *wanted]


def _skip_own(folder: str, name: str) -> bool:
    """Of the catalog's own folders only those that hold sources and sidecars matter."""
    return not folder and name not in (_SOURCES, _SIDECARS)


def meaning(hint: Hint, roots: dict[str, str]) -> Affected | Documents | None:
    """What a hint means; `roots` are the paths of the places."""
    path = f"{os.path.join(roots[hint.place], hint.folder)}/{hint.name}" if hint.name else ""
    path = os.path.normpath(path) if path else ""
    if hint.place != OWN:
        if not hint.folder and hint.name == MARK:
            return Documents()
        return Affected(hint.place, hint.folder, path, hint.below)
    if (not hint.folder and hint.name == _CATALOG) or hint.folder == _SOURCES:
        return Documents()
    first, _, rest = hint.folder.partition("/")
    if first == _SIDECARS and rest:
        source, _, folder = rest.partition("/")
        return Affected(source, folder, path, hint.below)
    return None


def standing(catalog: Catalog, sources: list[Source]) -> Any:
    """What a change of the documents must differ in to matter: not in what a scan notes in them."""
    fields = [(s.name, s.id, s.path, s.mode, s.managed, s.sidecars, os.path.isdir(s.path)) for s in sources]
    return catalog.id, catalog.name, catalog.settings, fields
