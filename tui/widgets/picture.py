"""A photo's picture in the terminal, or the words that stand for it."""

from __future__ import annotations

import asyncio
from typing import cast

from PIL import Image, UnidentifiedImageError
from textual import work
from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from lumina_fs.thumbnails import Made
from lumina_fs.viewing.access import Photo
from tui.foreign import foreign, named
from tui.host import Host
from tui.session import Session
from tui.widgets import canvases, drawing

#: Larger ones are none of ours.
_MOST_PIXELS = 1024 * 1024


class Picture(Widget):
    """Shows one photo at a time, as large as it may. What cannot be drawn is told in words."""

    DEFAULT_CSS = """
    Picture { height: 1fr; width: 1fr; }
    Picture Center, Picture Middle { width: 1fr; height: 1fr; }
    Picture .canvas { width: auto; height: auto; max-width: 100%; max-height: 100%; }
    Picture .words { width: auto; height: auto; max-width: 100%; color: $foreground 60%; text-align: center; }
    """

    app: Host
    photo: reactive[Photo | None] = reactive(None, layout=False)

    def __init__(self, *, size: int = 1024, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._size_wanted = size

    def compose(self) -> ComposeResult:
        """A canvas, and words."""
        with Middle(), Center():
            if drawing.draws():
                canvas = canvases.canvas()
                canvas.add_class("canvas")
                yield canvas
            yield Static("", classes="words")

    def watch_photo(self, photo: Photo | None) -> None:
        """Words at once, the picture as soon as it is there."""
        if self.is_mounted:
            self._show(photo)

    def on_mount(self) -> None:
        """What was set before."""
        self._show(self.photo)

    def _show(self, photo: Photo | None) -> None:
        self._words(words_for(photo) if photo is not None else "")
        self._set(None)
        if photo is not None and drawing.draws():
            self._draw(photo)

    @work(exclusive=True)
    async def _draw(self, photo: Photo) -> None:
        session = self.app.session
        if session is None or photo.missing:
            return
        place = await asyncio.to_thread(session.thumbnails.cached, photo.sha256, self._size_wanted)
        if place is None:
            made = await self._made(session, photo)
            place = made.thumbnail
            if place is None:
                self._words(f"{words_for(photo)}\n{made.why}")
                return
        try:
            image = await asyncio.to_thread(read_thumbnail, place)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            self._words(f"{words_for(photo)}\n{error}")
            return
        self._words("")
        self._set(image)

    async def _made(self, session: Session, photo: Photo) -> Made:
        """The thumbnail that is made for all who wish it; that one of them gives up is nothing to the others."""
        while True:
            wish = session.thumbnails.wish(photo.source, photo.path, self._size_wanted)
            try:
                return await asyncio.wrap_future(wish)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not wish.cancelled() or session.cancel.is_set() or (task is not None and task.cancelling()):
                    raise

    def _words(self, text: str) -> None:
        for words in self.query(".words").results(Static):
            words.update(Content("\n").join(foreign(line) for line in text.split("\n")))
            words.display = bool(text)

    def _set(self, image: Image.Image | None) -> None:
        for canvas in self.query(".canvas"):
            canvas.display = image is not None
            cast("canvases.Canvas", canvas).image = image


def read_thumbnail(place: str) -> Image.Image:
    """A thumbnail of ours, decoded. Raises OSError and Pillow's errors for what is none."""
    with Image.open(place, formats=("JPEG",)) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise OSError("is no thumbnail of ours")
        return image.convert("RGB")


def words_for(photo: Photo) -> str:
    """What stands for a picture that is not drawn."""
    name = named(photo.path).rpartition("/")[2]
    size = f"{photo.width} x {photo.height}" if photo.width else ""
    facts = [photo.format, size, (photo.taken or "")[:10]]
    lines = [name, " · ".join(fact for fact in facts if fact)]
    if photo.missing:
        lines.append("the original is missing")
    return "\n".join(lines)
