"""Models that see colours, without torch: they stand where the process of the models stands."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Self

import numpy as np
from PIL import Image

from lumina_fs.catalog import Catalog
from lumina_fs.errors import ToolMissing
from lumina_fs.measure.orders import Box, Look, Seen
from lumina_fs.progress import Finished
from lumina_fs.tagging.classify import TextVectors
from lumina_fs.tagging.run import TagResult, tag
from lumina_fs.tagging.wishes import Wishes
from tests.conftest import Library
from tests.lumina_fs.tagging.tiny_models import COLOURS, VOCABULARY


class FakeModels:
    """A maker of models, and the models that it makes. It counts what it was asked."""

    def __init__(self) -> None:
        self.looks: list[str] = []
        self.asked_texts = 0
        self.fetch: bool | None = None
        self.absent = ""
        self.meanwhile: Callable[[], None] | None = None
        self._cancel = threading.Event()

    def __call__(self, catalog: Catalog, wishes: Wishes, cancel: threading.Event, fetch: bool) -> FakeModels:
        self.fetch, self._cancel = fetch, cancel
        return self

    def hindrance(self, measurers: Collection[str]) -> str | None:
        """Nothing is ever missing."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        return

    def texts(self, prompts: tuple[str, ...]) -> TextVectors | None:
        """Each colour has a direction of its own, and all other texts another."""
        self._require()
        self.asked_texts += len(prompts)
        names = list(COLOURS)
        rows = np.zeros((len(prompts), 4), np.float32)
        for at, prompt in enumerate(prompts):
            rows[at, next((names.index(name) for name in names if name in prompt), 3)] = 1
        return TextVectors(rows, 50.0)

    def look(self, batches: Iterator[Sequence[Look]]) -> Iterator[tuple[Look, Seen]]:
        """The colour that there is most of; a cow where it is green."""
        self._require()
        for batch in batches:
            for look in batch:
                self.looks.append(look.sha256)
                if self.meanwhile is not None:
                    self.meanwhile()
                if self._cancel.is_set():
                    return
                yield look, self._seen(look)

    def _require(self) -> None:
        if self.absent:
            raise ToolMissing(self.absent)

    @staticmethod
    def _seen(look: Look) -> Seen:
        with Image.open(io.BytesIO(look.jpeg)) as image:
            colour = np.asarray(image.convert("RGB").resize((1, 1))).reshape(3).astype(float)
        shares = np.append(colour / max(float(np.linalg.norm(colour)), 1.0), 0.6).astype(np.float16)
        boxes = [Box("cow", 0.81234, 0.1, 0.2, 0.3, 0.4), Box("cow", 0.5, 0.5, 0.5, 0.25, 0.25)]
        return Seen(
            shares.tobytes() if look.clip else None, (boxes if colour.argmax() == 1 else []) if look.objects else None
        )


class Tagging:
    """A library of plain colours, and runs of the job over it with models that see colours."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.models = FakeModels()
        self.events: list[Any] = []

    def colour(self, path: str, colour: str, size: tuple[int, int] = (90, 60)) -> None:
        """A photo in one colour."""
        target = self.library.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, COLOURS[colour]).save(target, "JPEG", quality=95)

    def settings(self, **values: Any) -> None:
        """Set settings of the catalog."""
        path = self.library.root / ".lumina" / "catalog.json"
        value = json.loads(path.read_bytes())
        value["settings"] = {**value.get("settings", {}), **values}
        path.write_text(json.dumps(value))

    def words(self, name: str = "words.json", **changes: Any) -> None:
        """Let the vocabulary be the colours."""
        (self.library.root / ".lumina" / name).write_text(json.dumps({**VOCABULARY, **changes}))
        self.settings(clip_vocabulary=f".lumina/{name}")

    def run(self, **options: Any) -> TagResult:
        """Run the job; its events are in `events`."""
        self.events = []
        options = {"cancel": threading.Event(), "make": self.models, **options}
        self.models.looks.clear()
        result = None
        with Catalog.open(str(self.library.root)) as catalog:
            for event in tag(catalog, **options):
                if isinstance(event, Finished):
                    result = event.result
                else:
                    self.events.append(event)
        assert result is not None
        return result

    def tags(self, path: str) -> list[tuple[str, str]]:
        """What CLIP says of a photo, by its sidecar."""
        found = self.library.value(path)["measurements"]["clip_tags"]["tags"]
        return [(tag["category"], tag["value"]) for tag in found]
