"""What lies in the folders of a source: each listed once, no file opened, no link followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from lumina_fs.errors import UnsafePath
from lumina_fs.plans.targets import fold
from lumina_fs.roots import Root


class Listing(NamedTuple):
    """The names in one folder: `folders` are real directories, `files` all else, links too."""

    files: set[str]
    folders: set[str]


#: What lay in each folder that was looked at, None where there was no such folder.
Listed = dict[str, Listing | None]


class _Alike(NamedTuple):
    """The same by how the names fold: of files only that, of folders the names."""

    files: set[str]
    folders: dict[str, list[str]]


class Ground:
    """The folders of one source below an open handle; "" is its top."""

    def __init__(self, root: Root, listed: Listed | None = None, alike: Callable[[str], str] = fold) -> None:
        """`listed`: folders that need not be looked at again. `alike`: gives names that are one the same key."""
        self.root = root
        self.alike = alike
        self.listed: Listed = {} if listed is None else listed
        """What was seen so far."""
        self._variants: dict[str, list[str]] = {"": [""]}
        self._alike: dict[str, _Alike] = {}

    def listing(self, folder: str) -> Listing | None:
        """What lies in a folder; None where there is no such folder, or a link is on the way."""
        if folder not in self.listed:
            self.listed[folder] = self._list(folder)
        return self.listed[folder]

    def _list(self, folder: str) -> Listing | None:
        files: set[str] = set()
        folders: set[str] = set()
        try:
            with os.scandir(self.root.directory(folder)) as entries:
                for entry in entries:
                    (folders if entry.is_dir(follow_symlinks=False) else files).add(entry.name)
        except (OSError, UnsafePath):
            return None
        return Listing(files, folders)

    def variants(self, folder: str) -> list[str]:
        """The folders that are this one on some volume: they differ in case or in the form of Unicode at most."""
        place, found = "", self._variants[""]
        for name in folder.split("/") if folder else ():
            place = f"{place}/{name}" if place else name
            known = self._variants.get(place)
            if known is None:
                known = self._variants[place] = self._inside(found, self.alike(name)) if found else []
            found = known
        return found

    def _inside(self, places: list[str], wanted: str) -> list[str]:
        """Folders in these that fold to `wanted`."""
        found = []
        for place in places:
            found += [f"{place}/{one}" if place else one for one in self._folded(place).folders.get(wanted, ())]
        return found

    def _folded(self, folder: str) -> _Alike:
        """The names in a folder that something goes into or through: one look for each would cost their number."""
        if folder not in self._alike:
            listing = self.listing(folder) or Listing(set(), set())
            folders: dict[str, list[str]] = {}
            for name in listing.folders:
                folders.setdefault(self.alike(name), []).append(name)
            self._alike[folder] = _Alike(set(map(self.alike, listing.files)), folders)
        return self._alike[folder]

    def blocked(self, folder: str) -> str | None:
        """Why a folder cannot be there: a file or a link lies on its way; None if it can."""
        parts = folder.split("/") if folder else []
        for depth in range(len(parts)):
            wanted = self.alike(parts[depth])
            for place in self.variants("/".join(parts[:depth])):
                if wanted in self._folded(place).files:
                    return f"{'/'.join(parts[: depth + 1])} is a file or a link, not a folder"
        return None

    def names(self, folder: str) -> list[str]:
        """Paths of all that lies in a folder and in those that are the same on some volume."""
        found = []
        for place in self.variants(folder):
            listing = self.listing(place)
            if listing is not None:
                found += [f"{place}/{name}" if place else name for name in (*listing.files, *listing.folders)]
        return found

    def holds(self, path: str) -> bool:
        """True when there is a file at exactly this path."""
        folder, _, name = path.rpartition("/")
        listing = self.listing(folder)
        return listing is not None and name in listing.files
