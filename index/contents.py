"""What the search for duplicates asks the index: the codes of all contents at once, and the rows of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.parts import Keys, KeysDumper, of_parts
from index.postgres import PostgresIndex
from index.records import sql

_RECORD = np.dtype(
    [
        ("sha256", "V32"), ("phash", ">u8"), ("dhash", ">u8"), ("hashed", ">u2"), ("image", ">u2"), ("size", ">i8"),
        ("stamp", "V24"),
    ]
)  # fmt: skip
#: Contents lie strewn over the table, so each question reads most of it: few questions, though not all rows in one.
_CONTENTS_AT_ONCE = 50_000
#: Contents that are asked for in columns at once.
_COLUMNS_AT_ONCE = 1 << 20
#: More than so many lie all over the table.
_MANY = 5_000


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


def _said(name: str) -> str:
    return f"rest #>> '{{capture,taken,{name}}}'"


#: How each field of `Twin` is asked for.
_TWIN = {
    **{name: name for name in Twin._fields},
    "sha256": "encode(sha256, 'hex')",
    "quality": "quality::text::float8",  # a real has other digits when it comes in binary
    "parts": "rest ->> 'quality'",
    "taken": "taken_text",
    "recorded": (
        f"CASE WHEN {_said('source')} IN ('exif', 'xmp', 'quicktime') AND ({_said('confidence')})::int >= 90 "
        f"THEN {_said('local')} END"
    ),
    "offset": _said("offset"),
    "serial": "rest #>> '{capture,camera,serial}'",
    "orientation": "coalesce((rest #>> '{capture,orientation}')::int, 1)",
}


def codes(index: PostgresIndex) -> Codes:
    """The codes of all. A row for each would cost the driver four times as much: they come as a few long strings."""
    rows = np.frombuffer(b"".join(row[0] or b"" for row in of_parts(index, _records(index))), _RECORD)
    return Codes(
        rows["sha256"].copy(),
        rows["phash"].astype(np.uint64),
        rows["dhash"].astype(np.uint64),
        rows["hashed"] == 1,
        rows["image"] == 1,
        rows["size"].astype(np.int64),
        rows["stamp"].copy(),
    )


def _records(index: PostgresIndex) -> str:
    hashed, image = "phash IS NOT NULL AND dhash IS NOT NULL", "media = 'image' AND quality IS NOT NULL"
    record = " || ".join(
        (
            "sha256",
            "int8send(coalesce(phash, 0))",
            "int8send(coalesce(dhash, 0))",
            f"int2send(({hashed})::int::int2)",
            f"int2send(({image})::int::int2)",
            "int8send(size)",
            "substr(etag, 1, 16)",
            "int8send(hashtextextended(source || '/' || path, 0))",
        )
    )
    where = "sha256 IS NOT NULL AND NOT missing AND size > 0"
    return f"SELECT string_agg({record}, ''::bytea) FROM {index.schema}.original WHERE {where}"


def twins(index: PostgresIndex, contents: Sequence[str]) -> Iterator[Twin]:
    """All present originals with these contents (SHA-256, hex), in the order of source and path within a content."""
    query = (
        f"SELECT {', '.join(_TWIN.values())} FROM {index.schema}.original WHERE NOT missing "
        "AND sha256 = ANY(%s::bytea[]) ORDER BY sha256, source, path"
    )
    for start in range(0, len(contents), _CONTENTS_AT_ONCE):
        with index.cursor() as cursor:
            cursor.adapters.register_dumper(Keys, KeysDumper)
            yield from map(Twin._make, cursor.execute(sql(query), (Keys(contents[start : start + _CONTENTS_AT_ONCE]),)))


class Columns(NamedTuple):
    """What `Twin` has, but for the parts of the quality, of many present originals in no order: lists of one length."""

    source: list[str]
    path: list[str]
    sha256: list[str]
    media: list[str]
    format: list[str]
    size: list[int]
    width: list[int | None]
    height: list[int | None]
    duration: list[float | None]
    quality: list[float | None]
    taken: list[str | None]
    recorded: list[str | None]
    offset: list[str | None]
    camera: list[str | None]
    serial: list[str | None]
    orientation: list[int]


def columns(index: PostgresIndex, contents: Sequence[str]) -> Columns:
    """The same originals. A row for each would cost the driver eight times as much, and the server a sort."""
    wanted = ", ".join(f"array_agg({_TWIN[name]})" for name in Columns._fields)
    query = f"SELECT {wanted} FROM {index.schema}.original WHERE NOT missing AND sha256 = ANY(%s::bytea[])"
    found: list[list[Any]] = [[] for _ in Columns._fields]
    for start in range(0, len(contents), _COLUMNS_AT_ONCE):
        keys = Keys(contents[start : start + _COLUMNS_AT_ONCE])
        for row in of_parts(index, query, [keys], many=len(contents) > _MANY):
            for column, values in zip(found, row, strict=True):
                column += values or ()
    return Columns(*found)


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
        "ORDER BY 1, 2"
    ).format(f"{index.schema}.original")
    with index.cursor() as cursor:
        return cursor.execute(sql(query)).fetchall()
