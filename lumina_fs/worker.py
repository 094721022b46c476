"""The program of a worker process: it opens an original once, and answers with the machine blocks of its sidecar.

Nothing here writes a file or knows the index: bytes come in through a descriptor, plain values go out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import stat
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from lumina_fs.capture import Capture, capture
from lumina_fs.errors import LuminaError
from lumina_fs.exif import ExifFailure, ExifReader, OpenFile
from lumina_fs.file_state import has_settled
from lumina_fs.filetypes import Identified, extension, identify
from lumina_fs.measure.registry import Context, load, measure
from lumina_fs.original import (
    Limits,
    Picture,
    Reading,
    decode,
    decode_preview,
    read_original,
    reduction,
)
from lumina_fs.pool import CLOSING, Beat, serve
from lumina_fs.roots import Root
from lumina_fs.undecodable import Undecodable
from schemas.names import encode_name

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: The priority of a scan, as that of the daemon.
_NICE = 10
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker of one scan is told once."""

    scratch: str
    exiftool: str
    reader: str
    max_pixels: int
    tag_bytes: int
    poison: dict[str, str]  # sha256 -> problem code, of content that felled workers of this decoder
    decoders: str


@dataclass(frozen=True, slots=True)
class Job:
    """One original to open. `expected` is the sha256 its sidecar has: equal content only gets what is `wanted`."""

    source: str
    root: str
    path: str
    size: int
    mtime_ns: int
    expected: str | None = None
    wanted: frozenset[str] | None = None
    """Measurers to run if the content is as expected; None means all, and metadata too."""
    resized: bool = False
    """Its size is not the expected one, so its content cannot be either: its metadata is read at once."""
    felled: str | None = None
    """Why it is not to be decoded: the problem code of what it did to workers before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found. `blocks` holds original, capture, measurements and problems, as far as they were made."""

    status: Literal["measured", "same", "unreadable"]
    sha256: str = ""
    size: int = 0
    mtime_ns: int = 0
    settled: bool = True
    """False when the file was written so lately that its times do not vouch for it."""
    message: str = ""
    blocks: dict[str, Any] = field(default_factory=dict)
    reduction: bytes | None = None
    """The reduced picture, for the cache."""


def main(pipe: Connection, cells: Any, setup: Setup, memory: int) -> None:
    """Serve batches from `pipe` until None arrives or the parent is gone."""
    prepare_process(memory, _NICE)
    tempfile.tempdir = setup.scratch
    with ExifReader(setup.exiftool) as exif:
        bench = _Bench(exif, setup, Beat(cells))
        exif.warm()
        load()
        serve(pipe, bench.beat, bench.serve)


