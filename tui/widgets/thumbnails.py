"""Thumbnails as lines of characters: read and drawn in threads, kept while they are looked at, given up with sight."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from lumina_fs.thumbnails import Made
from lumina_fs.viewing.thumbnail_desk import ThumbnailDesk
from tui.widgets import drawing
from tui.widgets.half_blocks import read_thumbnail
from tui.widgets.picture_lines import Drawn, Ground, Lines

#: How much of drawn thumbnails is kept: bytes here, or pixels in the terminal, which takes four bytes for each.
_KEPT = 40_000_000
_LITTLE = 200
_SMALL, _LARGE = 150, 1024


class Wanted(NamedTuple):
    """A thumbnail in a field of so many columns and lines, drawn in some way."""

    source: str
    path: str
    sha256: str | None
    columns: int
    lines: int
    large: bool = False
    way: drawing.Way = "blocks"

    @property
    def size(self) -> int:
        """Which thumbnails serve it."""
        return _LARGE if self.large else _SMALL


class Thumbnails:
    """What is drawn, and what is on its way. `came` hears of each, `tell` writes to the terminal; both are
    called in the loop of the app."""

    def __init__(self, came: Callable[[Wanted], None], tell: Callable[[str], None]) -> None:
        self._came = came
        self._tell = tell
        self._drawn: OrderedDict[Wanted, Drawn | str] = OrderedDict()
        self._kept = 0
        self._on_its_way: dict[Wanted, Future[Made] | None] = {}
        self._ground: Ground | None = None
        self._threads: ThreadPoolExecutor | None = None

    def get(self, wanted: Wanted) -> Lines | str | None:
        """What is drawn, or why there is nothing (a text); None while it is on its way."""
        found = self._drawn.get(wanted)
        if found is not None:
            self._drawn.move_to_end(wanted)
        return found.lines if isinstance(found, Drawn) else found

    def want(self, desk: ThumbnailDesk, wanted: Sequence[Wanted], ground: Ground) -> None:
        """See to it that these come, first ones first, and no others any more."""
        if ground != self._ground:  # another theme, or larger letters
            self.forget()
            self._ground = ground
        asked = set(wanted)
        self._give_up(self._on_its_way.keys() - asked)
        loop = asyncio.get_running_loop()
        for key in wanted:
            if key not in self._drawn and key not in self._on_its_way:
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(2, "drawing")
                self._on_its_way[key] = None
                self._threads.submit(self._look, loop, desk, key, ground)

    def forget(self) -> None:
        """Everything that is drawn, here and in the terminal, and what is on its way."""
        self._tell("".join(drawn.leaves for drawn in self._drawn.values() if isinstance(drawn, Drawn)))
        self._drawn.clear()
        self._kept = 0
        self._give_up(self._on_its_way)

    def _give_up(self, keys: Iterable[Wanted]) -> None:
        for key in list(keys):
            wish = self._on_its_way.pop(key)
            if wish is not None:
                wish.cancel()

    def close(self) -> None:
        """Give up what is on its way."""
        self._give_up(self._on_its_way)
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    # -- in the threads

    def _look(self, loop: asyncio.AbstractEventLoop, desk: ThumbnailDesk, key: Wanted, ground: Ground) -> None:
        if key not in self._on_its_way:
            return  # nobody looks any more
        place = desk.cached(key.sha256, key.size)
        if place is not None:
            _call(loop, self._done, key, _drawn(place, key, ground), ground)
        else:
            _call(loop, self._wish, desk, key, ground)

    # -- in the loop

    def _wish(self, desk: ThumbnailDesk, key: Wanted, ground: Ground) -> None:
        if key not in self._on_its_way:
            return
        loop = asyncio.get_running_loop()
        wish = self._on_its_way[key] = desk.wish(key.source, key.path, key.size)

        def made(future: Future[Made]) -> None:
            if future.cancelled():
                _call(loop, self._again, desk, key, ground, future)
                return
            result = future.result()
            drawn: Drawn | str = result.why or "no picture"
            if result.thumbnail is not None:
                drawn = _drawn(result.thumbnail, key, ground)
            _call(loop, self._done, key, drawn, ground)

        wish.add_done_callback(made)

    def _again(self, desk: ThumbnailDesk, key: Wanted, ground: Ground, wish: Future[Made]) -> None:
        """The same thumbnail was given up for another way to draw it, and this one is wanted still."""
        if self._on_its_way.get(key) is wish:
            self._wish(desk, key, ground)

    def _done(self, key: Wanted, drawn: Drawn | str, ground: Ground) -> None:
        if ground != self._ground:
            return  # drawn anew for the theme or the letters that there are now
        self._on_its_way.pop(key, None)
        self._drop(key)
        self._drawn[key] = drawn
        self._kept += _weight(drawn)
        while self._kept > _KEPT and len(self._drawn) > 1:
            self._drop(next(iter(self._drawn)))
        if isinstance(drawn, Drawn):
            self._tell(drawn.arrives)
        self._came(key)

    def _drop(self, key: Wanted) -> None:
        old = self._drawn.pop(key, None)
        if old is not None:
            self._kept -= _weight(old)
        if isinstance(old, Drawn):
            self._tell(old.leaves)


def _weight(drawn: Drawn | str) -> int:
    return drawn.weight if isinstance(drawn, Drawn) else _LITTLE


def _drawn(place: str, key: Wanted, ground: Ground) -> Drawn | str:
    try:
        return drawing.drawn(key.way, read_thumbnail(place), key.columns, key.lines, ground)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return str(error)


def _call(loop: asyncio.AbstractEventLoop, what: Callable[..., None], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the app has ended
        loop.call_soon_threadsafe(what, *args)
