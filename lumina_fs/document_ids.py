"""Documents that lie in one folder, each in a file named by its id: which there are, and which one a person means."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lumina_fs.errors import UsageError
from lumina_fs.roots import Root

_ENDING = ".json"


def ids_in(root: Root, folder: str) -> list[str]:
    """The ids of the documents in a folder, oldest first (ids are made in the order of time)."""
    try:
        names = os.listdir(root.directory(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING) and name.count(".") == 1)


def matching(ids: Sequence[str], reference: str) -> list[str]:
    """The id that was given, else all that start or end so."""
    return [i for i in ids if i == reference] or [i for i in ids if i.startswith(reference) or i.endswith(reference)]


def the_one(found: Sequence[str], reference: str, missing: str) -> str:
    """The only id that was found. Raises UsageError: with `missing` where there is none, else with all of them."""
    if len(found) > 1:
        raise UsageError(f"{reference!r} may be any of {', '.join(found)}; give more of the id")
    if not found:
        raise UsageError(missing)
    return found[0]
