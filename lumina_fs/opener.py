"""How a scan opens originals: in limited worker processes that outlive no scan, or stay warm for the next one."""

from __future__ import annotations

import concurrent.futures as cf
import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lumina_fs import exif
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.reduction_writer import ReductionWriter
from lumina_fs.poison import poison, remember_poison
from lumina_fs.pool import Bounds, Fallen, Pool
from lumina_fs.recipe import decoders
from lumina_fs.worker import Answer, Job, Setup, main


class Opener:
    """Opens originals in worker processes, which are started when the first original needs them; a context manager.

    Whoever keeps one over several scans calls `begin` before each.
    """

    def __init__(self, catalog: Catalog, cancel: threading.Event) -> None:
        self._catalog = catalog
        self._stack = contextlib.ExitStack()
        self._cancel = cancel
        self._pool: Pool[Job, Answer] | None = None
        self._reductions = ReductionWriter(catalog)
        self._tool: cf.Future[tuple[str, str]] | None = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def started(self) -> bool:
        """True while there are worker processes."""
        return self._pool is not None

    def begin(self, cancel: threading.Event) -> None:
        """Serve another scan, with the workers of the last one where they are still there."""
        self._cancel = cancel

    def close(self) -> None:
        """End the processes. The next scan starts others."""
        self._pool, self._tool = None, None
        self._stack.close()

    def run(self, batches: Iterator[Sequence[Job]]) -> Iterator[tuple[Job, Answer]]:
        """The answer for each job, in no order. A job that felled its workers is answered without decoding."""
        first = next(iter(batches), None)
        if first is None:
            return
        felled: list[Job] = []
        for job, answer in self._answers(itertools.chain([first], batches)):
            if isinstance(answer, Fallen):
                felled.append(replace(job, felled=f"decoder_{answer.reason}"))
            else:
                yield job, answer
        found: dict[str, str] = {}
        for job, answer in self._answers(iter([[job] for job in felled])):
            if isinstance(answer, Fallen):
                yield job, Answer("unreadable", message=f"reading it ended its process ({answer.reason})")
            else:
                found[answer.sha256] = job.felled or ""
                yield job, answer
        remember_poison(self._catalog, found)
        self._reductions.flush()

    def warm(self) -> bool:
        """Start the processes while the source is still being listed; True once they are on their way."""
        if self._tool is None:
            self._tool = self._stack.enter_context(cf.ThreadPoolExecutor(1)).submit(exif.require)
        if not self._tool.done():
            return False
        self._started().warm()
        return True

    def finish(self) -> None:
        """No more originals will be opened: the processes end while the rest is done."""
        if self._pool is not None:
            self._pool.finish()

    def _answers(self, batches: Iterator[Sequence[Job]]) -> Iterator[tuple[Job, Answer | Fallen]]:
        for answers in self._started().run(batches, cancel=self._cancel):
            for job, answer in answers:
                if isinstance(answer, Answer):
                    self._reductions.add(answer.sha256, answer.reduction)
                yield job, answer

    def _started(self) -> Pool[Job, Answer]:
        if self._pool is None:
            settings = self._catalog.settings
            executable, version = exif.require() if self._tool is None else self._tool.result()
            known = poison(self._catalog)

            def setup(scratch: str) -> Setup:
                return Setup(
                    scratch,
                    executable,
                    f"exiftool {version}",
                    settings.max_pixels,
                    settings.tag_bytes,
                    known,
                    decoders(),
                )

            bounds = Bounds(memory=settings.worker_memory_mb << 20, seconds=settings.file_seconds)
            self._pool = self._stack.enter_context(
                Pool[Job, Answer](main, setup, workers=settings.worker_count(), bounds=bounds)
            )
        return self._pool
