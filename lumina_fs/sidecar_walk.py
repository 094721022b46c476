"""The paths of all sidecars of a source, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator

from lumina_fs.catalog import Catalog, Source
from lumina_fs.discover import Ignore, walk_sidecars
from lumina_fs.sidecars import Sidecars


def sidecar_paths(catalog: Catalog, source: Source, sidecars: Sidecars) -> Iterator[str]:
    """The paths of all sidecars of a source, relative to the root that holds them, in directory order."""
    elsewhere = sidecars.stats()
    if elsewhere is not None:
        for folder, names in sorted(elsewhere.items()):
            prefix = f"{sidecars.prefix}{folder}/" if folder else sidecars.prefix
            yield from (prefix + name for name in sorted(names))
        return
    for directory, beside in walk_sidecars(source.path, ignore=Ignore(tuple(catalog.settings.ignore))):
        prefix = f"{directory}/" if directory else ""
        yield from (prefix + name for name in beside)
