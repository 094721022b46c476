"""The program of a worker process that renders thumbnails: an order in, a small JPEG out, nothing written."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumina_fs.errors import LuminaError
from lumina_fs.exif import ExifReader, OpenFile
from lumina_fs.filetypes import extension, identify
from lumina_fs.original import Limits, read_original, render, render_preview
from lumina_fs.pool import Beat, serve
from lumina_fs.roots import Root
from lumina_fs.undecodable import Undecodable
from lumina_fs.worker import prepare_process

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told once. Without ExifTool there are no embedded previews."""

    scratch: str
    exiftool: str | None
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Order:
    """One thumbnail to make of an original with this content."""

    source: str
    root: str
    path: str
    size: int
    sha256: str
    orientation: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """The JPEG, or why there is none."""

    jpeg: bytes | None
    why: str = ""


def main(pipe: Connection, cells: Any, setup: Setup, memory: int) -> None:
    """Serve orders from `pipe` until None arrives or the parent is gone."""
    prepare_process(memory)
    tempfile.tempdir = setup.scratch
    beat = Beat(cells)

    def answer(number: int, orders: list[Order]) -> list[Rendered]:
        answers = []
        for position, order in enumerate(orders):
            beat.at(number, position)
            answers.append(_render(order, setup, beat))
        return answers

    serve(pipe, beat, answer)


def _render(order: Order, setup: Setup, beat: Beat) -> Rendered:
    limits = Limits(max_pixels=setup.max_pixels)
    try:
        with Root.open(order.root) as root:
            fd = root.open_file(order.path)
    except LuminaError as error:
        return Rendered(None, str(error))
    except OSError as error:
        return Rendered(None, error.strerror or type(error).__name__)
    try:
        reading = read_original(fd, beat.alive)
        if reading.sha256 != order.sha256:
            return Rendered(None, "it changed since it was scanned: lumina scan")
        identified = identify(os.path.basename(order.path), reading.head)
        if identified is None:
            return Rendered(None, "it is no picture and no video")
        image = render(reading, identified, limits, order.size)
        if isinstance(image, Undecodable) and image.try_preview and setup.exiftool:
            with ExifReader(setup.exiftool) as exif:
                embedded = exif.previews(OpenFile(fd, extension(order.path)))
            if embedded is not None:
                image = render_preview(embedded, order.orientation, limits, order.size)
    finally:
        os.close(fd)
    if isinstance(image, Undecodable):
        return Rendered(None, image.message)
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=_QUALITY)
    return Rendered(out.getvalue())
