"""A catalog of pictures that are not there: rows, reduced pictures and their views, with copies among them.

Of a hundred pictures 29 are copies of 17 others, as in the generated tree of small photos, and a thousand are one
picture with equal hashes. The reduced pictures are real ones, each mixed with clouds of its own, so that hashes and
views have the habits of photographs and unrelated pictures seldom meet.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image

from index.entry import entry, seen_line
from index.generation import Generation
from index.postgres import PostgresIndex
from index.server import serve
from lumina_fs.cache_files import write_cache
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.reduction_writer import CACHE, segment_path, write_segment
from lumina_fs.duplicates.remembered import DIGESTS
from lumina_fs.duplicates.views import SIDE, views
from lumina_fs.index_session import connect

Gray = NDArray[np.uint8]

_BLOCK = 20_000  # so many that their segments are not merged
_COPIES, _COPIED = 5_800, 3_400
_CLUSTER = 1_000
_KINDS = ("exact", "same_pixels", "re_encoded", "resized", "bright", "cropped")
_SHARES = (0.26, 0.03, 0.12, 0.29, 0.15, 0.15)


class _Picture(NamedTuple):
    number: int
    of: int
    """The number of the picture that it is a copy of, or its own."""
    kind: str
    sha256: str


@contextmanager
def library(bases: Gray, count: int) -> Iterator[Path]:
    """A catalog of `count` such pictures, with its index."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-library-") as folder,
        serve() as conninfo,
        Catalog.create(folder, managed=True) as catalog,
        PostgresIndex(conninfo, catalog.id, catalog.path) as index,
    ):
        generation = Generation(index, "new")
        with generation.filling() as fill:
            for lines, seen in originals(catalog, bases, count):
                fill(lines, b"", seen)
        generation.swap()
        yield Path(folder)
        index.drop()


def add_one(folder: Path, bases: Gray, number: int) -> None:
    """Another picture, which is no copy, under a number that nobody has."""
    with Catalog.open(str(folder)) as catalog, connect(catalog) as index:
        picture = _Picture(number, number, "alone", hashlib.sha256(b"%d" % number).hexdigest())
        [code] = _kept(catalog, [picture], _mixed(np.random.default_rng(number), bases, 1))
        index.upsert("main", [entry(_document(picture, *code), "main", _path(picture), "ab" * 32, "")])


def originals(catalog: Catalog, bases: Gray, count: int) -> Iterator[tuple[bytes, bytes]]:
    """Put the reduced pictures and pixels of `count` originals into the cache; gives COPY lines of them, and of how
    they were seen. `bases` are pictures to make others of."""
    random = np.random.default_rng(11)
    digests: dict[str, str] = {}
    for start in range(0, count, _BLOCK):
        pictures, grays = _block(random, bases, start, min(_BLOCK, count - start))
        codes = _kept(catalog, pictures, grays)
        digests.update((one.sha256, f"{one.of:064x}") for one in pictures if one.kind in ("same_pixels", "copied"))
        both = zip(pictures, codes, strict=True)
        made = [entry(_document(one, *code), "main", _path(one), "ab" * 32, "") for one, code in both]
        yield b"".join(one.line for one in made), b"".join(seen_line("main", one.seen) for one in made)
    write_cache(catalog.disk, catalog.root, DIGESTS, orjson.dumps(digests))


def bases_of(root: Path) -> Gray:
    """The reduced pictures of a catalog that was scanned."""
    files = sorted((root / CACHE).glob("*.gray"))
    return np.concatenate([np.fromfile(file, np.uint8) for file in files]).reshape(-1, SIDE, SIDE)