def prepare_process(memory: int, nice: int) -> None:
    """Set the limits of a process that opens what nobody vouches for: address space in bytes, 0 for none.

    It takes the processor that nobody with a lower `nice` wants: who looks at photos meanwhile waits for nothing.
    """
    with contextlib.suppress(OSError):
        os.nice(max(0, nice - os.nice(0)))
    # the parent is asked to stop, and ends us in order; ExifTool inherits the first and must not the second, by which
    # the kernel ends it when we are killed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    _end_with_parent()
    if not os.environ.get("LUMINA_DEBUG"):  # C libraries chatter about broken files; what matters comes as an answer
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _end_with_parent() -> None:
    """Linux: let the kernel kill us when the parent dies, even in the middle of a decoder that hangs."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):  # not Linux: the closed pipe ends us at the next message
        return


@dataclass(slots=True)
class _Opened:
    """One job on its way through the worker."""

    job: Job
    fd: int = -1
    asked_tags: bool = False
    tags: dict[str, Any] | ExifFailure | None = None
    reading: Reading | None = None
    identified: Identified | None = None
    picture: Picture | Undecodable | None = None
    answer: Answer | None = None

    @property
    def name(self) -> str:
        return os.path.basename(self.job.path)

    def file(self) -> OpenFile:
        return OpenFile(self.fd, extension(self.name))


class _Bench:
    """Takes batches of jobs through open, read, decode, metadata, measure."""

    def __init__(self, exif: ExifReader, setup: Setup, beat: Beat) -> None:
        self.exif = exif
        self.setup = setup
        self.beat = beat
        self.limits = Limits(max_pixels=setup.max_pixels)
        self.roots: dict[str, Root] = {}

    def serve(self, number: int, jobs: list[Job]) -> list[Answer]:
        """The answers of a batch, in order. ExifTool reads the metadata while this process decodes."""
        opened = [_Opened(job) for job in jobs]
        try:
            for position, one in enumerate(opened):
                self.beat.at(number, position)
                self._open(one)
            early = [o for o in opened if o.answer is None and (o.job.expected is None or o.job.resized)]
            self.exif.submit([one.file() for one in early])
            for position, one in enumerate(opened):
                self.beat.at(number, position)
                self._look(one)
            self.beat.at(number, CLOSING)
            for one, tags in zip(early, self.exif.collect(), strict=True):
                one.tags = tags
            late = [one for one in opened if one.answer is None and one.tags is None and self._needs_tags(one)]
            for one, tags in zip(late, self.exif.read([o.file() for o in late]), strict=True):
                one.tags = tags
            for position, one in enumerate(opened):
                self.beat.at(number, position)
                if one.answer is None:
                    one.answer = self._answer(one)
            return [one.answer or Answer("unreadable") for one in opened]
        finally:
            for one in opened:
                if one.fd >= 0:
                    os.close(one.fd)
            for root in self.roots.values():  # by the next batch folders may have other names, and disks be others
                root.close()
            self.roots.clear()

    def _open(self, one: _Opened) -> None:
        job = one.job
        try:
            root = self.roots.get(job.root)
            if root is None:
                root = self.roots[job.root] = Root.open(job.root)
            one.fd = root.open_file(job.path)
            if not stat.S_ISREG(os.fstat(one.fd).st_mode):
                one.answer = Answer("unreadable", message="it is not a regular file")
        except LuminaError as error:
            one.answer = Answer("unreadable", message=str(error))
        except OSError as error:
            one.answer = Answer("unreadable", message=error.strerror or type(error).__name__)

    def _look(self, one: _Opened) -> None:
        """Read, hash and decode one original; the bytes are gone when this returns."""
        if one.answer is not None:
            return
        job = one.job
        try:
            reading = read_original(one.fd, self.beat.alive)
        except OSError as error:
            one.answer = Answer("unreadable", message=error.strerror or type(error).__name__)
            return
        one.reading = reading
        one.identified = identify(one.name, reading.head) or Identified("unknown", "image", None)
        if job.expected == reading.sha256 and job.wanted is not None and not job.wanted:
            one.answer = self._reply("same", reading)
            return
        poisoned = job.felled or self.setup.poison.get(reading.sha256)
        if poisoned is not None:
            one.picture = Undecodable(poisoned, "decoding it ended its process twice; not tried again")
        else:
            self.beat.alive()
            one.picture = decode(reading, one.identified, self.limits)
        reading.forget()

    def _needs_tags(self, one: _Opened) -> bool:
        job, reading = one.job, one.reading
        assert reading is not None
        as_expected = job.expected == reading.sha256 and job.wanted is not None
        return not as_expected or bool(job.wanted and "quality" in job.wanted)

    def _answer(self, one: _Opened) -> Answer:
        reading, identified = one.reading, one.identified
        assert reading is not None
        assert identified is not None
        tags = one.tags if isinstance(one.tags, dict) else {}
        facts = self._capture(one, tags)
        picture = self._with_preview(one, facts)
        problems = self._problems(one, picture)
        as_expected = one.job.expected == reading.sha256 and one.job.wanted is not None
        wanted = one.job.wanted if as_expected else None
        measurements: dict[str, Any] = {}
        if isinstance(picture, Picture):
            context = Context(
                format=identified.format,
                media=identified.media,
                size=reading.size,
                width=facts.width or picture.width,
                height=facts.height or picture.height,
                capture=facts.block,
            )
            measurements = measure(picture, context, wanted)
        blocks: dict[str, Any] = {"measurements": measurements, "problems": problems}
        if not as_expected:
            blocks["original"] = self._original(one, facts, picture)
            blocks["capture"] = facts.block
        return self._reply("measured", reading, blocks, reduction(picture) if isinstance(picture, Picture) else None)

    @staticmethod
    def _reply(
        status: Literal["measured", "same"],
        reading: Reading,
        blocks: dict[str, Any] | None = None,
        reduced: bytes | None = None,
    ) -> Answer:
        settled = not reading.changed and has_settled(reading.mtime_ns, time.time_ns(), 50_000_000)
        return Answer(
            status, reading.sha256, reading.size, reading.mtime_ns, settled, blocks=blocks or {}, reduction=reduced
        )

    def _capture(self, one: _Opened, tags: dict[str, Any]) -> Capture:
        assert one.identified is not None
        assert one.reading is not None
        return capture(
            tags,
            path=one.job.path,
            mtime_ns=one.reading.mtime_ns,
            now=datetime.now().astimezone(),
            media=one.identified.media,
            reader=self.setup.reader,
            tag_bytes=self.setup.tag_bytes,
        )

    def _with_preview(self, one: _Opened, facts: Capture) -> Picture | Undecodable:
        """The decoded picture, or the one that the camera embedded where we cannot decode the original."""
        picture = one.picture
        assert picture is not None
        assert one.identified is not None
        if isinstance(picture, Picture) or not picture.try_preview:
            return picture
        embedded = self.exif.previews(one.file())
        if embedded is None:
            return picture
        preview = decode_preview(embedded, facts.block.get("orientation", 1), self.limits)
        return preview if isinstance(preview, Picture) else picture

    def _original(self, one: _Opened, facts: Capture, picture: Picture | Undecodable) -> dict[str, Any]:
        assert one.identified is not None
        assert one.reading is not None
        decoded = isinstance(picture, Picture) and not picture.from_preview
        width = picture.width if decoded and isinstance(picture, Picture) else facts.width
        height = picture.height if decoded and isinstance(picture, Picture) else facts.height
        duration = facts.duration
        if duration is None and isinstance(picture, Picture):
            duration = picture.duration
        block = {
            "media": one.identified.media,
            "name": encode_name(one.name),
            "size": one.reading.size,
            "mtime_ns": one.reading.mtime_ns,
            "sha256": one.reading.sha256,
            "format": one.identified.format,
            "width": width,
            "height": height,
            "duration": duration,
        }
        return {key: value for key, value in block.items() if value is not None}

    def _problems(self, one: _Opened, picture: Picture | Undecodable) -> list[dict[str, str]]:
        """What is wrong with this original, in a fixed order."""
        assert one.reading is not None
        assert one.identified is not None
        found: list[dict[str, str]] = []
        if one.reading.size == 0:
            return [{"code": "empty", "message": "the file has no content"}]
        if one.identified.note:
            found.append({"code": "extension_mismatch", "message": one.identified.note})
        if one.reading.changed:
            found.append({"code": "changed_while_reading", "message": "the file changed while it was read"})
        if isinstance(picture, Undecodable):
            found.append({"code": picture.code, "message": picture.message, "decoder": self.setup.decoders})
        elif picture.truncated:
            found.append({"code": "truncated", "message": "only part of the picture is there"})
        if isinstance(one.tags, ExifFailure):
            message = f"ExifTool could not read it: {one.tags.reason}"
            found.append({"code": "metadata_unreadable", "message": message})
        return found
