"""One source of a scan: from what the survey found to sidecars and rows.

No more than a batch of documents is held in memory: what has to wait is read again when its turn comes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lumina_fs import compose
from lumina_fs.documents import Stored
from lumina_fs.errors import CorruptDocument, SourceOffline
from lumina_fs.filetypes import Identified, by_extension, identify
from lumina_fs.fingerprints import RACY, other_fingerprint
from lumina_fs.ingest import Ingest, Known
from lumina_fs.progress import Event, Note, Progress, Trouble
from lumina_fs.recipe import wanted as lacking
from lumina_fs.roots import Root
from lumina_fs.sidecars import Sidecars
from lumina_fs.survey import Doubtful, Found, Survey, in_order
from lumina_fs.whereabouts import Newcomer, Whereabouts
from lumina_fs.worker import Answer, Job
from schemas.names import decode_name, encode_name

#: Fewer replaced originals than this are no sign of another medium.
_MANY = 5

#: Of so many originals the digests are asked for at once.
_ASKED = 512

#: So many originals that appeared are asked about at once.
_TOGETHER = 64

Value = dict[str, Any]
Runner = Callable[[Iterator[Sequence[Job]]], Iterator[tuple[Job, Answer]]]


@dataclass(slots=True)
class SourceScan:
    """The scan of one source. `run` is how originals are opened; None means that none may be (reconcile)."""

    source: str
    root: Root
    sidecars: Sidecars
    ingest: Ingest
    survey: Survey
    whereabouts: Whereabouts
    run: Runner | None
    cancel: threading.Event
    rehash: bool = False
    accept: bool = False
    doubtful: dict[str, Doubtful] = field(default_factory=dict)
    done: int = 0
    todo: int = 0
    recorded: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The ids and digests that the index has of the originals whose turn it is."""
    disputed: dict[str, str] = field(default_factory=dict)
    """The digests that the index has of those whose sidecars, changed by other hands, say another one."""

    def events(self) -> Iterator[Event]:
        """Do it, and tell."""
        counts, survey, whereabouts = self.ingest.counts, self.survey, self.whereabouts
        counts.found, counts.unchanged, counts.missing = survey.present, survey.unchanged, survey.missing
        for path, reason in survey.unreadable:
            yield Trouble(self.source, path, "unreadable", f"cannot be read: {reason}")
        yield from self._look_into_unsure()
        yield from whereabouts.read_widowed()
        yield from whereabouts.tell_copies((yield from self._newcomers()))
        changed = yield from self._settle_doubtful()
        self.todo = len(changed) + len(survey.fresh)
        if self.run is not None:
            yield from self._open(self.run(_batched(changed)))
            self._require_same_medium()
            yield from whereabouts.put_aside()
            fresh = in_order(survey.fresh)
            yield from self._open(self.run([self._job(found) for found in batch] for batch in fresh))
        yield from whereabouts.pair_held()
        if not self.cancel.is_set():
            yield from whereabouts.leave_missing()
        yield from self.ingest.flush()

    # -- what the listing left open

    def _look_into_unsure(self) -> Iterator[Event]:
        """Files whose names say nothing: their first bytes do."""
        for found in self.survey.unsure if self.run is not None else ():
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
                self.ingest.counts.found += 1
            if self.ingest.due():
                yield from self.ingest.flush()

    def _newcomers(self) -> Generator[Event, None, list[Newcomer]]:
        """The ids of sidecars that were not recorded before, or not for good; returns the list."""
        newcomers: list[Newcomer] = []
        for doubtful in self.survey.doubtful:
            if doubtful.mark or self.cancel.is_set():  # an empty one says nothing: to be looked at again
                continue
            found = self.sidecars.find_usable(doubtful.found.path)
            if found is not None:  # else it is told when its turn comes
                value = found[1]
                newcomers.append(Newcomer(doubtful.found.path, value["id"], value["origin"]["first_path"]))
            if len(newcomers) % 512 == 511:
                yield Progress("reading sidecars", len(newcomers), len(self.survey.doubtful), "sidecars")
        return newcomers

    def _settle_doubtful(self) -> Generator[Event, None, list[Job]]:
        """Let each sidecar say what its original needs; returns the jobs of those that have to be opened."""
        jobs: list[Job] = []
        total = len(self.survey.doubtful)
        for number, doubtful in enumerate(self.survey.doubtful):
            if self.cancel.is_set():
                break
            if number % _ASKED == 0 and self.run is not None:
                self._ask_digests(self.survey.doubtful[number : number + _ASKED])
            found = yield from self._find(doubtful.found)
            if found is not None:
                job = self._settle(doubtful, *found)
                if job is not None:
                    jobs.append(job)
                    self.doubtful[doubtful.found.path] = doubtful
            if self.ingest.due():
                yield from self.ingest.flush()
            if number % 512 == 511:
                yield Progress("reading sidecars", number + 1, total, "sidecars")
        return jobs

    def _ask_digests(self, doubtful: Sequence[Doubtful]) -> None:
        """By which digests these originals are recorded, so that one that was changed by hand is noticed."""
        paths = [encode_name(one.found.path) for one in doubtful if one.etag is not None]
        found: dict[str, tuple[str, str]] = {}
        found = self.whereabouts.writer.ask(lambda index: index.digests(self.source, paths), found) if paths else found
        self.recorded = {decode_name(path): known for path, known in found.items()}

    def _find(self, original: Found) -> Generator[Event, None, tuple[Stored, Value] | None]:
        """The sidecar and its value; None where there is none that can be used, which is told."""
        try:
            found = self.sidecars.find(original.path)
        except CorruptDocument as error:
            self.ingest.failed(original.path)
            yield self.ingest.corrupt(original.path, error)
            return None
        except OSError as error:
            self.ingest.failed(original.path)
            yield Trouble(self.source, original.path, "unreadable", f"its sidecar: {error.strerror}")
            return None
        if found is None:  # removed since the listing
            self.survey.fresh.append(original)
        return found

    def _settle(self, doubtful: Doubtful, stored: Stored, value: Value) -> Job | None:
        found, original = doubtful.found, value["original"]
        wanted = lacking(value)
        same_times = found.size == original["size"] and found.mtime_ns == original["mtime_ns"]
        whole = bool(original.get("sha256"))
        of, recorded = self.recorded.get(found.path, ("", ""))
        # a sidecar with another id is that of another photo, and the index does not know it yet
        changed = whole and of == value["id"] and recorded != original["sha256"] and doubtful.etag != stored.etag
        if changed and self.run is not None:
            self.disputed[found.path] = recorded
            return self._job(found, expected=recorded, wanted=wanted, resized=found.size != original["size"])
        look = self.rehash or not same_times or not whole or wanted != frozenset() or doubtful.mark == RACY
        if look and self.run is not None:
            resized = found.size != original["size"]
            return self._job(found, expected=original.get("sha256"), wanted=wanted if whole else None, resized=resized)
        known = Known(found.size, found.mtime_ns, settled=not look)
        name = os.path.basename(found.path)
        if self.run is not None and ("missing_since" in original or original["name"] != encode_name(name)):
            self.ingest.put(found.path, stored, _present(name), outcome="updated", known=known)
            return None
        if self.ingest.lacks_caption(found.path, value):
            self.ingest.recaption(found.path, stored, known)
            return None
        if doubtful.etag != stored.etag:
            self.ingest.record(found.path, stored, value, known)
        else:
            self.ingest.touched(found.path, stored, value, known)
        return None

    def _require_same_medium(self) -> None:
        """Raise SourceOffline when most originals were replaced: another card of the same camera has the same names."""
        replaced, recorded = len(self.whereabouts.replacing), self.survey.recorded()
        if not self.accept and replaced >= _MANY and replaced * 2 > recorded:
            raise SourceOffline(
                f"source {self.source}: {replaced:,} of {recorded:,} originals have other content than their sidecars "
                "say. None of these was touched: this may be another disk or card. If they were really replaced or "
                "edited: lumina scan --accept-missing",
                path=self.root.path,
            )

    # -- originals that are opened

    def _job(self, found: Found, **more: Any) -> Job:
        return Job(self.source, self.root.path, found.path, found.size, found.mtime_ns, **more)

    def _open(self, answers: Iterator[tuple[Job, Answer]]) -> Iterator[Event]:
        since = time.monotonic()
        for job, answer in answers:
            self.done += 1
            yield from self._answered(job, answer)
            yield Progress("scanning", self.done, max(self.todo, self.done))
            if len(self.whereabouts.fresh) >= _TOGETHER or time.monotonic() - since > 1.0:
                self.whereabouts.settle()
                since = time.monotonic()
            if self.ingest.due():
                yield from self.ingest.flush()
        self.whereabouts.settle()
        yield from self.ingest.flush()

    def _answered(self, job: Job, answer: Answer) -> Iterator[Event]:
        doubtful = self.doubtful.pop(job.path, None)
        if answer.status == "unreadable" and not self.whereabouts.is_there(job.path):
            self.ingest.counts.found -= 1  # it moved on since it was listed: the next scan finds it where it is
            return
        if doubtful is None:
            if answer.status == "unreadable":
                self._add_unreadable(job, answer)
            else:
                self.whereabouts.appeared(job, answer)
            return
        found = yield from self._find(doubtful.found)
        if found is None:
            return
        stored, value = found
        recorded = self.disputed.pop(job.path, None)
        known = Known(answer.size or job.size, answer.mtime_ns or job.mtime_ns, answer.settled)
        if answer.status == "unreadable":
            self._tell_problem(
                job.path, stored, "unreadable", f"cannot be read: {answer.message}", known, settled=False
            )
        elif recorded is not None and answer.sha256 == value["original"].get("sha256"):
            # the sidecar is right, and the index was behind: somebody who shares it read the file before us
            blocks = answer.blocks if job.wanted else {}
            self._as_before(doubtful, stored, value, replace(answer, blocks=blocks), known)
        elif answer.status == "same" or answer.sha256 == job.expected:
            if recorded is not None:
                answer = yield from self._put_right(job.path, value, answer)
            self._as_before(doubtful, stored, value, answer, known)
        elif job.expected is None:
            self.ingest.refresh(job.path, stored, answer.blocks, "updated", known)
        elif (known.size, known.mtime_ns) == (value["original"]["size"], value["original"]["mtime_ns"]):
            message = (
                f"the content changed (its SHA-256 is now {answer.sha256}) while size and times did not: the file or "
                "the disk is damaged. Restore it from a backup"
            )
            self._tell_problem(job.path, stored, "bit_rot", message, known, sha256=recorded)
        else:
            self.whereabouts.replaced(job, stored, value, answer)

    def _put_right(self, path: str, value: Value, answer: Answer) -> Generator[Event, None, Answer]:
        """The answer for an original whose sidecar lost its digest to a person's edit, so that it is written again."""
        yield Note(
            f"{path}: original.sha256 in its sidecar was not that of the photo any more. It was put right: by it "
            "the photo is known, and what you say of a photo goes into curation"
        )
        blocks = dict(answer.blocks)
        if "original" not in blocks:  # only some measurers ran: the other problems stay
            blocks.pop("problems", None)
        blocks["original"] = {**value["original"], **blocks.get("original", {}), "sha256": answer.sha256}
        return replace(answer, blocks=blocks)

    def _as_before(self, doubtful: Doubtful, stored: Stored, value: Value, answer: Answer, known: Known) -> None:
        """The content is the one that the sidecar describes."""
        path, problems = doubtful.found.path, value.get("problems") or []
        healed = compose.without_problem(compose.without_problem(problems, "bit_rot"), "unreadable")
        blocks = dict(answer.blocks)
        if "problems" in blocks and "original" not in blocks:  # only some measurers ran: the other problems stay
            del blocks["problems"]
        if len(healed) != len(problems):
            blocks.setdefault("problems", healed)
        returned = "missing_since" in value["original"]
        if blocks or returned or self.ingest.lacks_caption(path, value):
            self.ingest.refresh(path, stored, blocks, "updated", known, returned=returned)
            return
        if doubtful.etag == stored.etag:
            self.ingest.touched(path, stored, value, known)
        else:
            self.ingest.record(path, stored, value, known)

    def _tell_problem(
        self,
        path: str,
        stored: Stored,
        code: str,
        message: str,
        known: Known,
        *,
        settled: bool = True,
        sha256: str | None = None,
    ) -> None:
        """Add a problem to a sidecar. What it knows of the content stays, the good digest (`sha256`) first of all."""

        def told(current: Value | None) -> Value:
            assert current is not None
            if sha256 is not None:
                current = {**current, "original": {**current["original"], "sha256": sha256}}
            return compose.with_problem(current, code, message)

        known = known._replace(settled=known.settled and settled)
        self.ingest.put(path, stored, told, outcome="updated", known=known)

    def _add_unreadable(self, job: Job, answer: Answer) -> None:
        """A sidecar for a file that cannot be read: what its name says, and the reason."""
        name = os.path.basename(job.path)
        said = by_extension(name)
        kind = Identified(said.format, said.media, None) if said else Identified("unknown", "image", None)
        original = {
            "media": kind.media, "name": encode_name(name), "size": job.size, "mtime_ns": job.mtime_ns,
            "format": kind.format,
        }  # fmt: skip
        problems = [{"code": "unreadable", "message": f"cannot be read: {answer.message}"}]
        blocks = {"original": original, "problems": problems}
        self.ingest.add(job.path, blocks, Known(job.size, job.mtime_ns, settled=False))


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
