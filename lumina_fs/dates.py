"""When a picture was taken: every date that can be found, how far each is to be trusted, and the one selected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from lumina_fs.filename_dates import date_in_folders, date_in_name
from schemas.names import encode_name
from schemas.partial_date import first_instant

FILENAME, DIRECTORY, FILESYSTEM = 70, 50, 30
#: An exact midnight is what tools write that know only the day.
MIDNIGHT = 30
#: What a date before photography, or after tomorrow, is worth.
IMPOSSIBLE = 10
_FIRST_PHOTO = 1826
#: How far apart a name and the metadata may be and still speak of the same picture.
_NEAR = timedelta(days=30)


class _Field(NamedTuple):
    """A tag that holds a date; `sub`, `offset` and `clock` are tags that refine it. `utc`: by specification."""

    key: str
    source: str
    confidence: int
    sub: str | None = None
    offset: str | None = None
    utc: bool = False
    clock: str | None = None


# Among equal confidences the first listed wins. EXIF's OffsetTime is never used: it belongs to ModifyDate, which
# says nothing of where the picture was taken.
_FIELDS = (
    _Field("EXIF:DateTimeOriginal", "exif", 95, "EXIF:SubSecTimeOriginal", "EXIF:OffsetTimeOriginal"),
    _Field("QuickTime:CreationDate", "quicktime", 95),
    _Field("QuickTime:DateTimeOriginal", "quicktime", 95),
    _Field("QuickTime:ContentCreateDate", "quicktime", 95),
    _Field("EXIF:CreateDate", "exif", 93, "EXIF:SubSecTimeDigitized", "EXIF:OffsetTimeDigitized"),
    _Field("XMP:DateTimeOriginal", "xmp", 92),
    _Field("XMP:DateCreated", "xmp", 92),
    _Field("MakerNotes:DateTimeOriginal", "exif", 90),
    _Field("QuickTime:CreateDate", "quicktime", 90, utc=True),
    _Field("QuickTime:MediaCreateDate", "quicktime", 90, utc=True),
    _Field("QuickTime:TrackCreateDate", "quicktime", 90, utc=True),
    _Field("IPTC:DateCreated", "exif", 88, clock="IPTC:TimeCreated"),
    _Field("XMP:CreateDate", "xmp", 85),
    _Field("RIFF:DateTimeOriginal", "exif", 80),
    _Field("Red:DateCreated", "exif", 80, clock="Red:TimeCreated"),
    _Field("Matroska:DateTimeOriginal", "quicktime", 80, utc=True),
    _Field("PNG:CreationTime", "exif", 80),
    _Field("PNG:CreateDate", "exif", 80),
    _Field("EXIF:ModifyDate", "exif", 60, "EXIF:SubSecTime"),
    _Field("XMP:ModifyDate", "xmp", 60),
    _Field("PNG:ModifyDate", "exif", 60),
    _Field("QuickTime:ModifyDate", "quicktime", 60, utc=True),
)
_KEYS = frozenset(field.key for field in _FIELDS)
#: What a date is worth in a group that only few write.
_ELSEWHERE = {"DateTimeOriginal": 80, "ModifyDate": 60}
_VALUE = re.compile(
    r"\s*(?P<year>[0-9]{4})(?:[:/.-](?P<month>[0-9]{2})(?:[:/.-](?P<day>[0-9]{2})"
    r"(?:[ T](?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?P<sub>\.[0-9]{1,9})?"
    r"\s*(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?[A-Za-z]?)?)?)?\s*",
    re.ASCII,
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
    found += _in_filesystem(mtime_ns)
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
    for field in (*_FIELDS, *_other_fields(tags)):
        raw = _text(tags, field)
        parsed = parse(raw) if raw is not None else None
        if raw is None or parsed is None:
            continue
        local, offset = parsed
        local = _with_fraction(local, tags.get(field.sub)) if field.sub else local
        if len(local) > 10:
            offset = offset or (_offset(tags.get(field.offset)) if field.offset else None)
            offset = offset or ("+00:00" if field.utc else None)
        worth = _worth(local, field.confidence, now)
        yield _candidate(field.source, field.key, raw[:80], local, offset, worth)


def _other_fields(tags: Mapping[str, Any]) -> list[_Field]:
    """Dates in groups that only few write: APP12, SigmaRaw, H264. Composite is only put together from the others."""
    found = []
    for key in sorted(key for key in tags if isinstance(key, str) and key not in _KEYS):
        group, _, name = key.partition(":")
        if name in _ELSEWHERE and group != "Composite":
            found.append(_Field(key, "exif", _ELSEWHERE[name]))
    return found


def _text(tags: Mapping[str, Any], field: _Field) -> str | None:
    """What a tag says. IPTC and RED keep the day and the time in two tags."""
    raw = tags.get(field.key)
    if isinstance(raw, int) and 1000 <= raw <= 9999:  # ExifTool prints a bare year as a number
        raw = str(raw)
    if not isinstance(raw, str):
        return None
    clock = tags.get(field.clock) if field.clock else None
    both = f"{raw} {clock}" if isinstance(clock, str) else raw
    return both if parse(both) is not None else raw


def _in_path(path: str) -> Iterator[dict[str, Any]]:
    named = date_in_name(path.rpartition("/")[2])
    if named is not None:
        yield _candidate("filename", "name", encode_name(named.raw), named.local, named.offset, FILENAME)
    foldered = date_in_folders(path)
    if foldered is not None:
        yield _candidate("directory", "path", encode_name(foldered.raw), foldered.local, foldered.offset, DIRECTORY)


def _in_filesystem(mtime_ns: int) -> Iterator[dict[str, Any]]:
    try:
        moment = datetime(1970, 1, 1) + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:  # a file system can hold years that no calendar has
        return
    local = moment.isoformat()[:19]
    yield _candidate("filesystem", "mtime", f"{local}Z", local, "+00:00", FILESYSTEM)


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
    fraction = (match["sub"] or "")[:7].rstrip("0")
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
    if isinstance(digits, int) and not isinstance(digits, bool) and 0 <= digits < 10**9:
        digits = str(digits)
    match = re.fullmatch(r"\s*([0-9]{1,6})[0-9]*\s*", digits) if isinstance(digits, str) else None
    if len(local) != 19 or match is None or not match[1].strip("0"):
        return local
    return f"{local}.{match[1]}"


def _worth(local: str, confidence: int, now: datetime) -> int:
    """A day without time, and an exact midnight, count less; what cannot be, nearly nothing."""
    if not _FIRST_PHOTO <= int(local[:4]) <= now.year + 1:
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
    # the best of the metadata: a picture that was edited later is no contradiction
    if metadata and named and _gap(metadata[0]["local"], named[0]["local"]) > _NEAR:
        yield "filename_disagrees"
    taken, today = first_instant(candidates[0]["local"]), now.isoformat()[:19]
    if datetime.fromisoformat(taken) - datetime.fromisoformat(today) > timedelta(days=1):
        yield "future"
    if taken < "1970":
        yield "before_1970"
    if taken < f"{max(now.year - 100, 1):04}{today[4:]}":
        yield "century_old"
    if all(one["source"] == "filesystem" for one in candidates):
        yield "filesystem_only"


def _gap(one: str, other: str) -> timedelta:
    """The time between two wall times, either of which may be a whole day, month or year; negative if they meet."""
    (first, last), (begin, end) = _span(one), _span(other)
    return max(first - end, begin - last)


def _span(local: str) -> tuple[datetime, datetime]:
    first = datetime.fromisoformat(first_instant(local))
    return first, first + timedelta(days={4: 365, 7: 30, 10: 1}.get(len(local), 0))
