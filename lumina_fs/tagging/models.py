"""The way to the models: a process of its own that loads them, started when there is something to look at."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol, Self

import numpy as np

from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError, ToolMissing
from lumina_fs.measure.orders import Look, ModelSetup, Seen, Texts, TextsDone, Unavailable
from lumina_fs.pool import Bounds, Fallen, Pool
from lumina_fs.tagging import extra
from lumina_fs.tagging.classify import TextVectors
from lumina_fs.tagging.model_worker import main
from lumina_fs.tagging.wishes import Wishes

#: Seconds after which a process that says nothing is given up: fetching weights over a slow line takes a while.
_PATIENCE = 3600.0
#: So many pictures that end the process are no accident.
_FALLEN = 3


class ModelsFailed(LuminaError):
    """The process that runs models ended again and again; what was written stays."""


class Models(Protocol):
    """Who looks at pictures; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *args: object) -> None: ...

    def texts(self, prompts: tuple[str, ...]) -> TextVectors | None:
        """The vectors of texts; None where it was stopped. Raises ToolMissing where the model cannot be had."""

    def look(self, batches: Iterator[Sequence[Look]]) -> Iterator[tuple[Look, Seen]]:
        """What is seen, in no order; ends early where it was stopped. Raises ToolMissing as above."""


class Maker(Protocol):
    """Makes models for a run."""

    def __call__(self, catalog: Catalog, wishes: Wishes, cancel: threading.Event, fetch: bool) -> Models:
        """Models that stop at `cancel`; `fetch`: weights that are not here may be fetched. Raises ToolMissing."""

    def hindrance(self, measurers: Collection[str]) -> str | None:
        """Why these measurers cannot run here, told before anything is looked at; None where nothing is known."""


class ModelProcess:
    """One process at low priority. It is started by the first question."""

    def __init__(self, catalog: Catalog, wishes: Wishes, cancel: threading.Event, fetch: bool) -> None:
        settings = catalog.settings
        missing = self.hindrance(list(wishes.stamps))
        if missing is not None:
            raise ToolMissing(missing)
        self._cancel = cancel

        def setup(scratch: str) -> ModelSetup:
            return ModelSetup(
                scratch, wishes.clip, wishes.objects, settings.model_device, settings.thread_count(),
                settings.objects_threshold, fetch,
            )  # fmt: skip

        bounds = Bounds(memory=0, closing_seconds=_PATIENCE, files_per_worker=1 << 40)
        self._pool: Pool[Any, Any] = Pool(main, setup, workers=1, bounds=bounds)

    @staticmethod
    def hindrance(measurers: Collection[str]) -> str | None:
        """What is not installed."""
        return extra.hindrance(measurers)

    def __enter__(self) -> Self:
        self._pool.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self._pool.__exit__(*args)

    def texts(self, prompts: tuple[str, ...]) -> TextVectors | None:
        """The vectors of texts; None where it was stopped."""
        for _, answer in self._answers(iter([[Texts(prompts)]])):
            if isinstance(answer, TextsDone):
                rows = np.frombuffer(answer.vectors, np.float32).reshape(len(prompts), -1)
                return TextVectors(rows, answer.scale)
        return None

    def look(self, batches: Iterator[Sequence[Look]]) -> Iterator[tuple[Look, Seen]]:
        """What is seen."""
        yield from self._answers(batches)

    def _answers(self, batches: Iterator[Sequence[Any]]) -> Iterator[tuple[Any, Any]]:
        fallen = 0
        for answers in self._pool.run(batches, cancel=self._cancel):
            for order, answer in answers:
                if isinstance(answer, Unavailable):
                    raise ToolMissing(answer.message)
                if isinstance(answer, Fallen):
                    fallen += 1
                    if fallen >= _FALLEN or isinstance(order, Texts):
                        raise ModelsFailed(
                            f"the process that runs models ended again and again ({answer.reason}); there may be too "
                            "little memory: a smaller setting model_batch, or model_device cpu"
                        )
                    answer = Seen(broken=f"looking at it ended the model's process ({answer.reason})")
                yield order, answer
