"""Which sidecar belongs to which original after files were moved, copied, replaced or lost in one source."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lumina_fs import compose
from lumina_fs.catalog import MAIN
from lumina_fs.documents import Stored
from lumina_fs.errors import CorruptDocument, WriteFailed
from lumina_fs.history import Copied
from lumina_fs.identity import pair
from lumina_fs.index_session import IndexWriter
from lumina_fs.ingest import Ingest, Known
from lumina_fs.progress import Event, Ingested, Note, Trouble
from lumina_fs.sidecars import ORPHAN, SUFFIX, Sidecars, path_of
from lumina_fs.survey import Survey
from lumina_fs.worker import Answer, Job
from schemas.document import new_id
from schemas.names import decode_name, encode_name

Value = dict[str, Any]


class Newcomer(NamedTuple):
    """A sidecar at a path that was not recorded before: which id it has, and where that id was first seen."""

    path: str
    id: str
    first_path: str


class Lost(NamedTuple):
    """A sidecar without its original, which was at `path`; the sidecar lies at `sidecar`."""

    path: str
    sidecar: str
    sha256: str
    orphan: bool = False
    """True for one that was put aside when other content took its original's place, some scans ago."""
    elsewhere: bool = False
    """True for one that this scan did not come by: recorded as missing, or gone since, or where it did not look."""
    told: bool = False
    """True for one that said itself that its original is missing, and so was counted."""


