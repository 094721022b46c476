"""The program of the one process of a job that runs models: pictures and texts in, vectors and objects out.

Nothing here writes into a catalog or opens an original. It works at low priority.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lumina_fs.measure.orders import Look, ModelSetup, Seen, Texts, TextsDone, Unavailable
from lumina_fs.measure.torch_setup import ModelUnavailable, be_quiet, images_of
from lumina_fs.pool import CLOSING, Beat, serve
from lumina_fs.worker import prepare_process

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from lumina_fs.measure.clip import Clip
    from lumina_fs.measure.objects import Objects

#: The priority of a scan: who looks at photos meanwhile waits for nothing.
_NICE = 10


def main(pipe: Connection, cells: Any, setup: ModelSetup, memory: int) -> None:
    """Serve orders from `pipe` until None arrives or the parent is gone."""
    prepare_process(memory, _NICE)
    tempfile.tempdir = setup.scratch
    os.chdir(setup.scratch)  # libraries leave things where they are started
    be_quiet(setup.scratch, fetch=setup.fetch)
    beat, bench = Beat(cells), Bench(setup)

    def answer(number: int, orders: list[Any]) -> list[Any]:
        beat.at(number, CLOSING)  # one step for all: loading a model has a clock of its own
        return bench.answer(orders)

    serve(pipe, beat, answer)


class Bench:
    """The models that are wanted, each loaded when it is first needed."""

    def __init__(self, setup: ModelSetup) -> None:
        self._setup = setup
        self._clip: Clip | None = None
        self._objects: Objects | None = None

    @property
    def clip(self) -> Clip:
        """The CLIP."""
        from lumina_fs.measure.clip import Clip

        if self._clip is None:
            setup = self._setup
            assert setup.clip is not None
            self._clip = Clip(setup.clip, device=setup.device, threads=setup.threads, fetch=setup.fetch)
        return self._clip

    @property
    def objects(self) -> Objects:
        """The detector."""
        from lumina_fs.measure.objects import Objects

        if self._objects is None:
            setup = self._setup
            assert setup.objects is not None
            self._objects = Objects(
                setup.objects, device=setup.device, threads=setup.threads, least=setup.least, fetch=setup.fetch
            )
        return self._objects

    def answer(self, orders: list[Any]) -> list[Any]:
        """The answers of a batch, in order; Unavailable for all of it where a model cannot be had."""
        try:
            if all(isinstance(order, Texts) for order in orders):
                return [self._texts(order) for order in orders]
            return self._look(orders)
        except ModelUnavailable as error:
            return [Unavailable(str(error))] * len(orders)

    def _texts(self, order: Texts) -> TextsDone:
        return TextsDone(self.clip.texts(order.prompts).tobytes(), self.clip.scale)

    def _look(self, orders: list[Look]) -> list[Seen]:
        images = images_of([order.jpeg for order in orders])
        clips = [at for at, order in enumerate(orders) if order.clip and images[at] is not None]
        finds = [at for at, order in enumerate(orders) if order.objects and images[at] is not None]
        vectors: dict[int, bytes] = {}
        objects: dict[int, Any] = {}
        if clips:
            rows = self.clip.pictures([images[at] for at in clips])
            vectors = {at: np.ascontiguousarray(row).tobytes() for at, row in zip(clips, rows, strict=True)}
        if finds:
            objects = dict(zip(finds, self.objects.find([images[at] for at in finds]), strict=True))
        return [
            Seen(broken="it cannot be opened") if images[at] is None else Seen(vectors.get(at), objects.get(at))
            for at in range(len(orders))
        ]
