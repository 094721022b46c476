"""The units of a folder as it is on the disk: what would travel with each original that lies there.

Folders are listed, and sidecars read for the identifier of Live Photos; no photo is opened.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

import orjson

from lumina_fs.documents import read
from lumina_fs.errors import UnsafePath
from lumina_fs.filetypes import Kind, by_extension, may_be_original
from lumina_fs.plans.ground import Ground
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX, Sidecars
from lumina_fs.units import Unit, stand_alone, stem_of, travels_by_name, units_of
from schemas.sidecar import content_id_of


class FolderUnits:
    """The units of one source, folder by folder; each folder is looked at once."""

    def __init__(self, sidecars: Sidecars, ground: Ground) -> None:
        self.ground = ground
        self._sidecars = sidecars
        self._units: dict[str, dict[str, Unit]] = {}
        self._simple: dict[str, bool] = {}

    def of(self, folder: str) -> dict[str, Unit]:
        """The unit of each original in a folder, by its name."""
        if folder not in self._units:
            self._units[folder] = {name: unit for unit in self._in(folder) for name in unit.originals}
        return self._units[folder]

    def is_simple(self, folder: str) -> bool:
        """True when nothing in a folder travels with an original but its sidecar: nothing can be left behind."""
        if folder not in self._simple:
            listing = self.ground.listing(folder)
            self._simple[folder] = listing is None or stand_alone(listing.files) or self._is_simple(folder)
        return self._simple[folder]

    def _is_simple(self, folder: str) -> bool:
        originals, here = self._originals(folder)
        apart = len(originals) < 2 or len(set(map(stem_of, originals))) == len(originals)
        return apart and not any(map(travels_by_name, here)) and not self._content_ids(folder, originals)

    def _originals(self, folder: str) -> tuple[dict[str, Kind | None], set[str]]:
        """What may be an original in a folder, with what its name says it is, and all that lies there."""
        listing = self.ground.listing(folder)
        here = listing.files if listing is not None else set()
        kinds = {name: by_extension(name) for name in here if not name.endswith(SUFFIX)}
        return {name: kind for name, kind in kinds.items() if kind or may_be_original(name) is not False}, here

    def _in(self, folder: str) -> list[Unit]:
        originals, here = self._originals(folder)
        return units_of(originals, here, self._sidecar_names(folder, here), self._content_ids(folder, originals))

    def _sidecar_names(self, folder: str, here: set[str]) -> set[str]:
        if self._sidecars.beside:
            return here
        try:
            place = f"{self._sidecars.prefix}{folder}".rstrip("/")
            return set(os.listdir(self._sidecars.root.directory(place)))
        except OSError:
            return set()

    def _content_ids(self, folder: str, originals: Mapping[str, Kind | None]) -> dict[str, str]:
        """Identifiers of Live Photos; stills are only asked where a video has one."""
        videos = [name for name, kind in originals.items() if kind is not None and kind.media == "video"]
        stills = [name for name, kind in originals.items() if kind is not None and kind.media != "video"]
        if not videos or not stills:
            return {}
        found = {name: said for name in videos if (said := self._content_id(folder, name)) is not None}
        if found:
            found |= {name: said for name in stills if (said := self._content_id(folder, name)) is not None}
        return found

    def _content_id(self, folder: str, name: str) -> str | None:
        try:
            stored = read(self._sidecars.root, self._sidecars.path(f"{folder}/{name}" if folder else name))
            return None if stored is None else content_id_of(orjson.loads(stored.data).get("capture") or {})
        except (OSError, UnsafePath, ValueError, AttributeError):
            return None


def measured(root: Root, path: str) -> dict[str, int | str]:
    """Size and digest of a small file that travels along, as a companion says them. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    fd = root.open_file(path)
    try:
        while block := os.read(fd, 1 << 20):
            digest.update(block)
            size += len(block)
    finally:
        os.close(fd)
    return {"size": size, "sha256": digest.hexdigest()}
