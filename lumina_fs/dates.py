"""When a picture was taken: every date that can be found, how far each is to be trusted, and the one selected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from lumina_fs.filename_dates import date_in_folders, date_in_name
from schemas.partial_date import first_instant

FILENAME, DIRECTORY, FILESYSTEM = 70, 50, 30
#: An exact midnight is what tools write that know only the day.
MIDNIGHT = 30
#: What a date before photography, or after tomorrow, is worth.
IMPOSSIBLE = 10
_FIRST_PHOTO = "1826"


class _Field(NamedTuple):
    """A tag that holds a date; `sub` and `offset` are the tags that refine it. `utc`: by specification."""

    key: str
    source: str
    confidence: int
    sub: str | None = None
    offset: str | None = None
    utc: bool = False


# EXIF's OffsetTime belongs to ModifyDate alone and is never used for another date.
_FIELDS = (
    _Field("EXIF:DateTimeOriginal", "exif", 95, "EXIF:SubSecTimeOriginal", "EXIF:OffsetTimeOriginal"),
    _Field("QuickTime:CreationDate", "quicktime", 95),
    _Field("QuickTime:DateTimeOriginal", "quicktime", 95),
    _Field("QuickTime:ContentCreateDate", "quicktime", 94),
    _Field("EXIF:CreateDate", "exif", 93, "EXIF:SubSecTimeDigitized", "EXIF:OffsetTimeDigitized"),
    _Field("XMP:DateTimeOriginal", "xmp", 92),
    _Field("XMP:DateCreated", "xmp", 92),
    _Field("MakerNotes:DateTimeOriginal", "exif", 90),
    _Field("QuickTime:CreateDate", "quicktime", 90, utc=True),
    _Field("QuickTime:MediaCreateDate", "quicktime", 89, utc=True),
    _Field("QuickTime:TrackCreateDate", "quicktime", 88, utc=True),
    _Field("XMP:CreateDate", "xmp", 85),
    _Field("Matroska:DateTimeOriginal", "quicktime", 80, utc=True),
    _Field("PNG:CreationTime", "exif", 80),
    _Field("PNG:CreateDate", "exif", 80),
    _Field("EXIF:ModifyDate", "exif", 60, "EXIF:SubSecTime", "EXIF:OffsetTime"),
    _Field("XMP:ModifyDate", "xmp", 60),
    _Field("PNG:ModifyDate", "exif", 55),
    _Field("QuickTime:ModifyDate", "quicktime", 55, utc=True),
)
_VALUE = re.compile(
    r"\s*(?P<year>\d{4})(?:[:/.-](?P<month>\d{2})(?:[:/.-](?P<day>\d{2})"
    r"(?:[ T](?P<clock>\d{2}:\d{2}(?::\d{2})?)(?P<sub>\.\d{1,9})?\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?[A-Za-z]?)?)?)?\s*"
)


@dataclass(frozen=True, slots=True)
class Dates:
    """All candidates, best first, as they stand in a sidecar; the selected one without its raw text; the flags."""

    candidates: list[dict[str, Any]]
    taken: dict[str, Any] | None
    flags: list[str]


def select(tags: Mapping[str, Any], *, path: str, mtime_ns: int, now: datetime, media: str) -> Dates:
    """Find the dates of an original. `tags` as `exiftool -j -G -n` gives them, `path` relative to its source."""
    found = list(_in_metadata(tags, now))
    found += _in_path(path)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=mtime_ns // 1000)
    local = moment.isoformat(timespec="seconds")[:19]
    found.append(_candidate("filesystem", "mtime", f"{local}Z", local, "+00:00", FILESYSTEM))
    found.sort(key=lambda one: -one["confidence"])
    unique: dict[tuple[str, str, str | None], dict[str, Any]] = {}
    for one in found:
        unique.setdefault((one["source"], one["local"], one.get("offset")), one)
    candidates = list(unique.values())
    taken = {name: value for name, value in candidates[0].items() if name != "raw"} if candidates else None
    return Dates(candidates, taken, list(_flags(candidates, now)))


def _candidate(source: str, field: str, raw: str, local: str, offset: str | None, confidence: int) -> dict[str, Any]:
    candidate = {"source": source, "field": field, "raw": raw, "local": local}
    if offset is not None:
        candidate["offset"] = offset
    return {**candidate, "confidence": confidence}


def _in_metadata(tags: Mapping[str, Any], now: datetime) -> Iterator[dict[str, Any]]:
    for field in _FIELDS:
        raw = tags.get(field.key)
        parsed = parse(raw) if isinstance(raw, str) else None
        if parsed is None:
            continue
        local, offset = parsed
        local = _with_fraction(local, tags.get(field.sub)) if field.sub else local
        offset = offset or (_offset(tags.get(field.offset)) if field.offset else None)
        if field.utc and len(local) > 10:
            offset = offset or "+00:00"
        yield _candidate(field.source, field.key, str(raw)[:80], local, offset, _worth(local, field.confidence, now))
    yield from _in_other_groups(tags, now)
    yield from _iptc(tags, now)


def _in_other_groups(tags: Mapping[str, Any], now: datetime) -> Iterator[dict[str, Any]]:
    """DateTimeOriginal in groups that only few write: APP12, SigmaRaw, H264; and as ExifTool puts it together."""
    listed = {field.key for field in _FIELDS}
    for key, raw in tags.items():
        if key.partition(":")[2] != "DateTimeOriginal" or key in listed or not isinstance(raw, str):
            continue
        parsed = parse(raw)
        if parsed is not None:
            yield _candidate("exif", key, raw[:80], *parsed, _worth(parsed[0], 80, now))


def _iptc(tags: Mapping[str, Any], now: datetime) -> Iterator[dict[str, Any]]:
    """IPTC keeps day and time in two tags."""
    day, clock = tags.get("IPTC:DateCreated"), tags.get("IPTC:TimeCreated")
    if not isinstance(day, str):
        return
    raw = f"{day} {clock}" if isinstance(clock, str) else day
    parsed = parse(raw) or parse(day)
    if parsed is not None:
        yield _candidate("exif", "IPTC:DateCreated", raw[:80], *parsed, _worth(parsed[0], 88, now))


def _in_path(path: str) -> Iterator[dict[str, Any]]:
    named = date_in_name(path.rpartition("/")[2])
    if named is not None:
        yield _candidate("filename", "name", named.raw, named.local, named.offset, FILENAME)
    foldered = date_in_folders(path)
    if foldered is not None:
        yield _candidate("directory", "path", foldered.raw, foldered.local, foldered.offset, DIRECTORY)


def parse(text: str) -> tuple[str, str | None] | None:
    """(wall time, offset) of a metadata date; None for zeros, blanks and what is in no calendar."""
    match = _VALUE.fullmatch(text)
    if match is None or match["year"] == "0000":
        return None
    year, month, day, clock = match.group("year", "month", "day", "clock")
    try:
        date(int(year), int(month or 1), int(day or 1))
        if clock:
            time.fromisoformat(clock)
    except ValueError:
        return None
    wall = "-".join(part for part in (year, month, day) if part)
    if not clock:
        return wall, None
    fraction = (match["sub"] or "").rstrip("0")[:7]
    wall += "T" + (clock if clock.count(":") == 2 else f"{clock}:00")
    return wall + (fraction if len(fraction) > 1 else ""), _offset(match["offset"])


def _offset(text: Any) -> str | None:
    """`+02:00` of an offset as cameras write it; None for what is none."""
    if not isinstance(text, str):
        return None
    if text.strip() == "Z":
        return "+00:00"
    match = re.fullmatch(r"\s*([+-])(\d{2}):?(\d{2})\s*", text)
    if match is None or int(match[2]) > 15 or int(match[3]) > 59:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"


def _with_fraction(local: str, digits: Any) -> str:
    """Sub-seconds are digits after the point: `5`, `05`, `123`, as text or, with -n, as a number."""
    text = str(digits).strip() if isinstance(digits, (str, int)) and not isinstance(digits, bool) else ""
    if len(local) != 19 or not text.isdecimal() or not text.isascii() or not text.strip("0"):
        return local
    return f"{local}.{text[:6]}"


def _worth(local: str, confidence: int, now: datetime) -> int:
    """A day without time, and an exact midnight, count less; what cannot be, nearly nothing."""
    if local[:4] < _FIRST_PHOTO or int(local[:4]) > now.year + 1:
        return IMPOSSIBLE
    if len(local) <= 10 or local[10:] == "T00:00:00":
        return confidence - MIDNIGHT
    return confidence


def _flags(candidates: list[dict[str, Any]], now: datetime) -> Iterator[str]:
    """Why the selected date may be wrong, in a fixed order."""
    if not candidates:
        return
    metadata = [one for one in candidates if one["source"] in ("exif", "xmp", "quicktime") and one["confidence"] >= 60]
    named = [one for one in candidates if one["source"] == "filename"]
    if metadata and named and abs(_moment(metadata[0]) - _moment(named[0])) > timedelta(days=30):
        yield "filename_disagrees"
    taken = _moment(candidates[0])
    today = now.replace(tzinfo=None)
    if taken > today + timedelta(days=1):
        yield "future"
    if taken.year < 1970:
        yield "before_1970"
    if taken.year < today.year - 100:
        yield "century_old"
    if candidates[0]["source"] == "filesystem":
        yield "filesystem_only"


def _moment(candidate: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(first_instant(candidate["local"]))
