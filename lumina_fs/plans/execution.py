"""A plan on its way, forward or back: batches of actions between two durable lines of the journal.

Intents are on the disk before a file is touched, files and their folders before `done`. What a killed run left open is
decided by the journal and by what lies on the disk, so every step may be asked for again.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lumina_fs.errors import Halted, LuminaError, Refused, WriteFailed
from lumina_fs.file_state import FileStat
from lumina_fs.plans.documents_of_units import Documents
from lumina_fs.plans.journal import Journal, Record
from lumina_fs.plans.ledger import Ledger
from lumina_fs.plans.places import AnyAction, Places, Step, steps_of
from lumina_fs.plans.rows import Rows
from lumina_fs.plans.unit_transfer import UnitTransfer
from lumina_fs.progress import Event, Progress, Throttle, Trouble
from lumina_fs.roots import Root
from schemas.names import decode_name, encode_name
from schemas.plan import Copy, Edit, Move, Plan, Restore, Skip, Trash

#: Actions, and bytes that have to be copied, between two lines of the journal.
_BATCH = 512
_BYTES = 256 << 20


@dataclass(slots=True)
class Failure:
    """An action that could not be done (or undone); its unit lies whole where it was."""

    action: int
    source: str
    path: str
    why: str


@dataclass(slots=True)
class Execution:
    """One run. Raises Halted where nothing more can be decided now: the journal, or a folder, could not be written."""

    plan: Plan
    places: Places
    journal: Journal
    rows: Rows
    seen: dict[tuple[str, str], FileStat]
    cancel: threading.Event
    failures: list[Failure] = field(default_factory=list)
    gave_way: list[Failure] = field(default_factory=list)
    _touched: dict[tuple[str, str], Root] = field(default_factory=dict)
    _known: dict[int, list[Step]] = field(default_factory=dict)
    _throttle: Throttle = field(default_factory=Throttle)
    _units: UnitTransfer = field(init=False)
    _documents: Documents = field(init=False)
    _ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self._ledger = Ledger(self.places, self.plan)
        self._documents = Documents(self.places, self.plan, self._steps)
        self._units = UnitTransfer(self.places, self.journal.history, self.seen, self._ledger, self.record, self._touch)

    # -- forward

    def forward(self, *, stop_at_failure: bool) -> Generator[Event, None, None]:
        """Do what is not done. Ends early when cancelled, or at a failure if so wished."""
        history = self.journal.history
        todo = [
            number
            for number, action in enumerate(self.plan.actions)
            if number not in history.done and not isinstance(action, Skip)
        ]
        self._units.drop_leftovers(history.open_actions, self.plan.actions)
        total, done = len(todo), 0
        for batch in self._batches(todo):
            if self.cancel.is_set() or (stop_at_failure and self.failures):
                return
            resumed = history.intended & set(batch)
            self._intend(batch)
            went = self._each(batch, resumed, stop_at_failure=stop_at_failure)
            yield from self._settle(went, "done")
            done += len(batch)
            if self._throttle.due() or done == total:
                yield Progress("applying", done, total, "actions")

    def _intend(self, batch: list[int]) -> None:
        self.places.forget()
        self.rows.before()
        records: list[Record] = [{"record": "intent", "action": number} for number in batch]
        records += [
            {"record": "made", "source": source, "path": encode_name(path)} for source, path in self._missing(batch)
        ]
        self.record(records)

    def _missing(self, batch: list[int]) -> Iterator[tuple[str, str]]:
        """Folders of sources that have to be made for these actions, outer ones first."""
        known: set[tuple[str, str]] = set()
        for number in batch:
            action = self.plan.actions[number]
            if not isinstance(action, (Move, Copy, Restore)):
                continue
            source = action.source if isinstance(action, Restore) else action.to.source
            for step in self._steps(number):
                if step.new.root is not self.places.root(source):
                    continue
                parts = step.new.path.split("/")[:-1]
                for depth in range(len(parts)):
                    path = "/".join(parts[: depth + 1])
                    if (source, path) not in known:
                        known.add((source, path))
                        if not os.path.isdir(os.path.join(step.new.root.path, path)):
                            yield source, path

    def _each(self, batch: list[int], resumed: set[int], *, stop_at_failure: bool) -> list[int]:
        """Do the actions of a batch; those that went well. The others are taken back at once."""
        trashed = [number for number in batch if isinstance(self.plan.actions[number], Trash)]
        went: list[int] = []
        for number in batch:
            if self.cancel.is_set():
                break
            try:
                if number in trashed:
                    self._ledger.write_manifests(trashed)
                    trashed = []
                self._units.carry(number, self._steps(number), resumed=number in resumed)
                went.append(number)
            except (LuminaError, OSError) as error:
                self._fail(number, error)
                if stop_at_failure:
                    break
        return went

    def _settle(self, went: list[int], word: str) -> Iterator[Event]:
        """Bring on the disk what was done, let documents and index follow, and say so in the journal."""
        self._sync()
        wrong = self._documents.follow([(number, self.plan.actions[number]) for number in went], back=False)
        for number, error in wrong.items():
            went.remove(number)
            self._fail(number, error)
        yield from self._tell_lost(went)
        yield from self._tell(went, word)

    def _tell_lost(self, went: list[int]) -> Iterator[Event]:
        """Wishes that gave way to what a person wrote while the plan was carried out."""
        for number in went:
            lost = self._documents.lost.pop(number, None)
            if lost:
                action = self.plan.actions[number]
                why = f"somebody changed {', '.join(lost)} meanwhile, and that stays; see lumina history"
                self.gave_way.append(Failure(number, action.source, decode_name(action.path), why))
                yield Trouble(action.source, action.path, "gave_way", why)

    def _tell(self, went: list[int], word: str) -> Iterator[Event]:
        try:
            self._ledger.write_audit(went, back=word == "rolled_back")
        except WriteFailed as error:
            yield Trouble("", "", "not_written", f"the audit {error}; the journal of the plan has it all")
        self.record([{"record": word, "action": number} for number in went])
        for number in went:
            for source, path in places_of(self.plan.actions[number]):
                self.rows.look_again(source, path)
        self.rows.flush()

    def _fail(self, number: int, error: Exception) -> None:
        """Take a unit back where it was, and note why."""
        if isinstance(error, Halted):
            raise error
        why = reason(error)
        try:
            self._documents.undo_edit(self.plan.actions[number])
            self._units.take_back(number, self._steps(number), finished=False)
            self._documents.follow([(number, self.plan.actions[number])], back=True)
            self._sync()
        except (LuminaError, OSError) as second:
            raise Halted(
                f"action {number + 1} failed ({why}) and could not be taken back ({reason(second)}); "
                "no file is lost. Next: lumina plan resume or lumina plan rollback",
                path=decode_name(self.plan.actions[number].path),
            ) from error
        self.record([{"record": "failed", "action": number, "why": why}])
        self._note(number, why)

    def _note(self, number: int, why: str) -> None:
        action = self.plan.actions[number]
        self.failures.append(Failure(number, action.source, decode_name(action.path), why))

    # -- back

    def back(self) -> Generator[Event, None, None]:
        """Undo all that was done or begun, last first. What cannot go back is among the failures, and stays."""
        history = self.journal.history
        todo = sorted((history.intended - history.rolled_back) - set(history.failed), reverse=True)
        self._units.drop_leftovers(history.open_actions, self.plan.actions)
        total, done = len(todo), 0
        for batch in self._batches(todo):
            self.places.forget()
            self.rows.before()
            yield from self._back_batch(batch)
            done += len(batch)
            if self._throttle.due() or done == total:
                yield Progress("rolling back", done, total, "actions")
        self.remove_folders(history.made)

    def _back_batch(self, batch: list[int]) -> Iterator[Event]:
        history = self.journal.history
        went: list[int] = []
        for number in batch:
            try:
                self._documents.undo_edit(self.plan.actions[number])
                self._units.take_back(number, self._steps(number), finished=number in history.done)
                went.append(number)
            except (Refused, OSError, WriteFailed) as error:
                self._note(number, reason(error))
        self._sync()
        wrong = self._documents.follow([(number, self.plan.actions[number]) for number in went], back=True)
        for number, why in wrong.items():
            self._note(number, reason(why))
        yield from self._tell([number for number in went if number not in wrong], "rolled_back")

    def remove_folders(self, made: Iterable[tuple[str, str]]) -> None:
        """Remove folders that a plan made, inner ones first, where nothing lies in them."""
        self.places.forget()
        for source, path in sorted(set(made), key=lambda one: one[1].count("/"), reverse=True):
            with contextlib.suppress(LuminaError):
                self.places.catalog.disk.remove_empty_folder(self.places.root(source), path)

    # -- inner parts

    def record(self, records: Iterable[Record]) -> None:
        """Write into the journal, durably. Raises Halted, or WriteFailed where nothing was begun yet."""
        begun = self.journal.history.begin is not None
        try:
            self.journal.append(records)
        except WriteFailed as error:
            if not begun:
                raise WriteFailed(
                    f"the journal {error}; nothing was touched, and the plan is approved as before. When the disk "
                    "can be written to: lumina plan apply"
                ) from error
            raise Halted(
                f"the journal {error}; the plan stopped there, and no file is lost. When the disk can be written to: "
                "lumina plan resume or lumina plan rollback"
            ) from error

    def _steps(self, number: int) -> list[Step]:
        """The files of an action, remembered as long as its batch lasts."""
        if number not in self._known:
            self._known[number] = steps_of(self.places, self.plan.actions[number])
        return self._known[number]

    def _batches(self, numbers: Iterable[int]) -> Iterator[list[int]]:
        """Neighbouring actions that have no place in common, so that their order on the disk does not matter."""
        batch: list[int] = []
        used: set[Any] = set()
        weight = 0
        for number in numbers:
            action = self.plan.actions[number]
            keys = [key for step in self._steps(number) for key in (step.old.names(), step.new.names())]
            if isinstance(action, Edit):
                keys = [self.places.spot(action.source, decode_name(action.path)).names()]
            if batch and (len(batch) >= _BATCH or weight > _BYTES or not used.isdisjoint(keys)):
                yield batch
                batch, used, weight = [], set(), 0
                self._known = {number: self._known[number]}
            batch.append(number)
            used.update(keys)
            weight += action.size if self._is_copied(action) else 0
        if batch:
            yield batch

    def _is_copied(self, action: AnyAction) -> bool:
        return isinstance(action, Copy) or (isinstance(action, Move) and action.to.source != action.source)

    def _touch(self, root: Root, path: str) -> None:
        """A name came into, or left, the folder of this path."""
        self._touched[root.path, path.rpartition("/")[0]] = root

    def _sync(self) -> None:
        """Each folder that was touched, once. Raises Halted: what an unsynced folder holds, nobody can say."""
        touched, self._touched = self._touched, {}
        for (_, path), root in touched.items():
            try:
                self.places.catalog.disk.sync_folder(root, path)
            except OSError as error:
                raise Halted(
                    f"the folder could not be brought on the disk: {error.strerror}. The plan stopped there, and no "
                    "file is lost. Next: lumina plan resume or lumina plan rollback",
                    path=os.path.join(root.path, path),
                ) from error


def places_of(action: AnyAction) -> list[tuple[str, str]]:
    """(source, path) of every original that an action concerns."""
    found = [(action.source, decode_name(action.path))]
    if isinstance(action, (Move, Copy)):
        found.append((action.to.source, decode_name(action.to.path)))
        found += [(action.to.source, decode_name(one.to)) for one in action.companions if one.to]
    found += [(action.source, decode_name(one.path)) for one in action.companions]
    return found


def reason(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, FileExistsError):
        return "the name is taken by now; nothing was overwritten"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
