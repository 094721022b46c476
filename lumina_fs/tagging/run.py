"""The job: originals without the current answer of the models are looked at, and their sidecars say what was seen.

It may be stopped and killed at any moment: what is written stays, and the next run goes on with the rest.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumina_fs import pictures
from lumina_fs.catalog import Catalog
from lumina_fs.errors import SettingsError, ToolMissing
from lumina_fs.measure.orders import Look, Seen
from lumina_fs.picture_worker import Order
from lumina_fs.progress import Event, Finished, Note, Progress, Throttle, Trouble
from lumina_fs.tagging import models as model_process
from lumina_fs.tagging.classify import Classifier, TextVectors
from lumina_fs.tagging.findings import clip_finding, objects_finding
from lumina_fs.tagging.models import Maker, Models
from lumina_fs.tagging.targets import Content, Place, Targets
from lumina_fs.tagging.vectors import Vectors
from lumina_fs.tagging.wishes import CLIP, OBJECTS, VERSIONS, Wishes, wishes
from lumina_fs.tagging.writing import Writer
from lumina_fs.thumbnails import place

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Texts that a model is asked for at once.
_TEXTS = 64
#: The longest side of the pictures that models see, in pixels: that of the larger thumbnails.
SIDE = 1024


@dataclass(frozen=True, slots=True)
class TagResult:
    """What a run did. `passed_over` says why nothing was done, where models cannot be had and need not be."""

    photos: int = 0
    """Originals that lacked an answer."""
    tagged: int = 0
    """Sidecars that were written."""
    current: int = 0
    """Originals that had all answers."""
    undecodable: int = 0
    """Originals of which there is no picture to look at."""
    problems: int = 0
    """Originals that could not be looked at, and sidecars that could not be written."""
    index: str = "current"
    passed_over: str = ""
    cancelled: bool = False
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def tag(
    catalog: Catalog,
    *,
    cancel: threading.Event,
    photos: Sequence[Place] | None = None,
    measurers: Collection[str] = tuple(VERSIONS),
    again: bool = False,
    optional: bool = False,
    make: Maker | None = None,
) -> Iterator[Event | Finished[TagResult]]:
    """Look at these originals (None: all) with these measurers.

    `again`: also at those that have the answer. `optional`: where a model cannot be had this is said, and no more;
    nothing is fetched then. Raises ToolMissing, SettingsError, SourceOffline, UsageError.
    """
    maker = make or model_process.ModelProcess
    try:
        missing = maker.hindrance(measurers) if optional else None
        if missing is not None:  # said before all sidecars are read
            raise ToolMissing(missing)
        yield from _Run(catalog, wishes(catalog, measurers), cancel, again, optional, maker).events(photos)
    except (ToolMissing, SettingsError) as error:
        if not optional:
            raise
        yield Note(f"tagging is passed over: {error}")
        yield Finished(TagResult(passed_over=str(error)))


class _Run:
    """One run."""

    def __init__(
        self, catalog: Catalog, wanted: Wishes, cancel: threading.Event, again: bool, optional: bool, make: Maker
    ) -> None:
        self._catalog = catalog
        self._wishes = wanted
        self._cancel = cancel
        self._make = make
        self._fetch = not optional
        self._targets = Targets(catalog, wanted, again, cancel)
        self._writer = Writer(catalog)
        self._vectors = Vectors(catalog, wanted.clip_identity) if wanted.clip is not None else None
        self._again = again
        self._classifier: Classifier | None = None
        self._counts: Counter[str] = Counter()
        self._throttle = Throttle()
        self._done = self._total = self._problems = 0

    def events(self, photos: Sequence[Place] | None) -> Iterator[Event | Finished[TagResult]]:
        """Do it, and tell."""
        begun = time.monotonic()
        for event in self._steps(photos):
            self._problems += isinstance(event, Trouble)
            yield event
        counts, written = self._targets.counts, self._writer.counts
        yield Finished(
            TagResult(
                photos=self._total, tagged=written["tagged"], current=counts["current"],
                undecodable=counts["undecodable"] + self._counts["undecodable"], problems=self._problems,
                index=self._writer.index, cancelled=self._cancel.is_set(), seconds=round(time.monotonic() - begun, 2),
            )
        )  # fmt: skip

    def _steps(self, photos: Sequence[Place] | None) -> Iterator[Event]:
        yield from self._targets.find(photos)
        contents = self._targets.contents
        self._total = sum(len(content.places) for content in contents.values())
        if contents and not self._cancel.is_set():
            with self._make(self._catalog, self._wishes, self._cancel, self._fetch) as models:
                try:
                    yield from self._look(contents, models)
                finally:
                    if self._vectors is not None:
                        self._vectors.flush()
                yield from self._writer.flush()

    def _look(self, contents: dict[str, Content], models: Models) -> Iterator[Event]:
        if self._wishes.clip is not None and any(CLIP in content.needs for content in contents.values()):
            assert self._vectors is not None
            self._vectors.recall(contents)
            yield from self._prepare(models)
            if self._classifier is None:
                return
        rest = []
        for content in contents.values():
            if not self._again:
                yield from self._by_vector(content)
            if content.needs:
                rest.append(content)
        if not rest:
            return
        yield self._loading()
        size, troubles = self._catalog.settings.model_batch, list[Trouble]()
        for look, seen in models.look(_batched(self._looks(rest, troubles), size)):
            content = contents[look.sha256]
            yield from self._take(content, look, seen)
            yield from self._written(content)
        yield from troubles

    def _prepare(self, models: Models) -> Iterator[Event]:
        """The vectors of the vocabulary: from the cache, else worked out once."""
        vocabulary, vectors = self._wishes.vocabulary, self._vectors
        assert vectors is not None
        texts = vectors.texts(vocabulary.digest, len(vocabulary.prompts))
        if texts is None:
            yield self._loading()
            pieces: list[TextVectors] = []
            prompts = vocabulary.prompts
            for start in range(0, len(prompts), _TEXTS):
                if start:
                    yield Progress("reading the vocabulary", start, len(prompts), "texts")
                piece = models.texts(prompts[start : start + _TEXTS])
                if piece is None:
                    return
                pieces.append(piece)
            texts = TextVectors(np.concatenate([piece.rows for piece in pieces]), pieces[0].scale)
            vectors.add_texts(vocabulary.digest, texts)
        wanted = self._wishes
        self._classifier = Classifier(vocabulary, texts, threshold=wanted.threshold, most=wanted.most)

    def _loading(self) -> Progress:
        """What is said before a model is asked for the first time: it may take a while."""
        stage = "loading models, and fetching them if need be" if self._fetch else "loading models"
        return Progress(stage, 0, None, "models")

    def _by_vector(self, content: Content) -> Iterator[Event]:
        """Other words or another threshold need no picture, where its vector is there."""
        if CLIP not in content.needs or self._vectors is None:
            return
        vector = self._vectors.get(content.sha256)
        if vector is None:
            return
        content.found |= self._clip(vector)
        content.needs -= {CLIP}
        if not content.needs:
            self._say(content)
            yield from self._written(content)

    def _clip(self, vector: bytes) -> dict[str, Any]:
        assert self._classifier is not None
        return clip_finding(self._wishes.stamps[CLIP], self._classifier.tags(vector))

    def _take(self, content: Content, look: Look, seen: Seen) -> Iterator[Event]:
        if seen.broken:
            self._counts["undecodable"] += len(content.places)
            yield Trouble(*content.places[0], "not_looked_at", seen.broken)
            return
        if seen.vector is not None and self._vectors is not None:
            self._vectors.add(content.sha256, seen.vector)
            content.found |= self._clip(seen.vector)
        if seen.objects is not None:
            content.found |= objects_finding(self._wishes.stamps[OBJECTS], seen.objects)
        self._say(content)

    def _say(self, content: Content) -> None:
        for one in content.places:
            self._writer.add(one, content.sha256, content.found)

    def _written(self, content: Content) -> Generator[Event, None, None]:
        self._done += len(content.places)
        if self._writer.due():
            yield from self._writer.flush()
        if self._throttle.due() or self._done == self._total:
            yield Progress("looking at photos", self._done, self._total, "photos")

    # -- pictures

    def _looks(self, contents: list[Content], troubles: list[Trouble]) -> Iterator[Look]:
        """The pictures of contents: from the thumbnails that are there, else from workers that open the originals."""
        orders: list[Order] = []
        by_digest = {content.sha256: content for content in contents}
        for content in contents:
            if self._cancel.is_set():
                return
            jpeg = _kept(self._catalog, content.sha256)
            if jpeg is not None:
                yield self._asked(content, jpeg)
            else:
                source, path = content.places[0]
                orders.append(Order("thumbnail", source, content.root, path, content.sha256, content.orientation, SIDE))
        for order, made in pictures.make(self._catalog, orders, cancel=self._cancel):
            content = by_digest[order.sha256]
            if made.data is not None:
                yield self._asked(content, made.data)
            else:
                self._counts["undecodable"] += len(content.places)
                self._done += len(content.places)
                troubles.append(Trouble(order.source, order.path, "not_looked_at", f"there is no picture: {made.why}"))

    @staticmethod
    def _asked(content: Content, jpeg: bytes) -> Look:
        return Look(content.sha256, jpeg, CLIP in content.needs, OBJECTS in content.needs)


def _kept(catalog: Catalog, sha256: str) -> bytes | None:
    """The large thumbnail of a content, if it is in the cache."""
    try:
        with open(os.path.join(catalog.path, place(sha256, SIDE)), "rb") as file:
            return file.read()
    except OSError:
        return None


def _batched(looks: Iterable[Look], size: int) -> Iterator[list[Look]]:
    batch: list[Look] = []
    for look in looks:
        batch.append(look)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
