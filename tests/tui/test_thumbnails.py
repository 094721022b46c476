"""Thumbnails that are wished for in several ways at once, and given up in some of them."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future
from pathlib import Path

import pytest
from PIL import Image

from lumina_fs.catalog import Catalog
from lumina_fs.thumbnails import Made
from lumina_fs.viewing.thumbnail_desk import ThumbnailDesk
from tui.widgets.picture_lines import Ground
from tui.widgets.thumbnails import Thumbnails, Wanted

GROUND = Ground((0, 0, 0), few=False)


class SlowDesk(ThumbnailDesk):
    """Wishes are gathered and shared as ever, and nothing is made until the test says so."""

    def _serve(self) -> None:
        """Nobody serves."""

    def finish(self, place: Path) -> int:
        """Make all that is wished for still; how many."""
        with self._change:
            wishes, self._wishes = self._wishes, type(self._wishes)()
        pending = [(key, wish) for key, wish in wishes.items() if wish.set_running_or_notify_cancel()]
        for (source, path, _), wish in pending:
            wish.set_result(Made(source, path, str(place)))
        return len(pending)


BLOCKS = Wanted("main", "a.jpg", "0" * 64, 10, 5, way="blocks")
KITTY = BLOCKS._replace(way="kitty")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    place = tmp_path / "thumbnail.jpg"
    Image.new("RGB", (30, 20), (200, 30, 30)).save(place)
    return place


async def test_one_way_that_is_given_up_takes_no_other_with_it(tmp_path: Path, picture: Path) -> None:
    async with asyncio.timeout(60):
        await give_up_one_of_two(tmp_path, picture)


async def give_up_one_of_two(tmp_path: Path, picture: Path) -> None:
    with Catalog.create(str(tmp_path)) as catalog, contextlib.closing(SlowDesk(catalog)) as desk:
        came = asyncio.Event()
        thumbnails = Thumbnails(lambda wanted: came.set(), lambda text: None)
        thumbnails.want(desk, [BLOCKS, KITTY], GROUND)
        while len(desk._wishes) != 1 or None in thumbnails._on_its_way.values():
            await asyncio.sleep(0.01)
        shared: set[Future[Made] | None] = set(thumbnails._on_its_way.values())
        assert len(shared) == 1
        thumbnails.want(desk, [BLOCKS], GROUND)
        while thumbnails._on_its_way.get(BLOCKS) in shared:
            await asyncio.sleep(0.01)
        assert desk.finish(picture) == 1
        await came.wait()
        assert thumbnails.get(BLOCKS) is not None
        assert thumbnails.get(KITTY) is None
        thumbnails.close()
