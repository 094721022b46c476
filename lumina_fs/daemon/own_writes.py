"""What the daemon itself wrote, so that hearing of it makes no second work."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lumina_fs.durable import Disk, Item, Outcome, Written
from lumina_fs.file_state import FileStat, stat_of
from lumina_fs.roots import Root

_MOST = 50_000


class OwnWrites(Disk):
    """Writes like any Disk, and remembers how it left each file. A file that is still so was changed by nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self._left: dict[str, FileStat | None] = {}

    def write_batch(self, root: Root, items: Sequence[Item]) -> list[Outcome]:
        """The same, remembered."""
        outcomes = super().write_batch(root, items)
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, Written):
                self._remember(os.path.join(root.path, item.path), outcome.stat)
        return outcomes

    def move_new(self, old_root: Root, old: str, new_root: Root, new: str, *, durable: bool = True) -> bool:
        """The same, remembered."""
        moved = super().move_new(old_root, old, new_root, new, durable=durable)
        if moved:
            self._remember(os.path.join(old_root.path, old), None)
            target = os.path.join(new_root.path, new)
            self._remember(target, _stat(target))
        return moved

    def forget(self) -> None:
        """All is quiet: nothing more will be heard of what was written."""
        self._left.clear()

    def is_ours(self, path: str) -> bool:
        """True when the file at this absolute path is as this daemon left it."""
        return path in self._left and self._left[path] == _stat(path)

    def _remember(self, path: str, stat: FileStat | None) -> None:
        if len(self._left) >= _MOST:
            self._left.clear()
        self._left[path] = stat


def _stat(path: str) -> FileStat | None:
    try:
        return stat_of(os.lstat(path))
    except OSError:
        return None
