"""Dates in file names and folder names: what cameras, phones, messengers and people write there, and nothing else."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, time
from typing import NamedTuple


class NamedDate(NamedTuple):
    """A date read from a name. `local` is ISO wall time and may be partial; `offset` is known for names in UTC."""

    local: str
    offset: str | None
    raw: str


# eight digits, or with separators; never inside a longer number
_DATE = r"(?<!\d)(?P<year>1[89]\d\d|20\d\d)(?P<sep>[-_.]?)(?P<month>\d\d)(?P=sep)(?P<day>\d\d)"
_CLOCK = (
    r"(?:[T_. -]|[ _](?:at|um|om|alle|kl\.?)[ _])?"
    r"(?P<hour>\d{1,2})(?P<dot>[-_.:]?)(?P<minute>\d\d)(?P=dot)(?P<second>\d\d)"
    r"(?:(?P=dot)(?P<milli>\d{3}))?(?!\d)(?P<half>[ \u202f]?[AaPp]\.?[Mm]\b)?(?P<utc>Z)?"
)
_MOMENT = re.compile(_DATE + _CLOCK)
_DAY = re.compile(_DATE + r"(?!\d)")
_DAY_FIRST = re.compile(r"(?<![\d.])(?P<day>\d\d)\.(?P<month>\d\d)\.(?P<year>1[89]\d\d|20\d\d)(?!\d)")
_EPOCH = re.compile(r"(?:FB_IMG_)?(?P<milli>1\d{12})")

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jan", "february februar feb", "march märz maerz mar mär", "april apr", "may mai",
            "june juni jun", "july juli jul", "august aug", "september sep sept", "october oktober oct okt",
            "november nov", "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_YEAR = re.compile(r"(?P<year>1[89]\d\d|20\d\d)(?![\dA-Za-z])")
_YEAR_MONTH = re.compile(r"(?P<year>1[89]\d\d|20\d\d)[-_. ]?(?P<month>\d\d)(?![\dA-Za-z])")
_NUMBER = re.compile(r"(?P<number>\d{1,2})(?![\dA-Za-z])")
_WORD = re.compile(r"(?:\d{1,2}[-_. ]+)?(?P<word>[^\W\d_]+)")


def date_in_name(name: str) -> NamedDate | None:
    """The date in a file name, to the day at least; None for counters, sizes, ids and impossible dates."""
    stem = os.path.splitext(name)[0]
    for match in _MOMENT.finditer(stem):
        found = _moment(match, stem)
        if found is not None:
            return found
    for pattern in (_DAY, _DAY_FIRST):
        for match in pattern.finditer(stem):
            day = _day(match["year"], match["month"], match["day"])
            if day is not None:
                return NamedDate(day, None, match.group())
    epoch = _EPOCH.fullmatch(stem)
    return _epoch(epoch) if epoch else None


def _moment(match: re.Match[str], stem: str) -> NamedDate | None:
    day = _day(match["year"], match["month"], match["day"])
    hour = int(match["hour"])
    half = (match["half"] or "").strip().lower()[:1]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        clock = time(hour, int(match["minute"]), int(match["second"]))
    except ValueError:
        return None
    if day is None or (len(match["hour"]) == 1 and not match["dot"]):
        return None
    milli = f".{match['milli']}" if match["milli"] else ""
    utc = bool(match["utc"]) or stem.startswith("PXL_")
    return NamedDate(f"{day}T{clock.isoformat()}{milli}", "+00:00" if utc else None, match.group())


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _epoch(match: re.Match[str]) -> NamedDate:
    """Milliseconds since 1970; thirteen digits that start with 1 are the years 2001 to 2033."""
    moment = datetime.fromtimestamp(int(match["milli"]) / 1000, UTC)
    milli = int(match["milli"]) % 1000
    local = moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{milli:03}" if milli else "")
    return NamedDate(local, "+00:00", match.group())


def date_in_folders(path: str) -> NamedDate | None:
    """The date in the folders of a relative path, from the inside out: the innermost that says a year decides.

    Folders inside a year's may refine it: `2019/07/14`, `1998/August`.
    """
    folders = path.split("/")[:-1]
    for depth in range(len(folders) - 1, -1, -1):
        found = _in_folder(folders[depth])
        if found is not None:
            return _refined(found, folders[depth + 1 :])
    return None


def _in_folder(folder: str) -> NamedDate | None:
    """What one folder name says: a day anywhere in it, a month or a year at its start."""
    for pattern in (_DAY, _DAY_FIRST):
        for match in pattern.finditer(folder):
            day = _day(match["year"], match["month"], match["day"])
            if day is not None:
                return NamedDate(day, None, match.group())
    both = _YEAR_MONTH.match(folder)
    if both and 1 <= int(both["month"]) <= 12:
        return NamedDate(f"{both['year']}-{both['month']}", None, both.group())
    alone = _YEAR.match(folder)
    if alone is None:
        return None
    word = _WORD.match(folder[alone.end() :].strip(" -_.,"))
    month = _MONTHS.get(word["word"].lower()) if word else None
    if month is None:
        return NamedDate(alone["year"], None, alone.group())
    return NamedDate(f"{alone['year']}-{month:02}", None, folder)


def _refined(found: NamedDate, inner: list[str]) -> NamedDate:
    """A year with the month, and a month with the day, that the folders inside it say."""
    local, raw = found.local, found.raw
    for folder in inner:
        number = _month_in(folder) if len(local) == 4 else _number_in(folder, 31) if len(local) == 7 else None
        if number is None:
            break
        more = f"{local}-{number:02}"
        if len(more) == 10 and _day(more[:4], more[5:7], more[8:]) is None:
            break
        local, raw = more, f"{raw}/{folder}"
    return NamedDate(local, None, raw)


def _month_in(folder: str) -> int | None:
    word = _WORD.match(folder)
    by_name = _MONTHS.get(word["word"].lower()) if word else None
    return by_name or _number_in(folder, 12)


def _number_in(folder: str, highest: int) -> int | None:
    match = _NUMBER.match(folder)
    return int(match["number"]) if match and 1 <= int(match["number"]) <= highest else None
