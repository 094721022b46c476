"""The pictures of docs/tutorial.md: `python -m tests.tui.screenshots` makes them anew from the sample photos.

`test_screenshots.py` makes them too, and compares what they say with those that are there.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from textual.pilot import Pilot

from lumina_fs import cli
from lumina_fs.catalog import Catalog
from lumina_fs.sample_photos import make_samples
from tests.tui.driving import settled, until
from tests.tui.snapshots import becomes, steady
from tui.app import LuminaApp
from tui.widgets import drawing

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
_SIZE = (100, 30)
_BASE = "lumina-snap-"
#: As long as the folder that it stands for, so that nothing moves.
_SHOWN_BASE = "/home/anna/Pictures/album"


async def take(home: Path, expected: Mapping[str, str] | None = None) -> dict[str, str]:
    """All pictures by their names. `home` is a folder for a list of catalogs that holds nothing else.

    Where texts are expected, each screen may take its time until it says what is expected of it.
    """
    with _sample_catalog(home) as folder:
        app = LuminaApp(Catalog.open(folder))
        found: dict[str, str] = {}
        async with app.run_test(size=_SIZE) as pilot:
            await _walk(pilot, app, found, expected or {})
            await app.close_session()
    return found


async def _walk(pilot: Pilot[int], app: LuminaApp, found: dict[str, str], expected: Mapping[str, str]) -> None:
    """The way of the tutorial."""

    async def shot(name: str, *, asking: bool = False) -> None:
        if not asking:  # a question waits for its answer
            await settled(pilot)
        if name in expected:
            await becomes(pilot, lambda: text_of(picture()), expected[name])
        found[name] = picture()

    def picture() -> str:
        svg = steady(app.export_screenshot(title="Lumina"))
        return re.sub(r"/tmp/lumina-snap-0{8}", _SHOWN_BASE, svg)

    async def press(*keys: str) -> None:
        await pilot.press(*keys)
        await settled(pilot)

    await press("1")
    await shot("catalogs")
    await press("2")
    await until(pilot, lambda: "IMG_0306" in text_of(app.export_screenshot()))
    await shot("photos")
    await press("slash", *"camera:canon", "enter")
    await press("down")
    await press("i")
    await until(pilot, lambda: "Dates" in text_of(app.export_screenshot()))
    await shot("photo")
    await press("i", "slash", "ctrl+u", "enter")
    await press("down")
    await press("3")
    await shot("duplicates")
    await press("4", "n")
    await until(pilot, lambda: "2018/07/" in text_of(app.export_screenshot()))
    await shot("plan-form")
    await press("ctrl+s")
    await until(pilot, lambda: "draft" in text_of(app.export_screenshot()))
    await shot("plan")
    await pilot.press("a")
    await until(pilot, lambda: "Approve this plan?" in text_of(app.export_screenshot()))
    await shot("approve", asking=True)
    await press("n")


def text_of(svg: str) -> str:
    """What a picture says: no colours, no pictures in it, nothing that differs between two machines."""
    lines: dict[str, str] = {}
    for place, said in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        lines[place] = lines.get(place, "") + html.unescape(said).replace("\u00a0", " ")
    text = "\n".join(lines.values())
    text = re.sub(r"[\d.]+ [GT]B", "some GB", text)
    text = re.sub(r"SHA-256 [0-9a-f]+", "SHA-256", text)
    return re.sub(r"[ ▀]+", " ", text)


@contextlib.contextmanager
def _sample_catalog(home: Path) -> Iterator[str]:
    """The sample photos, scanned, searched for duplicates, and free for plans to move."""
    before = os.environ.get("LUMINA_HOME")
    os.environ["LUMINA_HOME"] = str(home)
    drawing.choose("blocks")
    base = tempfile.mkdtemp(prefix=_BASE, dir="/tmp")
    try:
        folder = f"{base}/photos"
        make_samples(folder)
        for place, _, names in os.walk(folder):
            for name in names:
                os.utime(os.path.join(place, name), (1_500_000_000.5, 1_500_000_000.5))
        for words in (["scan", folder], ["source", "set", "main", "--managed", "yes"], ["duplicates", "find"]):
            at = [] if words[0] == "scan" else ["--catalog", folder]
            quiet = ["--quiet"] if words[0] == "scan" else []
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                assert cli.main([*words, *quiet, *at]) in (0, 3), words
        for size in ("150", "1024"):
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                cli.main(["cache", "thumbnail", "--all", "--size", size, "--catalog", folder])
        yield folder
    finally:
        shutil.rmtree(base, ignore_errors=True)
        os.environ.pop("LUMINA_HOME")
        if before is not None:
            os.environ["LUMINA_HOME"] = before


def main() -> int:
    """Write them."""
    with tempfile.TemporaryDirectory(prefix="lumina-home-") as home:
        found = asyncio.run(take(Path(home)))
    FOLDER.mkdir(exist_ok=True)
    for name, svg in found.items():
        (FOLDER / f"{name}.svg").write_text(svg)
    print(f"{len(found)} pictures in {FOLDER}: look at them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
