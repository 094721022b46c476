"""From a sidecar to its row: a pure function of the document, written as a line for COPY.

What Postgres cannot hold (NUL, numbers beyond its types) is changed here for the index alone; the file keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from index.protocol import Entry, Problem, Seen
from index.words import Lexemes, phrase_of
from schemas.partial_date import first_instant
from schemas.sidecar import device_name, tag_parts, taken_of

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
    quality = measurements.get("quality") or {}
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
        _text(device_name(capture.get("camera")) or None),
        _text((capture.get("lens") or {}).get("model")),
        _whole(exposure.get("iso")),
        _real(gps.get("latitude")),
        _real(gps.get("longitude")),
        _whole(curation.get("rating")),
        _real(quality.get("value")),
        _text(content_id(capture)),
        NULL if worthless else _code(measurements.get("dhash")),
        NULL if worthless else _code(measurements.get("phash")),
        "t" if original.get("missing_since") else "f",
        _text(_words(doc, source, path)),
        _text(_rest(curation, capture, quality)),
    )
    line = "\t".join(columns) + "\n"
    return Entry(
        path,
        line.encode("utf-8", "replace"),
        b"".join(problem_line(source, Problem(path, *_problem(item))) for item in doc.get("problems") or ()),
        Seen(path, fingerprint, etag),
    )


def problem_line(source: str, problem: Problem) -> bytes:
    """The COPY line of one row of table `problem`."""
    columns = (*map(_text, (source, problem.path, problem.code, problem.message)), _whole(problem.line))
    return ("\t".join((*columns, _whole(problem.column))) + "\n").encode("utf-8", "replace")


def seen_line(source: str, seen: Seen) -> bytes:
    """The COPY line of one row of table `seen`."""
    return ("\t".join(map(_text, (source, *seen))) + "\n").encode("utf-8", "replace")


#: Apple's identifier of a Live Photo, as ExifTool names it in stills (older and newer versions) and in videos.
_CONTENT_IDS = ("MakerNotes:MediaGroupUUID", "MakerNotes:ContentIdentifier", "QuickTime:ContentIdentifier")


def content_id(capture: Mapping[str, Any]) -> str | None:
    """The identifier that the still and the video of a Live Photo share, from a capture block."""
    tags = capture.get("tags") or {}
    found = (tags.get(name) for name in _CONTENT_IDS)
    return next((said for said in found if isinstance(said, str) and said), None)


def _problem(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("code", "")), str(item.get("message", ""))


def _text(text: str | None) -> str:
    """A text in COPY's form. Postgres takes no NUL."""
    if text is None:
        return NULL
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if not text.isprintable():
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\ufffd")
    return text


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


def _words(doc: Mapping[str, Any], source: str, path: str) -> str:
    """All that can be searched by word or field, as a tsvector."""
    found = Lexemes()
    curation, capture, original = doc.get("curation") or {}, doc.get("capture") or {}, doc["original"]
    found.text(path.replace("/", " / "))
    for text in (curation.get("name"), curation.get("caption")):
        if text:
            found.text(text)
    for category, value in map(tag_parts, curation.get("tags") or ()):
        found.text(f"{category} {value}")
        found.field("tag", [value, f"{category}/{value}"] if category else [value])
    tags = capture.get("tags") or {}
    for key in _TEXT_TAGS:
        said = tags.get(key)
        for item in said if isinstance(said, list) else [said]:
            if isinstance(item, (str, int, float)):
                found.text(str(item))
    camera, lens = capture.get("camera") or {}, capture.get("lens") or {}
    both = [part for part in (camera.get("make"), camera.get("model")) if part]
    found.field("camera", [*both, " ".join(both)])
    found.field("lens", [part for part in (lens.get("make"), lens.get("model")) if part])
    found.text(" ".join(both))
    _mark(found, doc, source, original, capture, curation)
    return found.literal()


def _mark(
    found: Lexemes,
    doc: Mapping[str, Any],
    source: str,
    original: Mapping[str, Any],
    capture: Mapping[str, Any],
    curation: Mapping[str, Any],
) -> None:
    """What a picture is and has, as marks."""
    found.mark("type", original["media"])
    found.mark("type", original["format"].lower())
    found.mark("source", source)
    found.mark("name", "=" + phrase_of(original["name"]))
    for name, there in {
        "gps": capture.get("gps"),
        "date": capture.get("taken") or curation.get("date"),
        "camera": capture.get("camera"),
        "lens": capture.get("lens"),
        "caption": curation.get("caption"),
        "tags": curation.get("tags"),
        "rating": curation.get("rating") is not None,
        "problems": doc.get("problems"),
        "duration": original.get("duration"),
    }.items():
        if there:
            found.mark("has", name)
    for name in ("label", "pick"):
        if curation.get(name):
            found.mark(name, curation[name])
    if original.get("missing_since"):
        found.mark("is", "missing")
    for flag in capture.get("date_flags") or ():
        found.mark("flag", str(flag))


def _rest(curation: Mapping[str, Any], capture: Mapping[str, Any], quality: Mapping[str, Any]) -> str:
    """What has no column of its own, for a jsonb column, which takes no NUL and no endless number."""
    value = {"curation": curation, "capture": {name: capture[name] for name in _KEPT if name in capture}}
    if "parts" in quality:
        value["quality"] = quality["parts"]
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