@dataclass(slots=True)
class Whereabouts:
    """Where originals went. `may_write` False: nothing but rows may change (reconcile)."""

    source: str
    sidecars: Sidecars
    ingest: Ingest
    writer: IndexWriter
    survey: Survey
    now: str
    may_write: bool
    root: str
    lies_elsewhere: Callable[[str, str, str], bool]
    """Whether a sidecar of an id lies at a path of another source, which may be away."""
    lost: dict[str, list[Lost]] = field(default_factory=dict)
    alone: dict[str, set[str]] = field(default_factory=dict)
    """By id where sidecars lie without their original."""
    held: list[tuple[Job, Answer]] = field(default_factory=list)
    replacing: list[tuple[Job, Stored, Value, Answer]] = field(default_factory=list)
    copied: list[Copied] = field(default_factory=list)
    fresh: list[tuple[Job, Answer]] = field(default_factory=list)
    _doubtful: set[str] = field(default_factory=set)
    """Originals whose turn comes, because the survey could not tell that they are as before."""

    # -- before originals are opened

    def tell_copies(self, newcomers: list[Newcomer]) -> Iterator[Event]:
        """A sidecar that was copied with its photo has the id of another: one path keeps it. One that moved is told."""
        self._doubtful = {one.found.path for one in self.survey.doubtful}
        by_id: dict[str, list[Newcomer]] = {id_: [] for id_ in self.alone}
        for one in newcomers:
            by_id.setdefault(one.id, []).append(one)
        places = self._places(list(by_id))
        for id_, group in by_id.items():
            recorded = {decode_name(path) for source, path in places.get(id_, ()) if source == self.source}
            left = yield from self._tell_from_other_sources(id_, group, recorded, places.get(id_, ()))
            appeared = {one.path for one in left}
            others = (recorded | self.alone.get(id_, set())) - {one.path for one in group}
            if len(appeared) + len(others) > 1:
                yield from self._tell_copies_of(id_, left, others)
            if self.ingest.due():
                yield from self.ingest.flush()
        yield from self.ingest.flush()
        yield from self._link_copies()

    def _tell_from_other_sources(
        self, id_: str, group: list[Newcomer], recorded: set[str], places: Sequence[tuple[str, str]]
    ) -> Generator[Event, None, list[Newcomer]]:
        """A sidecar that lies in another source keeps its id; returns the newcomers that are no copies of it.

        Of two that were recorded with one id, in an index that was made anew, the first source's keeps it.
        """
        for source, encoded in sorted(places, key=lambda place: (_rank(place[0]), place[1])):
            first = _rank(source) < _rank(self.source)
            copies = [one for one in group if first or one.path not in recorded]
            if source == self.source or not copies or not self.lies_elsewhere(source, decode_name(encoded), id_):
                continue
            for one in copies:
                yield from self._give_new_id(one.path, f"{encoded} in source {source}")
            return [one for one in group if one not in copies]
        return group

    def _tell_copies_of(self, id_: str, group: list[Newcomer], others: set[str]) -> Iterator[Event]:
        """Of one id: `group` are sidecars that appeared with their photos, `others` are where else it is or was."""
        appeared = {one.path for one in group}
        here = {path for path in others if path not in self.survey.vanished and path not in self.survey.widowed}
        here = {path for path in here if self.is_there(path) and self._may_have(path, id_)}
        gone = others - here
        keeper = _keeper(group, here, self.alone.get(id_, set()))
        if gone and keeper in appeared:
            self.ingest.count_first(keeper, "moved")
            yield Ingested(self.source, keeper, "moved")
        own = {self.sidecars.path(path) for path in appeared}  # also of a row that has but the cut name
        for path in sorted(gone - {keeper}):
            left = None if self.sidecars.path(path) in own else self.sidecars.find_usable(path)
            if left is not None:  # a sidecar that was copied, and stayed where its photo is no more
                if left[1]["id"] == id_:
                    yield from self._give_new_id(path, keeper, known=False)
            elif keeper in appeared and path not in self.survey.vanished and path not in self.survey.widowed:
                self.ingest.removed(path)
        for path in sorted({*appeared, *here} - {keeper}):
            yield from self._give_new_id(path, keeper)

    def _may_have(self, path: str, id_: str) -> bool:
        """False where the sidecar at a path is gone, or has another id than was recorded of it."""
        try:
            found = self.sidecars.find(path)
        except (CorruptDocument, OSError):
            return True
        return found is not None and found[1]["id"] == id_

    def _places(self, ids: list[str]) -> dict[str, list[tuple[str, str]]]:
        """Where these ids are recorded: sources and encoded paths."""
        found: dict[str, list[tuple[str, str]]] = {}
        return self.writer.ask(lambda index: index.paths_of(ids), found) if ids else found

    def _give_new_id(self, path: str, keeper: str, *, known: bool = True) -> Iterator[Event]:
        if not self.may_write:
            self.ingest.leave(path)
            return
        found = self.sidecars.find_usable(path)
        if found is None:
            return
        stored, value = found
        fresh_id = new_id()

        def renamed(current: Value | None) -> Value:
            assert current is not None
            return {**current, "id": fresh_id}

        original = value["original"]
        times = Known(original["size"], original["mtime_ns"]) if known else None
        if known:
            self._count_copy(path)
        self.ingest.put(path, stored, renamed, outcome="updated", known=times)
        self.copied.append(Copied(fresh_id, path, value["id"]))
        yield Note(
            f"{path}: its sidecar is a copy of that of {keeper}; it keeps its curation and gets an id of its own"
        )

    def _count_copy(self, path: str) -> None:
        """An original with a copied sidecar is updated, also where its turn does not come: the survey saw no change."""
        if path not in self._doubtful:
            if os.path.dirname(path) in self.survey.walked:
                self.ingest.counts.unchanged -= 1
            else:
                self.ingest.counts.found += 1
        self.ingest.count_first(path, "updated")

    def _link_copies(self) -> Iterator[Event]:
        """What was said of a photo before it was copied is found from the copy too."""
        copied, self.copied = self.copied, []
        if self.sidecars.history is None:
            return
        try:
            self.sidecars.history.link(copied)
        except WriteFailed as error:
            yield Trouble(self.source, copied[0].path, "not_written", f"the history of its copies: {error}")

    def read_widowed(self) -> Iterator[Event]:
        """Sidecars without originals: by content, so that an original that appears elsewhere finds its own."""
        for path in sorted(self.survey.widowed):
            try:
                found = self.sidecars.find(path)
            except CorruptDocument as error:
                yield self.ingest.corrupt(path, error)
                continue
            except OSError:
                continue
            if found is not None:
                whole = path_of(found[1], path + SUFFIX, self.root)
                self.survey.widowed.remove(path)
                self.survey.widowed.add(whole)
                self._lose(whole, self.sidecars.path(path), found[1])
                self.alone.setdefault(found[1]["id"], set()).add(whole)

    def _read_orphans(self) -> None:
        """The same for sidecars of replaced contents. They pile up, and matter only when some content appears."""
        orphans, self.survey.orphans = self.survey.orphans, []
        for sidecar in sorted(orphans):
            value = self.sidecars.orphan_value(sidecar)
            if value is not None:
                self._lose(sidecar.partition(ORPHAN)[0], self.sidecars.prefix + sidecar, value, orphan=True)

    def _lose(self, path: str, sidecar: str, value: Value, *, orphan: bool = False) -> None:
        sha256 = value["original"].get("sha256") or ""
        self.lost.setdefault(sha256, []).append(Lost(path, sidecar, sha256, orphan))

    # -- while they are opened

    def appeared(self, job: Job, answer: Answer) -> None:
        """A file without sidecar: a new original, or one that lost its sidecar by moving. `settle` tells which."""
        self.fresh.append((job, answer))

    def settle(self) -> None:
        """Tell the new originals among those that appeared from those whose sidecars lie elsewhere."""
        appeared, self.fresh = self.fresh, []
        if not appeared:
            return
        self._read_orphans()
        self._look_elsewhere({answer.sha256 for _, answer in appeared})
        for job, answer in appeared:
            lost = self.lost.get(answer.sha256, [])
            if len(lost) == 1 and os.path.basename(lost[0].path) == os.path.basename(job.path):
                self._follow(lost.pop(), job, answer)
            elif lost:
                self.held.append((job, answer))
            else:
                self.ingest.add(job.path, answer.blocks, _known(answer))

    def _look_elsewhere(self, digests: set[str]) -> None:
        """Contents whose recorded originals are not there (any more), although the survey does not say so."""
        places: dict[str, list[str]] = {}
        places = self.writer.ask(lambda index: index.paths_with(self.source, sorted(digests)), places)
        for sha256, encoded in places.items():
            known = {one.path for one in self.lost.get(sha256, [])}
            for path in map(decode_name, encoded):
                if path in known or path in self.survey.widowed or self.is_there(path):
                    continue
                found = self.sidecars.find_usable(path)
                if found is not None and found[1]["original"].get("sha256") == sha256:
                    told = "missing_since" in found[1]["original"]
                    lost = Lost(path, self.sidecars.path(path), sha256, elsewhere=True, told=told)
                    self.lost.setdefault(sha256, []).append(lost)

    def is_there(self, path: str) -> bool:
        """Whether a file lies there now; one that cannot be asked for is taken to."""
        try:
            os.lstat(os.path.join(self.root, path))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True

    def replaced(self, job: Job, stored: Stored, value: Value, answer: Answer) -> None:
        """Other content under a known name is a new original: its sidecar is put aside when all were looked at."""
        self.replacing.append((job, stored, value, answer))

    def put_aside(self) -> Iterator[Event]:
        """Keep the sidecars of what was replaced, under other names; they are never applied to the new content."""
        for job, stored, value, answer in self.replacing:
            yield from self._put_aside(job, stored, value, answer)
        self.replacing.clear()

    def _put_aside(self, job: Job, stored: Stored, value: Value, answer: Answer) -> Iterator[Event]:
        self.writer.before_files_change()
        try:
            kept = self.sidecars.orphan(job.path, stored)
        except OSError as error:
            self.ingest.failed(job.path)
            yield Trouble(self.source, job.path, "not_written", f"its sidecar: {error.strerror}")
            return
        self._lose(job.path, kept, value)
        self.held.append((job, answer))

    def _follow(self, lost: Lost, job: Job, answer: Answer) -> None:
        """Let the sidecar follow its original; where it cannot, the original gets a fresh one."""
        self.writer.before_files_change()
        stored = None
        if self.sidecars.adopt(lost.sidecar, job.path):
            stored = self.sidecars.read(job.path)
        if stored is None:
            self.ingest.add(job.path, answer.blocks, _known(answer))
            return
        self.ingest.counts.missing -= lost.told and self.ingest.counts.missing > 0
        if lost.path in self.survey.widowed or lost.elsewhere:  # else another file lies there, with its own row
            self.survey.widowed.discard(lost.path)
            self.ingest.removed(lost.path)
        self.ingest.refresh(job.path, stored, answer.blocks, "moved", _known(answer))

    # -- after

    def pair_held(self) -> Iterator[Event]:
        """Give held files the sidecars that are theirs; the rest are new."""
        by_content: dict[str, dict[str, tuple[Job, Answer]]] = {}
        if self.held:
            self._read_orphans()
            self._look_elsewhere({answer.sha256 for _, answer in self.held})
        for job, answer in self.held:
            by_content.setdefault(answer.sha256, {})[job.path] = (job, answer)
        replaced = {job.path for job, _ in self.held if job.expected is not None}
        for sha256, new in sorted(by_content.items()):
            while new and self.lost.get(sha256):  # several may be of one path: that of a very long name is cut
                lost = {one.path: one for one in sorted(self.lost[sha256], key=lambda one: not one.orphan)}
                for old_path, new_path in pair(list(lost), list(new)):
                    self.lost[sha256].remove(lost[old_path])
                    self._follow(lost[old_path], *new.pop(new_path))
            for job, answer in new.values():
                outcome = "updated" if job.path in replaced else "added"
                self.ingest.add(job.path, answer.blocks, _known(answer), outcome=outcome)
        self.held.clear()
        yield from self._tell_orphans(replaced)

    def _tell_orphans(self, replaced: set[str]) -> Iterator[Event]:
        for lost in [one for group in self.lost.values() for one in group if one.path in replaced and not one.orphan]:
            self.lost[lost.sha256].remove(lost)
            yield Note(
                f"{lost.path} has other content than before: it is a new original now. "
                f"The sidecar of the old one is kept as {lost.sidecar}"
            )

    def leave_missing(self) -> Iterator[Event]:
        """What is gone and came back nowhere: its sidecar stays and says so. Without a sidecar it is forgotten."""
        for lost in [one for group in self.lost.values() for one in group if not one.orphan and not one.elsewhere]:
            self.ingest.counts.missing += 1
            self._leave_one(lost.path)
            if self.ingest.due():
                yield from self.ingest.flush()
        added = {found.path for found in self.survey.fresh} if self.may_write else set()
        for path in self.survey.vanished:
            if path not in self.survey.widowed and path not in added:
                self.ingest.removed(path)
        for path in self.survey.ignored:
            self.ingest.removed(path)

    def _leave_one(self, path: str) -> None:
        found = self.sidecars.find_usable(path)
        if found is None:
            return
        stored, value = found
        if "missing_since" in value["original"] or not self.may_write:
            self.ingest.record(path, stored, value, None)
        else:
            self.ingest.put(path, stored, self._say_missing, outcome="missing", known=None)

    def _say_missing(self, current: Value | None) -> Value:
        assert current is not None
        return compose.missing(current, self.now)


def _keeper(group: list[Newcomer], here: set[str], alone: set[str]) -> str:
    """The path that keeps an id: where it was first seen, else where it was known before, else the first by name.

    Of sidecars that lie `alone` one keeps it only where no other is with its photo.
    """
    for one in group:
        if one.first_path == encode_name(one.path):
            return one.path
    return min(here or {one.path for one in group} or alone)


def _rank(source: str) -> tuple[bool, str]:
    """The order of sources: the catalog's own folder, then the others by name."""
    return source != MAIN, source


def _known(answer: Answer) -> Known:
    return Known(answer.size, answer.mtime_ns, answer.settled)
