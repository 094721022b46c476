"""The units of a folder as it is on the disk: what would travel with each original that lies there.

Folders are listed, and sidecars read for the identifier of Live Photos; no photo is opened.
"""

from __future__ import annotations

import hashlib
import os

import orjson

from lumina_fs.documents import read
from lumina_fs.errors import UnsafePath
from lumina_fs.filetypes import by_extension, may_be_original
from lumina_fs.plans.ground import Ground
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX, Sidecars
from lumina_fs.units import Unit, stem_of, travels_by_name, units_of
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
            originals, here = self._originals(folder)
            apart = len({stem_of(name) for name in originals}) == len(originals)
            alone = apart and not any(travels_by_name(name) for name in here)
            self._simple[folder] = alone and not self._content_ids(folder, originals)
        return self._simple[folder]

    def _originals(self, folder: str) -> tuple[set[str], set[str]]:
        """What may be an original in a folder, and all that lies there."""
        listing = self.ground.listing(folder)
        here = listing.files if listing is not None else set()
        others = (name for name in here if not name.endswith(SUFFIX))
        return {name for name in others if by_extension(name) or may_be_original(name) is not False}, here

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

    def _content_ids(self, folder: str, originals: set[str]) -> dict[str, str]:
        """Identifiers of Live Photos; stills are only asked where a video has one."""
        kinds = {name: kind.media for name in originals if (kind := by_extension(name)) is not None}
        videos = [name for name, media in kinds.items() if media == "video"]
        if not videos or len(videos) == len(kinds):
            return {}
        found = {name: said for name in videos if (said := self._content_id(folder, name)) is not None}
        if found:
            stills = [name for name, media in kinds.items() if media != "video"]
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
