"""From a sidecar to its row: a pure function of the document, written as a line for COPY.

What Postgres cannot hold (NUL, numbers beyond its types) is changed here for the index alone; the file keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from index.protocol import Entry, Problem, Seen
from index.words import Lexemes, field_marks, phrase_of, quoted, shared_words, words
from schemas.partial_date import first_instant
from schemas.sidecar import SeenTag, content_id_of, device_name, seen_tags, tag_parts, taken_of

#: The columns of table `original`, in the order in which `entry` writes them.
COLUMNS = (
    "source", "path", "etag", "id", "sha256", "media", "format", "size", "width", "height", "duration", "taken",
    "taken_text", "camera", "lens", "iso", "latitude", "longitude", "rating", "quality", "content_id", "dhash", "phash",
    "missing", "words", "rest",
)  # fmt: skip

_TEXT_TAGS = (
    "XMP:Title", "XMP:Description", "XMP:Headline", "XMP:Subject", "XMP:PersonInImage", "XMP:City", "XMP:Country",
    "IPTC:ObjectName", "IPTC:Caption-Abstract", "IPTC:Headline", "IPTC:Keywords", "IPTC:City",
    "IPTC:Country-PrimaryLocationName", "EXIF:ImageDescription", "EXIF:XPTitle", "EXIF:XPComment", "EXIF:XPKeywords",
)  # fmt: skip
#: Parts of the capture block that are kept in a row; tags and other dates are read from the sidecar.
_KEPT = ("taken", "date_flags", "camera", "lens", "exposure", "gps", "orientation")
_LARGEST = (1 << 63) - 1
NULL = r"\N"


def entry(doc: Mapping[str, Any], source: str, path: str, etag: str, fingerprint: str) -> Entry:
    """The row of a valid sidecar. `path` is encoded as in documents and relative to the source; `etag` is hex."""
    original, capture = doc["original"], doc.get("capture") or {}
    curation, measurements = doc.get("curation") or {}, doc.get("measurements") or {}
    taken = taken_of(doc)
    exposure, gps = capture.get("exposure") or {}, capture.get("gps") or {}
    camera = _device("camera", *_make_and_model(capture.get("camera")))
    lens = _device("lens", *_make_and_model(capture.get("lens")))
    quality = measurements.get("quality") or {}
    seen = seen_tags(doc)
    worthless = bool((measurements.get("information") or {}).get("worthless"))
    # hex digits, numbers and times need no escape
    columns = (
        _text(source),
        _text(path),
        "\\\\x" + etag,
        doc["id"],
        "\\\\x" + original["sha256"] if original.get("sha256") else NULL,
        original["media"],
        _text(original["format"]),
        _whole(original["size"]),
        _whole(original.get("width")),
        _whole(original.get("height")),
        _real(original.get("duration")),
        _timestamp(taken["local"]) if taken else NULL,
        _text(taken["local"]) if taken else NULL,
        _text(camera.name),
        _text((capture.get("lens") or {}).get("model")),
        _whole(exposure.get("iso")),
        _real(gps.get("latitude")),
        _real(gps.get("longitude")),
        _whole(curation.get("rating")),
        _real(quality.get("value")),
        _text(content_id_of(capture)),
        NULL if worthless else _code(measurements.get("dhash")),
        NULL if worthless else _code(measurements.get("phash")),
        "t" if original.get("missing_since") else "f",
        _text(_words(doc, source, path, camera, lens, seen)),
        _text(_rest(curation, capture, quality, seen)),
    )
    return Entry(
        path,
        _line(columns),
        b"".join(problem_line(source, Problem(path, *_problem(item))) for item in doc.get("problems") or ()),
        Seen(path, fingerprint, etag),
    )


def problem_line(source: str, problem: Problem) -> bytes:
    """The COPY line of one row of table `problem`."""
    columns = (*map(_text, (source, problem.path, problem.code, problem.message)), _whole(problem.line))
    return _line((*columns, _whole(problem.column)))


def seen_line(source: str, seen: Seen) -> bytes:
    """The COPY line of one row of table `seen`."""
    return _line([*map(_text, (source, *seen))])


def _problem(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("code", "")), str(item.get("message", ""))


def _text(text: str | None) -> str:
    """A text in COPY's form; `_line` takes care of control characters."""
    if text is None:
        return NULL
    return text.replace("\\", "\\\\") if "\\" in text else text


_CONTROLS = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


def _line(columns: Sequence[str]) -> bytes:
    """A line for COPY. Postgres takes no NUL."""
    line = "\t".join(columns)
    if line.count("\t") >= len(columns) or "\n" in line or "\r" in line or "\0" in line:
        line = "\t".join(column.translate(_CONTROLS) for column in columns)
    return f"{line}\n".encode("utf-8", "replace")


def _whole(value: Any) -> str:
    return str(value) if isinstance(value, int) and abs(value) <= _LARGEST else NULL


def _real(value: Any) -> str:
    if isinstance(value, (int, float)) and abs(value) < 1e300 and math.isfinite(value):
        return repr(float(value))
    return NULL