def _block(random: np.random.Generator, bases: Gray, start: int, count: int) -> tuple[list[_Picture], Gray]:
    alone = count - count * _COPIES // _BLOCK
    grays = np.concatenate([_mixed(random, bases, alone), np.empty((count - alone, SIDE, SIDE), np.uint8)])
    of = np.arange(count)
    of[alone:] = random.integers(0, max(1, count * _COPIED // _BLOCK), count - alone)
    kinds = ["alone"] * alone + random.choice(_KINDS, count - alone, p=_SHARES).tolist()
    if not start:
        cluster = min(_CLUSTER, count - alone)
        of[alone : alone + cluster], kinds[alone : alone + cluster] = 0, ["dotted"] * cluster
    for number in range(alone, count):
        grays[number] = _copy(random, grays[of[number]], kinds[number], number)
    for one, kind in zip(of[alone:].tolist(), kinds[alone:], strict=True):
        if kind == "same_pixels":
            kinds[one] = "copied"  # somebody has the same pixels
    pictures = []
    for number, (one, kind) in enumerate(zip(of.tolist(), kinds, strict=True)):
        named = one if kind == "exact" else number
        sha256 = hashlib.sha256(b"%d" % (start + named)).hexdigest()
        pictures.append(_Picture(start + number, start + one, kind, sha256))
    return pictures, grays


def _mixed(random: np.random.Generator, bases: Gray, count: int) -> Gray:
    """Pictures, half of each a real one, as it is or mirrored, and half clouds."""
    real = bases[random.integers(0, len(bases), count)].astype(np.float32)
    mirrored = random.random(count) < 0.5
    real[mirrored] = real[mirrored, :, ::-1]
    rows, columns = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    softly = 1 / np.maximum(np.hypot(rows, columns), 1 / SIDE)
    clouds = np.fft.irfft2(np.fft.rfft2(random.standard_normal((count, SIDE, SIDE), np.float32)) * softly)
    clouds *= 45 / clouds.std(axis=(1, 2), keepdims=True)
    return np.clip(0.5 * real + 64 + clouds, 0, 255).astype(np.uint8)


def _copy(random: np.random.Generator, gray: Gray, kind: str, number: int) -> Gray:
    if kind in ("exact", "same_pixels"):
        return gray
    if kind == "dotted":
        dotted = gray.copy()
        dotted.flat[number % dotted.size] ^= 1
        return dotted
    made = gray.astype(np.float32)
    if kind == "bright":
        made = made * 0.9 + 14
    if kind == "cropped":
        left, top = random.uniform(0, 4, 2)
        box = (left, top, left + 60, top + 60)
        made = np.asarray(Image.fromarray(gray).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box), np.float32)
    return np.clip(made + random.normal(0, 1, gray.shape), 0, 255).astype(np.uint8)


def _kept(catalog: Catalog, pictures: list[_Picture], grays: Gray) -> list[tuple[int, int]]:
    """Leave a segment of reduced pictures; gives pHash and dHash of each."""
    codes = np.concatenate([np.stack(views(grays[at : at + 512]), 1) for at in range(0, len(grays), 512)])
    new = [number for number, one in enumerate(pictures) if one.kind != "exact"]
    keys = [bytes.fromhex(pictures[number].sha256) for number in new]
    name = write_segment(catalog, keys, [grays[number].tobytes() for number in new])
    assert name is not None
    write_cache(catalog.disk, catalog.root, segment_path(name, "views"), codes[new].astype("<u8").tobytes())
    return [(int(phash), int(dhash)) for phash, dhash in codes[:, :, 0].tolist()]


def _path(one: _Picture) -> str:
    day = one.number // 50
    folder = f"{2005 + day // 1200}/{2005 + day // 1200}-{day // 100 % 12 + 1:02}-{day % 28 + 1:02}"
    name = f"IMG_{one.of:07}"
    return f"{folder}/{name}.JPG" if one.of == one.number else f"Backup/{folder}/{name}-{one.number:07} {one.kind}.JPG"


def _document(one: _Picture, phash: int, dhash: int) -> dict[str, Any]:
    """A sidecar. A copy has the date and the camera of what it is a copy of, and most are smaller."""
    width, height = (2016, 1512) if one.kind == "resized" else (4032, 3024)
    seconds = one.of * 397
    local = np.datetime_as_string(np.datetime64("2005-01-01T00:00:00") + np.timedelta64(seconds, "s"))
    exact = one.kind == "exact"  # files with one content have one size and one quality
    marks = one.of if exact else one.number
    return {
        "kind": "sidecar", "version": 1, "id": f"00000000-0000-7000-8000-{one.number:012x}",
        "original": {"media": "image", "name": "x.JPG", "size": 2_000_000 + marks % 1_000_000, "mtime_ns": one.number,
                     "sha256": one.sha256, "format": "JPEG", "width": width, "height": height},
        "origin": {"source": "main", "mode": "reference", "first_path": _path(one)},
        "capture": {"taken": {"local": str(local), "source": "exif", "confidence": 95}, "orientation": 1,
                    "camera": {"make": "Canon", "model": f"Canon EOS {one.of % 7}"}, "lens": {"model": "50mm f/1.8"}},
        "measurements": {"phash": {"version": 1, "value": f"{phash:016x}"},
                         "dhash": {"version": 1, "value": f"{dhash:016x}"},
                         "quality": {"version": 1, "value": 90 - marks * 7 % 400 / 10, "parts": {"format": 30.0}}},
    }  # fmt: skip
