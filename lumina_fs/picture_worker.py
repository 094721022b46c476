"""The program of a worker process that makes something of a picture: a thumbnail, the reduced picture, or the digest
of its pixels. An order in, bytes out, nothing written."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lumina_fs.errors import LuminaError
from lumina_fs.exif import ExifReader, OpenFile
from lumina_fs.filetypes import Identified, extension, identify
from lumina_fs.original import (
    Limits,
    Picture,
    Reading,
    decode,
    decode_preview,
    read_original,
    reduction,
    render,
    render_preview,
)
from lumina_fs.pixels import pixel_digest
from lumina_fs.pool import Beat, serve
from lumina_fs.roots import Root
from lumina_fs.undecodable import Undecodable
from lumina_fs.worker import prepare_process

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from PIL import Image

_QUALITY = 82
#: Behind what a person does, before a scan.
_NICE = 5

Want = Literal["thumbnail", "reduction", "pixels"]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is told once. Without ExifTool there are no embedded previews."""

    scratch: str
    exiftool: str | None
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Order:
    """Something to make of an original with this content. `size` is that of a thumbnail, in pixels."""

    want: Want
    source: str
    root: str
    path: str
    sha256: str
    orientation: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A thumbnail's JPEG, a reduced picture of 4,096 bytes, or 32 bytes of digest; or why there is none."""

    data: bytes | None
    why: str = ""


def main(pipe: Connection, cells: Any, setup: Setup, memory: int) -> None:
    """Serve orders from `pipe` until None arrives or the parent is gone."""
    prepare_process(memory, _NICE)
    tempfile.tempdir = setup.scratch
    beat = Beat(cells)

    def answer(number: int, orders: list[Order]) -> list[Rendered]:
        answers = []
        for position, order in enumerate(orders):
            beat.at(number, position)
            answers.append(_answer(order, setup, beat))
        return answers

    serve(pipe, beat, answer)


def _answer(order: Order, setup: Setup, beat: Beat) -> Rendered:
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
        made = _MAKERS[order.want](order, reading, identified, setup)
    finally:
        os.close(fd)
    return Rendered(None, made.message) if isinstance(made, Undecodable) else Rendered(made)


def _thumbnail(order: Order, reading: Reading, identified: Identified, setup: Setup) -> bytes | Undecodable:
    limits = Limits(max_pixels=setup.max_pixels)
    image: Image.Image | Undecodable = render(reading, identified, limits, order.size)
    embedded = _preview(order, reading, image, setup)
    if embedded is not None:
        image = render_preview(embedded, order.orientation, limits, order.size)
    if isinstance(image, Undecodable):
        return image
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _reduction(order: Order, reading: Reading, identified: Identified, setup: Setup) -> bytes | Undecodable:
    limits = Limits(max_pixels=setup.max_pixels)
    picture: Picture | Undecodable = decode(reading, identified, limits)
    embedded = _preview(order, reading, picture, setup)
    if embedded is not None:
        picture = decode_preview(embedded, order.orientation, limits)
    return picture if isinstance(picture, Undecodable) else reduction(picture)


def _pixels(order: Order, reading: Reading, identified: Identified, setup: Setup) -> bytes | Undecodable:
    return pixel_digest(reading, identified, Limits(max_pixels=setup.max_pixels))


_MAKERS = {"thumbnail": _thumbnail, "reduction": _reduction, "pixels": _pixels}


def _preview(order: Order, reading: Reading, made: object, setup: Setup) -> bytes | None:
    """The picture that a camera embedded, where we cannot decode the original."""
    if not (isinstance(made, Undecodable) and made.try_preview and setup.exiftool):
        return None
    with ExifReader(setup.exiftool) as exif:
        return exif.previews(OpenFile(reading.fd, extension(order.path)))
