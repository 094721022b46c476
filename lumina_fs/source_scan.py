"""One source of a scan: from the survey to sidecars and rows; moves, copies and replacements are told apart."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from index.protocol import IndexUnavailable, IndexUnusable
from lumina_fs import compose
from lumina_fs.catalog import Source
from lumina_fs.documents import Stored
from lumina_fs.errors import CorruptDocument
from lumina_fs.filetypes import Identified, by_extension, identify
from lumina_fs.identity import pair
from lumina_fs.index_session import IndexWriter
from lumina_fs.ingest import Ingest, Known
from lumina_fs.progress import Event, Ingested, Note, Progress, Trouble
from lumina_fs.recipe import wanted as lacking
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars
from lumina_fs.survey import RACY, Doubtful, Found, Survey, in_order, other_fingerprint
from lumina_fs.worker import Answer, Job
from schemas.document import new_id
from schemas.names import decode_name, encode_name

Value = dict[str, Any]
Runner = Callable[[Iterator[Sequence[Job]]], Iterator[tuple[Job, Answer]]]


class _Read(NamedTuple):
    """A sidecar that lies there, with the original beside it."""

    doubtful: Doubtful
    stored: Stored
    value: Value

    @property
    def path(self) -> str:
        return self.doubtful.found.path


class _Lost(NamedTuple):
    """A sidecar without its original: `sidecar` is where it lies, `path` where the original was."""

    path: str
    sidecar: str
    value: Value
    stored: Stored


@dataclass(slots=True)
class Counts:
    """What happened in one source."""

    found: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    missing: int = 0
    problems: int = 0

    def add(self, other: Counts) -> None:
        """Sum up."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class SourceScan:
    """The scan of one source. `run` is how originals are opened; None means that none may be (reconcile)."""

    source: Source
    root: Root
    sidecars: Sidecars
    ingest: Ingest
    writer: IndexWriter
    survey: Survey
    run: Runner | None
    cancel: threading.Event
    rehash: bool = False
    now: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
    counts: Counts = field(default_factory=Counts)
    lost: dict[str, list[_Lost]] = field(default_factory=dict)
    held: list[tuple[Job, Answer]] = field(default_factory=list)
    reads: dict[str, _Read] = field(default_factory=dict)
    done: int = 0
    todo: int = 0

    def events(self) -> Iterator[Event]:
        """Do it, and tell."""
        self.counts.found = self.survey.present
        self.counts.unchanged = self.survey.unchanged
        self.counts.missing = self.survey.missing
        for path, reason in self.survey.unreadable:
            yield (Trouble(self.source.name, path, "unreadable", f"cannot be read: {reason}"))
        yield from self._look_into_unsure()
        yield from self._read_doubtful()
        yield from self._tell_copies()
        yield from self._read_widowed()
        changed = list(self._changed())
        self.todo = len(changed) + len(self.survey.fresh)
        if self.run is not None:
            yield from self._open(self.run(_batched(changed)))
            fresh = in_order(self.survey.fresh)
            yield from self._open(self.run([self._job(found) for found in batch] for batch in fresh))
        yield from self._pair()
        yield from self._leave_missing()
        yield from self.ingest.flush()

    # -- what the listing left open

    def _look_into_unsure(self) -> Iterator[Event]:
        """Files whose names say nothing: their first bytes do."""
        if self.run is None:
            return
        for found in self.survey.unsure:
            try:
                fd = self.root.open_file(found.path)
                try:
                    head = os.read(fd, 4096)
                finally:
                    os.close(fd)
            except OSError:
                continue
            if identify(os.path.basename(found.path), head) is None:
                self.ingest.other(found.path, other_fingerprint(found.size, found.mtime_ns))
            else:
                self.survey.fresh.append(found)
                self.counts.found += 1
            if self.ingest.due():
                yield from self.ingest.flush()

    def _read_doubtful(self) -> Iterator[Event]:
        total = len(self.survey.doubtful)
        for number, doubtful in enumerate(self.survey.doubtful):
            if self.cancel.is_set():
                return
            yield from self._read_one(doubtful)
            if number % 512 == 511:
                yield Progress("reading sidecars", number + 1, total, "sidecars")

    def _read_one(self, doubtful: Doubtful) -> Iterator[Event]:
        path = doubtful.found.path
        try:
            stored = self.sidecars.read(path)
            if stored is None:  # removed since the listing
                self.survey.fresh.append(doubtful.found)
                return
            value = self.sidecars.value(path, stored)
        except CorruptDocument as error:
            yield (self.ingest.corrupt(path, error))
        except OSError as error:
            yield (Trouble(self.source.name, path, "unreadable", f"its sidecar: {error.strerror}"))
        else:
            self.reads[path] = _Read(doubtful, stored, value)

    def _tell_copies(self) -> Iterator[Event]:
        """A sidecar that was copied with its photo has the id of another: one path keeps it. One that moved is told."""
        newcomers = [read for read in self.reads.values() if read.doubtful.etag is None]
        elsewhere = self._places([read.value["id"] for read in newcomers])
        by_id: dict[str, list[_Read]] = {}
        for read in newcomers:
            by_id.setdefault(read.value["id"], []).append(read)
        for id_, reads in sorted(by_id.items()):
            others = elsewhere.get(id_, set()) - {read.path for read in reads}
            here = {path for path in others if not self._is_gone(path)}
            keeper = self._keeper(reads, here)
            if others - here and keeper is not None:
                self.counts.moved += 1
                yield Ingested(self.source.name, keeper, "moved")
            if len(reads) + len(here) > 1:
                kept_by = keeper or min(here)
                for path in sorted({*(read.path for read in reads), *here} - {kept_by}):
                    yield from self._give_new_id(path, kept_by)

    def _places(self, ids: list[str]) -> dict[str, set[str]]:
        """Where else in this source these ids are recorded."""
        if self.writer.index is None or not ids:
            return {}
        try:
            found = self.writer.index.paths_of(ids)
        except (IndexUnavailable, IndexUnusable) as error:
            self.writer.lose(str(error))
            return {}
        return {
            id_: {decode_name(path) for source, path in places if source == self.source.name}
            for id_, places in found.items()
        }

    def _is_gone(self, path: str) -> bool:
        return path in self.survey.vanished or path in self.survey.widowed

    def _keeper(self, reads: list[_Read], here: set[str]) -> str | None:
        """The path that keeps an id among newcomers; None when a path that was known before keeps it."""
        for read in reads:
            if read.value["origin"]["first_path"] == encode_name(read.path):
                return read.path
        return None if here else min(read.path for read in reads)

    def _give_new_id(self, path: str, keeper: str) -> Iterator[Event]:
        fresh_id = new_id()

        def renamed(current: Value | None) -> Value:
            assert current is not None
            return {**current, "id": fresh_id}

        read = self.reads.pop(path, None)
        try:
            stored = read.stored if read is not None else self.sidecars.read(path)
            value = self.sidecars.value(path, stored) if stored is not None else None
        except (CorruptDocument, OSError):
            return
        if stored is None or value is None:
            return
        original = value["original"]
        same = read is None or (read.doubtful.found.size, read.doubtful.found.mtime_ns) == (
            original["size"], original["mtime_ns"],
        )  # fmt: skip
        known = Known(original["size"], original["mtime_ns"], settled=same)
        self.ingest.put(path, stored, renamed, outcome="updated", known=known)
        self.counts.updated += 1
        yield Note(
            f"{path}: its sidecar is a copy of that of {keeper}; it keeps its curation and gets an id of its own"
        )

    def _read_widowed(self) -> Iterator[Event]:
        """Sidecars without originals: by content, so that an original that appears elsewhere finds its own."""
        for path in sorted(self.survey.widowed):
            if self.cancel.is_set():
                return
            try:
                stored = self.sidecars.read(path)
                if stored is None:
                    continue
                value = self.sidecars.value(path, stored)
            except CorruptDocument as error:
                yield (self.ingest.corrupt(path, error))
                continue
            except OSError:
                continue
            lost = _Lost(path, self.sidecars.path(path), value, stored)
            self.lost.setdefault(value["original"].get("sha256") or "", []).append(lost)

    # -- originals to open

    def _job(self, found: Found, **more: Any) -> Job:
        return Job(self.source.name, self.root.path, found.path, found.size, found.mtime_ns, **more)

    def _changed(self) -> Iterator[Job]:
        """The known originals that have to be opened; the others are settled here, by what their sidecars say."""
        for read in list(self.reads.values()):
            found, original = read.doubtful.found, read.value["original"]
            wanted = lacking(read.value)
            same_times = found.size == original["size"] and found.mtime_ns == original["mtime_ns"]
            whole = bool(original.get("sha256"))
            look = self.rehash or not same_times or not whole or wanted != frozenset() or read.doubtful.mark == RACY
            if look and self.run is not None:
                yield self._job(found, expected=original.get("sha256"), wanted=wanted if whole else None)
                continue
            del self.reads[read.path]
            known = Known(found.size, found.mtime_ns, settled=not look)
            self._settle_unopened(read, known)

    def _settle_unopened(self, read: _Read, known: Known) -> None:
        """The original is as its sidecar says: only what the sidecar says of being missing or its name may be old."""
        self.counts.unchanged += 1
        name = os.path.basename(read.path)
        original = read.value["original"]
        if self.run is not None and ("missing_since" in original or original["name"] != encode_name(name)):
            self.ingest.put(read.path, read.stored, _present(name), outcome="updated", known=known)
        elif read.doubtful.etag != read.stored.etag:
            self.ingest.record(read.path, read.stored, read.value, known)
        else:
            self.ingest.touched(read.path, read.stored, known)

    def _open(self, answers: Iterator[tuple[Job, Answer]]) -> Iterator[Event]:
        for job, answer in answers:
            self.done += 1
            yield from self._answered(job, answer)
            yield Progress("scanning", self.done, max(self.todo, self.done))
            if self.ingest.due():
                yield from self.ingest.flush()
        yield from self.ingest.flush()

    def _answered(self, job: Job, answer: Answer) -> Iterator[Event]:
        read = self.reads.pop(job.path, None)
        known = Known(answer.size or job.size, answer.mtime_ns or job.mtime_ns, answer.settled)
        if answer.status == "unreadable":
            yield from self._unreadable(job, read, answer)
        elif read is None:
            yield from self._appeared(job, answer)
        elif answer.status == "same" or answer.sha256 == job.expected:
            yield from self._as_before(read, answer, known)
        elif job.expected is None:
            self.counts.updated += 1
            self._refresh(job.path, read.stored, answer.blocks, "updated", known)
        elif known.size == read.value["original"]["size"] and known.mtime_ns == read.value["original"]["mtime_ns"]:
            yield from self._rotten(read, answer, known)
        else:
            yield from self._replaced(job, read, answer)

    def _as_before(self, read: _Read, answer: Answer, known: Known) -> Iterator[Event]:
        """The content is the one that the sidecar describes."""
        problems = compose.without_problem(read.value.get("problems") or [], "bit_rot")
        blocks = dict(answer.blocks)
        if "problems" in blocks and "original" not in blocks:  # only some measurers ran: the other problems stay
            del blocks["problems"]
        if len(problems) != len(read.value.get("problems") or []):
            blocks.setdefault("problems", problems)
        returned = "missing_since" in read.value["original"]
        if blocks or returned:
            self.counts.updated += 1
            self._refresh(read.path, read.stored, blocks, "updated", known, returned=returned)
            return
        self.counts.unchanged += 1
        if read.doubtful.etag == read.stored.etag:
            self.ingest.touched(read.path, read.stored, known)
        else:
            self.ingest.record(read.path, read.stored, read.value, known)
        yield from ()

    def _rotten(self, read: _Read, answer: Answer, known: Known) -> Iterator[Event]:
        """Other content under the same size and times: nobody edits so. The good digest stays in the sidecar."""
        message = (
            f"the content changed (SHA-256 is now {answer.sha256}) while size and times did not: the file or the disk "
            "is damaged. Restore it from a backup"
        )

        def damaged(current: Value | None) -> Value:
            assert current is not None
            return compose.with_problem(current, "bit_rot", message)

        self.counts.updated += 1
        self.ingest.put(read.path, read.stored, damaged, outcome="updated", known=known)
        yield from ()

    def _unreadable(self, job: Job, read: _Read | None, answer: Answer) -> Iterator[Event]:
        """A sidecar with the reason; what is known of the content from before stays."""
        message = f"cannot be read: {answer.message}"
        known = Known(job.size, job.mtime_ns, settled=False)
        if read is not None:
            self.ingest.put(
                job.path, read.stored, lambda current: compose.with_problem(current or {}, "unreadable", message),
                outcome="updated", known=known,
            )  # fmt: skip
            self.counts.unchanged += 1
        else:
            name = os.path.basename(job.path)
            said = by_extension(name)
            kind = Identified(said.format, said.media, None) if said else Identified("unknown", "image", None)
            original = {
                "media": kind.media, "name": encode_name(name), "size": job.size, "mtime_ns": job.mtime_ns,
                "format": kind.format,
            }  # fmt: skip
            blocks = {"original": original, "problems": [{"code": "unreadable", "message": message}]}
            self._add(job.path, blocks, known)
        yield from ()

    # -- identity

    def _appeared(self, job: Job, answer: Answer) -> Iterator[Event]:
        """A file without sidecar: a new original, or one that lost its sidecar by moving."""
        lost = self.lost.get(answer.sha256, [])
        same_name = [one for one in lost if os.path.basename(one.path) == os.path.basename(job.path)]
        if len(lost) == 1 and same_name:
            yield from self._moved(lost.pop(), job, answer)
        elif lost:
            self.held.append((job, answer))
        else:
            self._add(job.path, answer.blocks, Known(answer.size, answer.mtime_ns, answer.settled))

    def _replaced(self, job: Job, read: _Read, answer: Answer) -> Iterator[Event]:
        """Other content under a known name is a new original: the old sidecar is kept, and never applied to it."""
        self.writer.before_files_change()
        try:
            kept = self.sidecars.orphan(job.path, read.stored)
        except OSError as error:
            yield (Trouble(self.source.name, job.path, "not_written", f"its sidecar: {error.strerror}"))
            return
        self.lost.setdefault(read.value["original"].get("sha256") or "", []).append(
            _Lost(job.path, kept, read.value, read.stored)
        )
        self.held.append((job, answer))

    def _pair(self) -> Iterator[Event]:
        """Give held files the sidecars that are theirs; the rest are new."""
        by_content: dict[str, list[tuple[Job, Answer]]] = {}
        for job, answer in self.held:
            by_content.setdefault(answer.sha256, []).append((job, answer))
        replaced = {job.path for job, _ in self.held if job.expected is not None}
        for sha256, appeared in sorted(by_content.items()):
            lost = {one.path: one for one in self.lost.get(sha256, [])}
            new = {job.path: (job, answer) for job, answer in appeared}
            for old_path, new_path in pair(list(lost), list(new)):
                self.lost[sha256].remove(lost[old_path])
                yield from self._moved(lost[old_path], *new.pop(new_path))
            for job, answer in new.values():
                known = Known(answer.size, answer.mtime_ns, answer.settled)
                self._add(job.path, answer.blocks, known, outcome="updated" if job.path in replaced else "added")
        yield from self._tell_orphans(replaced)

    def _tell_orphans(self, replaced: set[str]) -> Iterator[Event]:
        for lost in [one for group in self.lost.values() for one in group]:
            if lost.path in replaced:
                self.lost[lost.value["original"].get("sha256") or ""].remove(lost)
                yield Note(
                    f"{lost.path} has other content than before: it is a new original now. "
                    f"The sidecar of the old one is kept as {lost.sidecar}"
                )

    def _moved(self, lost: _Lost, job: Job, answer: Answer) -> Iterator[Event]:
        """The sidecar follows its original."""
        self.writer.before_files_change()
        try:
            followed = self.sidecars.adopt(lost.sidecar, job.path)
            stored = self.sidecars.read(job.path) if followed else None
        except OSError as error:
            yield (Trouble(self.source.name, job.path, "not_written", f"its sidecar: {error.strerror}"))
            return
        known = Known(answer.size, answer.mtime_ns, answer.settled)
        if stored is None:
            self._add(job.path, answer.blocks, known)
            return
        self.counts.moved += 1
        if self.survey.widowed.pop(lost.path, self) is not self:  # else another file lies there, with its own row
            self.ingest.removed(lost.path)
        self._refresh(job.path, stored, answer.blocks, "moved", known)
        yield from ()

    def _leave_missing(self) -> Iterator[Event]:
        """What is gone and came back nowhere: its sidecar stays and says so."""
        if self.cancel.is_set():
            return
        for lost in [one for group in self.lost.values() for one in group]:
            self.counts.missing += 1
            already = "missing_since" in lost.value["original"]
            if already or self.run is None:
                self.ingest.record(lost.path, lost.stored, lost.value, None)
            else:
                self.ingest.put(lost.path, lost.stored, self._say_missing, outcome="missing", known=None)
            if self.ingest.due():
                yield from self.ingest.flush()
        added = {found.path for found in self.survey.fresh} if self.run is not None else set()
        for path in self.survey.vanished:
            if path not in self.survey.widowed and path not in added:
                self.ingest.removed(path)

    def _say_missing(self, current: Value | None) -> Value:
        assert current is not None
        return compose.missing(current, self.now)

    # -- sidecars to write

    def _add(self, path: str, blocks: Value, known: Known, outcome: str = "added") -> None:
        if outcome == "added":
            self.counts.added += 1
        else:
            self.counts.updated += 1
        schema = self.sidecars.schema_reference(path)
        value = compose.new_sidecar(blocks, schema=schema, source=self.source.name, mode=self.source.mode, path=path)

        def composed(current: Value | None) -> Value:
            # somebody else made one meanwhile: it stays, with what was found now
            return value if current is None else compose.refreshed(current, blocks, schema)

        self.ingest.put(path, None, composed, outcome=outcome, known=known)

    def _refresh(
        self, path: str, stored: Stored, blocks: Value, outcome: str, known: Known, *, returned: bool = False
    ) -> None:
        schema = self.sidecars.schema_reference(path)

        def composed(current: Value | None) -> Value:
            assert current is not None
            value = compose.refreshed(current, blocks, schema)
            return compose.present(value, os.path.basename(path)) if returned else value

        self.ingest.put(path, stored, composed, outcome=outcome, known=known)


def _present(name: str) -> Callable[[Value | None], Value]:
    def composed(current: Value | None) -> Value:
        assert current is not None
        return compose.present(current, name)

    return composed


def _batched(jobs: list[Job]) -> Iterator[Sequence[Job]]:
    """Neighbouring jobs together, as many as make good use of one trip to a worker."""
    at = 0
    for batch in in_order([Found(job.path, job.size, job.mtime_ns) for job in jobs]):
        yield jobs[at : at + len(batch)]
        at += len(batch)
