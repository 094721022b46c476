"""One unit from place to place and back, whatever a killed run left of it: decided by what lies on the disk."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lumina_fs.durable import TEMP_PREFIX
from lumina_fs.errors import LuminaError, Refused, WriteFailed
from lumina_fs.file_state import FileStat, stat_of
from lumina_fs.free_names import with_ending
from lumina_fs.plans.journal import History, Record
from lumina_fs.plans.ledger import Ledger
from lumina_fs.plans.places import AnyAction, Places, Step, steps_of
from lumina_fs.roots import Root
from lumina_fs.transfer import Changed, NotRenamed, Spot, Transfer, has_content

#: Added to the number of a file in the journal when it is copied on its way back.
_BACK = 1000
_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class UnitTransfer:
    """Carries units. `record` writes into the journal, `touch` is told of each folder that has to be synced."""

    def __init__(
        self,
        places: Places,
        history: History,
        seen: dict[tuple[str, str], FileStat],
        ledger: Ledger,
        record: Callable[[Iterable[Record]], None],
        touch: Callable[[Root, str], None],
    ) -> None:
        self._places = places
        self._history = history
        self._seen = seen
        self._ledger = ledger
        self._record = record
        self._touch = touch
        self._disk = places.catalog.disk
        self._transfer = Transfer(self._disk)
        self._made: set[tuple[str, str]] = set()

    # -- forward

    def carry(self, number: int, steps: Sequence[Step], *, resumed: bool) -> None:
        """Carry all files of a unit. Raises Refused, OSError, WriteFailed, Halted; a part of it may be carried then."""
        for file, step in enumerate(steps):
            if step.is_sidecar and (step.keep or not (resumed or step.old.info())):
                continue
            if resumed:
                self._carry_again(number, file, step)
            else:
                self._require_same(step)
                self._go(number, file, step)

    def _require_same(self, step: Step) -> None:
        """Raise Changed where a file is not the one that was checked."""
        if step.sha256 is None:
            return
        info, seen = step.old.info(), self._seen.get(step.old.names())
        if info is None:
            raise Changed("is not there any more", path=step.old.shown)
        if (seen is None or stat_of(info) != seen) and not has_content(step.old, step.sha256):
            raise Changed("it changed since it was checked", path=step.old.shown)

    def _go(self, number: int, file: int, step: Step) -> None:
        self._make_folder(step.new)
        if not step.keep:
            try:
                self._transfer.rename(step.old, step.new)
            except NotRenamed:
                pass
            else:
                self._touch(step.new.root, step.new.path)
                self._touch(step.old.root, step.old.path)
                return
        self._copy(number, file, step)

    def _copy(self, number: int, file: int, step: Step) -> None:
        """A verified copy, on the disk for good before the old file goes, where it goes."""
        seen = self._seen.get(step.old.names())
        info = step.old.info()
        if info is not None and seen is not None and stat_of(info) != seen:
            seen = None  # it was checked by its content
        temp = f"{TEMP_PREFIX}{os.getpid()}{self._ending(number, file)}"
        copied = self._transfer.copy(step.old, step.new, temp, sha256=step.sha256, seen=seen)
        try:
            self._record([{"record": "copied", "action": number, "file": file, "inode": copied.inode}])
        except LuminaError:
            self._disk.drop(step.new.root.place(step.new.path)[0], temp)
            raise
        self._transfer.publish(step.new, temp)
        if not step.keep:
            self._transfer.remove_twin(step.old, step.new, copied.source)
            self._touch(step.old.root, step.old.path)

    def _carry_again(self, number: int, file: int, step: Step) -> None:
        """The same for a step that may have been done, or half done, by a run that was killed."""
        old, new = step.old.info(), step.new.info()
        self._touch(step.old.root, step.old.path)
        if new is not None:
            self._touch(step.new.root, step.new.path)
        if new is None:
            if old is not None:
                self._require_content(step.old, step)
                self._go(number, file, step)
            elif not step.is_sidecar:
                raise Changed("is gone, and is not at its new place either", path=step.old.shown)
        elif old is None or step.keep:
            if step.keep and not self._is_ours(number, file, step):
                self._carry_over_claim(number, file, step)
            else:
                self._require_content(step.new, step)
        elif os.path.samestat(old, new):  # linked, and not yet unlinked
            self._transfer.drop_second_name(step.old, step.new)
        elif self._is_ours(number, file, step):
            self._remove_old(number, file, step)
        else:
            self._carry_over_claim(number, file, step)

    def _remove_old(self, number: int, file: int, step: Step) -> None:
        """Both are there, and one is our copy of the other: it may lack what was written since."""
        seen = step.old.info()
        same = seen is not None and has_content(step.old, step.sha256) and has_content(step.new, step.sha256)
        if same and step.is_sidecar and _bytes(step.old) != _bytes(step.new):
            self._let_newer_live(number, file, step)
            return
        if seen is None or not same:
            raise Changed("it was changed while the plan was interrupted; both files stay", path=step.old.shown)
        self._disk.sync_folder(
            step.new.root, step.new.path.rpartition("/")[0]
        )  # the killed run may not have come to it
        self._transfer.remove_twin(step.old, step.new, stat_of(seen))

    def _let_newer_live(self, number: int, file: int, step: Step) -> None:
        """A person saved one of two copies of a sidecar: that one goes on, the other is kept under a clear name."""
        old, new = step.old.info(), step.new.info()
        assert old is not None
        assert new is not None
        older = step.new if old.st_mtime_ns >= new.st_mtime_ns else step.old
        folder, slash, name = older.path.rpartition("/")
        kept = Spot(older.root, folder + slash + with_ending(name, f".lumina-kept-{secrets.token_hex(4)}"))
        self._transfer.rename(older, kept)
        self._touch(older.root, older.path)
        if older is step.new:
            self._go(number, file, step)

    def _carry_over_claim(self, number: int, file: int, step: Step) -> None:
        if not self._drop_claim(number, file, step):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), step.new.path)
        self._require_content(step.old, step)
        self._go(number, file, step)

    def _drop_claim(self, number: int, file: int, step: Step) -> bool:
        """Remove an empty file of ours that holds the name, where a file system has no other way to take one."""
        info = step.new.info()
        claimed = info is not None and info.st_size == 0 and step.sha256 != _EMPTY
        if not claimed or (number, file) not in self._history.copied:
            return False
        self._transfer.drop_empty(step.new)
        return True

    # -- back

    def take_back(self, number: int, steps: Sequence[Step], *, finished: bool) -> None:
        """Bring all files of a unit back where they were; `finished`: it is known to have been carried.

        Raises Refused, OSError, WriteFailed, Halted.
        """
        ours = [self._is_ours(number, file, step) for file, step in enumerate(steps)]
        for file, step in reversed(list(enumerate(steps))):
            self._touch(step.old.root, step.old.path)
            if not step.keep:
                self._bring_back(number, file, step, finished=finished)
            elif ours[0 if step.is_sidecar else file]:
                self._discard_copy(number, file, step)
            elif not step.is_sidecar and self._drop_claim(number, file, step):
                self._touch(step.new.root, step.new.path)
            elif finished and not step.is_sidecar and step.new.info() is not None:
                raise Changed("is not the copy that was made; it stays", path=step.new.shown)

    def _bring_back(self, number: int, file: int, step: Step, *, finished: bool) -> None:
        old, new = step.old.info(), step.new.info()
        turned = step._replace(old=step.new, new=step.old)
        if new is None:
            if old is None and not step.is_sidecar:
                raise Changed("is neither where it was nor where it went", path=step.old.shown)
            return
        self._touch(step.new.root, step.new.path)
        if old is None:
            self._require_content(step.new, step)
            self._go(number, file + _BACK, turned)
        elif os.path.samestat(old, new):
            self._transfer.drop_second_name(step.new, step.old)
        elif self._drop_claim(number, file + _BACK, turned):
            self._go(number, file + _BACK, turned)
        elif self._is_ours(number, file, step) or self._is_ours(number, file + _BACK, turned):
            self._remove_old(number, file + _BACK, turned)
        elif not self._drop_claim(number, file, step) and finished:
            raise Changed("its place was taken meanwhile; it stays where it is now", path=step.old.shown)

    def _discard_copy(self, number: int, file: int, step: Step) -> None:
        """A copy that is not wanted any more goes to the trash: nothing but emptying it removes a photo."""
        if step.new.info() is not None:
            trash = self._ledger.place_for_copy(number, step)
            self._touch(trash.root, trash.path)
            self._carry_again(number, file + _BACK, step._replace(old=step.new, new=trash, keep=False))

    # -- what lies there

    def _is_ours(self, number: int, file: int, step: Step) -> bool:
        """True when the file at the new place is the verified copy that the journal tells of."""
        inode = self._history.copied.get((number, file))
        info = step.new.info() if inode is not None else None
        return info is not None and info.st_ino == inode

    @staticmethod
    def _require_content(spot: Spot, step: Step) -> None:
        if not has_content(spot, step.sha256):
            raise Changed("its content is not what the plan says; it stays where it is", path=spot.shown)

    def _make_folder(self, spot: Spot) -> None:
        folder = spot.path.rpartition("/")[0]
        if folder and (spot.root.path, folder) not in self._made:
            self._disk.make_directory(spot.root, folder)
            self._made.add((spot.root.path, folder))

    def _ending(self, number: int, file: int) -> str:
        return f"-{self._places.plan_id[-12:]}-{number}-{file}"

    def drop_leftovers(self, numbers: Iterable[int], actions: Sequence[AnyAction]) -> None:
        """Remove the temporaries that a killed run of this plan left beside the places of these actions."""
        mark = f"-{self._places.plan_id[-12:]}-"
        folders: dict[tuple[str, str], Any] = {}
        for number in numbers:
            for step in steps_of(self._places, actions[number]):
                for spot in (step.old, step.new):
                    folders[spot.root.path, spot.path.rpartition("/")[0]] = spot.root
        for (_, path), root in folders.items():
            try:
                directory = root.directory(path)
                names = os.listdir(directory)
            except (OSError, Refused, WriteFailed):
                continue
            for name in names:
                if name.startswith(TEMP_PREFIX) and mark in name:
                    self._disk.drop(directory, name)


def _bytes(spot: Spot) -> bytes:
    fd = spot.root.open_file(spot.path)
    with open(fd, "rb") as file:
        return file.read()
