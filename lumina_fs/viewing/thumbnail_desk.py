"""Thumbnails for a person who looks around: what was asked for last comes first, what is not wanted any more never.

A thread of its own and, while there is something to make, worker processes. The cache is shared with everybody else.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from concurrent.futures import Future

from lumina_fs import thumbnails
from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError
from lumina_fs.thumbnails import Made
from schemas.names import decode_name

#: Made in one go: few enough that what is asked for meanwhile does not wait long, many enough to feed two workers.
_BATCH = 12

Key = tuple[str, str, int]


class ThumbnailDesk:
    """Takes wishes from any thread; a context manager. Paths of originals are encoded, as in answers of the index."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._wishes: OrderedDict[Key, Future[Made]] = OrderedDict()
        self._change = threading.Condition()
        self._cancel = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="thumbnails", daemon=True)
        self._thread.start()

    def __enter__(self) -> ThumbnailDesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread and its workers."""
        self._cancel.set()
        with self._change:
            self._change.notify()
        self._thread.join()

    def cached(self, sha256: str | None, size: int) -> str | None:
        """The absolute path of the thumbnail of a content if it is there."""
        if sha256 is None:
            return None
        place = os.path.join(self._catalog.path, thumbnails.place(sha256, size))
        return place if os.path.exists(place) else None

    def wish(self, source: str, path: str, size: int) -> Future[Made]:
        """A thumbnail of an original; cancel the future when it is not wanted any more."""
        key = (source, path, size)
        with self._change:
            future = self._wishes.get(key)
            if future is None or future.cancelled():
                future = self._wishes[key] = Future()
            self._wishes.move_to_end(key)
            self._change.notify()
        return future

    def _serve(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._make(batch)
            except (
                LuminaError,
                OSError,
                ValueError,
                RuntimeError,
            ) as error:  # what starts processes raises any of these
                self._give_up(batch, str(error))
            self._give_up(batch, "it was not made")

    def _next(self) -> dict[Key, Future[Made]] | None:
        """The wishes made last, all of one size; None at the end."""
        with self._change:
            while True:
                if self._cancel.is_set():
                    for future in self._wishes.values():
                        future.cancel()
                    return None
                batch: dict[Key, Future[Made]] = {}
                while self._wishes and len(batch) < _BATCH:
                    key, future = self._wishes.popitem()
                    if batch and next(iter(batch))[2] != key[2]:
                        self._wishes[key] = future
                        break
                    if future.set_running_or_notify_cancel():
                        batch[key] = future
                if batch:
                    return batch
                self._change.wait()

    def _make(self, batch: dict[Key, Future[Made]]) -> None:
        sources = {source.name: source for source in self._catalog.sources()}
        wanted = {(source, decode_name(path)): future for (source, path, _), future in batch.items()}
        size = next(iter(batch))[2]
        originals = [(sources[name], path) for name, path in wanted if name in sources]
        for made in thumbnails.make(self._catalog, originals, size, cancel=self._cancel):
            wanted[made.source, made.path].set_result(made)

    @staticmethod
    def _give_up(batch: dict[Key, Future[Made]], why: str) -> None:
        for (source, path, _), future in batch.items():
            if not future.done():
                future.set_result(Made(source, path, None, why))
