"""Which originals lack what the models would say of them: asked of the sidecars, because they decide."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumina_fs.catalog import Catalog, Source
from lumina_fs.errors import CorruptDocument, SourceOffline
from lumina_fs.progress import Event, Note, Progress, Trouble
from lumina_fs.recipe import decoders
from lumina_fs.roots import Root
from lumina_fs.sidecar_walk import sidecar_paths
from lumina_fs.sidecars import original_path, path_of
from lumina_fs.tagging.wishes import Wishes

#: (source, path) of an original; the path is decoded.
Place = tuple[str, str]


@dataclass(slots=True)
class Content:
    """A content that is to be looked at, with all originals that have it and lack something."""

    sha256: str
    root: str
    orientation: int
    needs: frozenset[str]
    places: list[Place] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    """What is to be said of it so far, by measurer."""


@dataclass(slots=True)
class Targets:
    """Contents by digest. `counts`: current, undecodable (there is no picture to look at)."""

    catalog: Catalog
    wishes: Wishes
    again: bool
    cancel: threading.Event
    contents: dict[str, Content] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def find(self, chosen: Sequence[Place] | None) -> Iterator[Event]:
        """Look at these originals, or (None) at all. What is offline is left out, and said."""
        by_source: dict[str, list[str] | None] = {}
        for name, path in chosen or ():
            paths = by_source.setdefault(name, [])
            assert paths is not None
            paths.append(path)
        if chosen is None:
            by_source = {source.name: None for source in self.catalog.sources()}
        for name, some in by_source.items():
            source = self.catalog.source(name)
            try:
                self.catalog.require_online(source)
                with Root.open(source.path) as root:
                    yield from self._in_source(source, root, some)
            except (SourceOffline, OSError) as error:
                if len(by_source) == 1:
                    raise
                yield Note(f"source {name} is left out: {getattr(error, 'strerror', None) or error}")

    def _in_source(self, source: Source, root: Root, some: list[str] | None) -> Iterator[Event]:
        sidecars = self.catalog.sidecars(source, root)
        named = some is not None
        if some is None:
            paths = sidecar_paths(self.catalog, source, sidecars)
            some = [original_path(path[len(sidecars.prefix) :]) for path in paths]
        for number, path in enumerate(some, 1):
            if self.cancel.is_set():
                return
            try:
                found = sidecars.find(path)
                why = "has no sidecar yet; `lumina scan` writes it"
            except (CorruptDocument, OSError) as error:
                found, why = None, getattr(error, "reason", None) or str(error)
            if found is not None:
                value = found[1]
                place = path if named else path_of(value, sidecars.path(path)[len(sidecars.prefix) :], root.path)
                self._consider(source, place, value)
            elif named:  # of the others a scan tells
                yield Trouble(source.name, path, "not_looked_at", why)
            if number % 512 == 0:
                yield Progress("reading sidecars", number, len(some), "sidecars")

    def _consider(self, source: Source, path: str, value: dict[str, Any]) -> None:
        original = value["original"]
        sha256 = original.get("sha256")
        if not sha256 or "missing_since" in original or original["media"] not in ("image", "video"):
            return
        if not original["size"] or any(one.get("decoder") == decoders() for one in value.get("problems") or ()):
            self.counts["undecodable"] += 1
            return
        stamps = frozenset(self.wishes.stamps)
        needs = stamps if self.again else self.wishes.lacking(value.get("measurements") or {})
        if not needs:
            self.counts["current"] += 1
            return
        content = self.contents.get(sha256)
        if content is None:
            orientation = int((value.get("capture") or {}).get("orientation", 1))
            content = self.contents[sha256] = Content(sha256, source.path, orientation, needs)
        content.needs |= needs
        content.places.append((source.name, path))