def _code(measurement: Mapping[str, Any] | None) -> str:
    """64 bits of a hash as a signed number."""
    value = (measurement or {}).get("value")
    if not isinstance(value, str) or len(value) != 16:
        return NULL
    try:
        return str(int.from_bytes(bytes.fromhex(value), "big", signed=True))
    except ValueError:
        return NULL


def _timestamp(local: str) -> str:
    """The first moment of a wall time, as a timestamp that Postgres takes."""
    first = first_instant(local)
    try:
        date.fromisoformat(first[:10])
    except ValueError:
        return NULL
    return first


def _words(
    doc: Mapping[str, Any], source: str, path: str, camera: _Device, lens: _Device, seen: Sequence[SeenTag]
) -> str:
    """All that can be searched by word or field, as a tsvector."""
    found = Lexemes()
    curation, capture, original = doc.get("curation") or {}, doc.get("capture") or {}, doc["original"]
    folder, _, name = path.rpartition("/")
    found.text(shared_words(folder), words(name))
    for text in (curation.get("name"), curation.get("caption"), (doc.get("text_caption") or {}).get("text")):
        if text:
            found.text(words(text))
    for category, value in map(tag_parts, curation.get("tags") or ()):
        found.text(shared_words(f"{category} {value}"))
        found.field("tag", [value, f"{category}/{value}"] if category else [value])
    for tag in seen:  # what a person rejected is not among these
        found.text(shared_words(f"{tag.category} {tag.value}"))
        found.field("auto", [tag.value, f"{tag.category}/{tag.value}"] if tag.category else [tag.value])
    tags = capture.get("tags") or {}
    for key in () if tags.keys().isdisjoint(_TEXT_TAGS) else _TEXT_TAGS:
        said = tags.get(key)
        if said is not None:
            for item in said if isinstance(said, list) else [said]:
                if isinstance(item, (str, int, float)):
                    found.text(words(str(item)))
    found.text(shared_words(camera.words))
    kind = _marks(source, *_kind(doc, original, capture, curation), bool(seen))
    found.marks(kind, camera.marks, lens.marks, quoted("name:=" + phrase_of(original["name"])))
    return found.literal()


class _Device(NamedTuple):
    """A camera or lens: its name for people, its words, and the marks of its field, with blanks between."""

    name: str | None
    words: str
    marks: str


def _make_and_model(device: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    return (device.get("make"), device.get("model")) if device else (None, None)


@lru_cache(maxsize=4096)
def _device(field: str, make: str | None, model: str | None) -> _Device:
    both = [part for part in (make, model) if part]
    values = [*both, " ".join(both)] if field == "camera" else both
    marks = dict.fromkeys(mark for value in values for mark in field_marks(field, value))
    return _Device(device_name({"make": make, "model": model}) or None, " ".join(both), " ".join(marks))


def _kind(
    doc: Mapping[str, Any], original: Mapping[str, Any], capture: Mapping[str, Any], curation: Mapping[str, Any]
) -> tuple[Any, ...]:
    """What a picture is and has: little enough that many are alike."""
    return (
        original["media"],
        original["format"],
        curation.get("label"),
        curation.get("pick"),
        bool(original.get("missing_since")),
        tuple(capture.get("date_flags") or ()),
        bool(capture.get("gps")),
        bool(capture.get("taken") or curation.get("date")),
        bool(capture.get("camera")),
        bool(capture.get("lens")),
        bool(curation.get("caption") or (doc.get("text_caption") or {}).get("text")),
        bool(curation.get("tags")),
        curation.get("rating") is not None,
        bool(doc.get("problems")),
        bool(original.get("duration")),
    )


_HAS = ("gps", "date", "camera", "lens", "caption", "tags", "rating", "problems", "duration", "auto")


@lru_cache(maxsize=4096)
def _marks(
    source: str, media: str, format_: str, label: str | None, pick: str | None, missing: bool, flags: tuple[str, ...],
    *has: bool,
) -> str:  # fmt: skip
    """The same as marks, with blanks between."""
    marks = [f"type:{media}", f"type:{format_.lower()}", f"source:{source}"]
    marks += [f"has:{name}" for name, there in zip(_HAS, has, strict=True) if there]
    marks += [f"{name}:{value}" for name, value in (("label", label), ("pick", pick)) if value]
    marks += [f"flag:{flag}" for flag in flags] + (["is:missing"] if missing else [])
    return " ".join(map(quoted, marks))


def _rest(
    curation: Mapping[str, Any], capture: Mapping[str, Any], quality: Mapping[str, Any], seen: Sequence[SeenTag]
) -> str:
    """What has no column of its own, for a jsonb column, which takes no NUL and no endless number."""
    value: dict[str, Any] = {
        "curation": curation,
        "capture": {name: capture[name] for name in _KEPT if name in capture},
    }
    if "parts" in quality:
        value["quality"] = quality["parts"]
    if seen:
        value["auto"] = sorted([tag.category, tag.value] for tag in seen)
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        text = orjson.dumps(_tamed(value)).decode()
    return text.replace("\\u0000", "\\ufffd") if "\\u0000" in text else text


def _tamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tamed(item) for item in value]
    if isinstance(value, int) and abs(value) > _LARGEST:
        return str(value) if abs(value).bit_length() < 4000 else "(a number of great length)"
    return value
