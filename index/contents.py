"""What the search for duplicates asks the index: the codes of all contents at once, and the rows of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.parts import Keys, KeysDumper, keys_of, of_parts
from index.postgres import PostgresIndex
from index.records import sql

#: Contents lie strewn over the table, so each question reads most of it: few questions, though not all rows in one.
_CONTENTS_AT_ONCE = 50_000

_HASHED, _IMAGE = "phash IS NOT NULL AND dhash IS NOT NULL", "media = 'image' AND quality IS NOT NULL"
#: How the codes are asked for, and what comes; of the ETag, which is a digest, the beginning is used.
_CODES = (
    ("sha256", "V32"),
    ("int8send(coalesce(phash, 0))", ">u8"),
    ("int8send(coalesce(dhash, 0))", ">u8"),
    (
        f"int2send((CASE WHEN {_HASHED} THEN 1 ELSE 0 END + CASE WHEN {_IMAGE} THEN 2 ELSE 0 END)::int2)",
        ">u2",
    ),
    ("int8send(size)", ">i8"),
    ("etag", "V32"),
    ("int8send(hashtextextended(path, hashtextextended(source, 0)))", "u8"),
)


class Codes(NamedTuple):
    """Every present original that was read, in no order; arrays of one length."""

    sha256: NDArray[np.void]
    """32 bytes each."""
    phash: NDArray[np.uint64]
    dhash: NDArray[np.uint64]
    hashed: NDArray[np.bool_]
    """False where the picture holds too little for its hashes to mean anything, or there are none."""
    image: NDArray[np.bool_]
    """False for videos, and for what cannot be decoded."""
    size: NDArray[np.int64]
    stamp: NDArray[np.void]
    """24 bytes: the same as long as the place of the original and what its sidecar says are."""


class Twin(NamedTuple):
    """A present original, with what tells twins apart. `path` is encoded as in documents."""

    source: str
    path: str
    sha256: str
    media: str
    format: str
    size: int
    width: int | None
    height: int | None
    duration: float | None
    """Seconds, of what moves."""
    quality: float | None
    parts: str | None
    """The parts of the quality, as JSON."""
    taken: str | None
    """The date in force, wall time."""
    recorded: str | None
    """When the camera says it was exposed, wall time; None where the date comes from elsewhere."""
    offset: str | None
    """Offset from UTC of the recorded date, where it is known."""
    camera: str | None
    serial: str | None
    orientation: int
    """EXIF orientation of the stored pixels, 1 where none is known."""


def recorded(date: str) -> str:
    """SQL of when the camera says an original was exposed, by the block of its date (jsonb)."""
    sure = f"{date} ->> 'source' IN ('exif', 'xmp', 'quicktime') AND ({date} ->> 'confidence')::int >= 90"
    return f"CASE WHEN {sure} THEN {date} ->> 'local' END"


_DATE = "(rest -> 'capture' -> 'taken')"
#: How each field of `Twin` is asked for.
_TWIN = {
    **{name: name for name in Twin._fields},
    "sha256": "encode(sha256, 'hex')",
    "quality": "quality::text::float8",  # a real has other digits when it comes in binary
    "parts": "rest ->> 'quality'",
    "taken": "taken_text",
    "recorded": recorded(_DATE),
    "offset": f"{_DATE} ->> 'offset'",
    "serial": "rest #>> '{capture,camera,serial}'",
    "orientation": "coalesce((rest #>> '{capture,orientation}')::int, 1)",
}


def codes(index: PostgresIndex) -> Codes:
    """The codes of all. A row for each would cost the driver four times as much: they come as a few long strings."""
    parts = of_parts(index, partial(_columns, index))
    sha256, phash, dhash, marks, size, etag, place = (
        np.frombuffer(b"".join(part[at] or b"" for part in parts), kind) for at, (_, kind) in enumerate(_CODES)
    )
    stamp = np.empty((len(size), 3), np.uint64)
    stamp[:, :2] = etag.view(np.uint64).reshape(-1, 4)[:, :2]
    stamp[:, 2] = place
    return Codes(
        sha256,
        phash.astype(np.uint64),
        dhash.astype(np.uint64),
        marks & 1 != 0,
        marks & 2 != 0,
        size.astype(np.int64),
        stamp.view("V24")[:, 0],
    )


def _columns(index: PostgresIndex, part: str) -> str:
    # to put a row together first takes the server longer
    wanted = ", ".join(f"string_agg({asked}, NULL)" for asked, _ in _CODES)
    return f"SELECT {wanted} FROM {index.schema}.original WHERE sha256 IS NOT NULL AND NOT missing AND size > 0{part}"


def twins(index: PostgresIndex, contents: Sequence[str]) -> Iterator[Twin]:
    """All present originals with these contents (SHA-256, hex), in the order of source and path within a content."""
    query = (
        f"SELECT {', '.join(_TWIN.values())} FROM {index.schema}.original WHERE NOT missing "
        "AND sha256 = ANY(%s::bytea[]) ORDER BY sha256, source, path"
    )
    for start in range(0, len(contents), _CONTENTS_AT_ONCE):
        with index.cursor() as cursor:
            cursor.adapters.register_dumper(Keys, KeysDumper)
            keys = Keys(keys_of(contents[start : start + _CONTENTS_AT_ONCE]))
            yield from map(Twin._make, cursor.execute(sql(query), (keys,)))


class Described(NamedTuple):
    """What people and cameras said of an original: of the rating, the place, and the blocks of its sidecar."""

    rating: int | None
    latitude: float | None
    longitude: float | None
    rest: dict[str, Any]
    """`curation` and `capture`, as the index keeps them."""


def described(index: PostgresIndex, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Described]:
    """The originals at these (source, path), those that are known."""
    query = (
        f"SELECT source, path, rating, latitude, longitude, rest FROM {index.schema}.original "
        "JOIN unnest(%s::text[], %s::text[]) k(source, path) USING (source, path)"
    )
    with index.cursor() as cursor:
        rows = cursor.execute(sql(query), ([key[0] for key in keys], [key[1] for key in keys]))
        return {(source, path): Described(*values) for source, path, *values in rows}


def live_pairs(index: PostgresIndex) -> list[tuple[str, str]]:
    """(still, video) contents that share the identifier of a Live Photo, in order."""
    query = (
        "SELECT DISTINCT encode(a.sha256, 'hex'), encode(b.sha256, 'hex') FROM {0} a JOIN {0} b "
        "ON a.content_id = b.content_id WHERE a.media = 'image' AND b.media = 'video' AND NOT a.missing "
        "AND NOT b.missing AND a.sha256 IS NOT NULL AND b.sha256 IS NOT NULL "
        "AND a.content_id IS NOT NULL AND b.content_id IS NOT NULL "  # so that the index of those few is used
        "ORDER BY 1, 2"
    ).format(f"{index.schema}.original")
    with index.cursor() as cursor:
        return cursor.execute(sql(query)).fetchall()
