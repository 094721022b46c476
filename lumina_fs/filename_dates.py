"""Dates in file names and folder names: what cameras, phones, messengers and people write there, and nothing else."""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import UTC, date, datetime, time
from typing import NamedTuple

#: The years that a name may speak of; outside, four digits are something else.
FIRST_YEAR, LAST_YEAR = 1850, 2100


class NamedDate(NamedTuple):
    """A date read from a name. `local` is ISO wall time and may be partial; `offset` is known for names in UTC."""

    local: str
    offset: str | None
    raw: str


# Every pattern has a bounded length, so that a name is read in linear time. Digits are 0-9 only.
# A date is eight digits, or has the same separator twice; it is never inside a longer number.
_YMD = r"(?<![0-9])(?P<year>[0-9]{4})(?P<sep>[-_.]?)(?P<month>[0-9]{2})(?P=sep)(?P<day>[0-9]{2})"
_DMY = r"(?<![0-9.])(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})"
# Dashes are also written between month, day and year: that order is certain only beyond the twelfth.
_DASHED = r"(?<![0-9])(?<![0-9]-)(?P<day>1[3-9]|2[0-9]|3[01])-(?P<month>[0-9]{2})-(?P<year>[0-9]{4})"
_CLOCK = (
    r"(?:[T_. -]|, |[ _](?:at|um|om|alle|à|às|a las|kl\.?)[ _])?"
    r"(?P<hour>[0-9]{1,2})(?P<dot>[-_.: ]?)(?P<minute>[0-9]{2})(?P=dot)(?P<second>[0-9]{2})"
    r"(?:(?P=dot)(?P<milli>[0-9]{3}))?(?![0-9])"
    # "am" before a word is German: "am Strand"
    r"(?P<half>[ \u00a0\u202f]?[AaPp]\.?[Mm]\b(?![ _.]{0,2}[^\W\d_]))?"
    r"(?P<utc>Z(?![A-Za-z]))?"
)
_MOMENTS = tuple(re.compile(form + _CLOCK) for form in (_YMD, _DMY, _DASHED))
_DAYS = tuple(re.compile(form + r"(?![0-9])") for form in (_YMD, _DMY, _DASHED))
# Thirteen digits that start with 1 are milliseconds of the years 2001 to 2033.
_EPOCH = re.compile(r"(?:FB_IMG_|IMG_|VID_|mmexport)?(?P<milli>1[0-9]{12})(?:[-_ ]?\([0-9]{1,3}\)|[-_][0-9]{1,3})?")
_ID = re.compile(r"(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{24,}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jan", "february februar feb", "march märz maerz mar mär", "april apr", "may mai",
            "june juni jun", "july juli jul", "august aug", "september sep sept", "october oktober oct okt",
            "november nov", "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
#: Months that are also names of people and places: they count only when no other word follows.
_ALSO_NAMES = frozenset({"jan", "mar", "may"})
# A year stands alone or is followed by a separator; 1990-1999 is a span and no year.
_YEAR = re.compile(r"(?P<year>[0-9]{4})(?![^ _-])(?! ?[-_] ?[0-9]{4}(?![0-9]))")
_YEAR_MONTH = re.compile(r"(?P<year>[0-9]{4})[-_. ]?(?P<month>[0-9]{2})(?![^\W_])")
_NUMBER = re.compile(r"(?P<number>[0-9]{2})(?=[ _-]|$)|(?P<single>[0-9])$")
_WORD = re.compile(r"(?:[0-9]{1,2}[-_. ]{1,3})?(?P<word>[^\W\d_]+)(?P<rest>.*)", re.DOTALL)


def date_in_name(name: str) -> NamedDate | None:
    """The date in a file name, to the day at least; None for counters, sizes, ids and impossible dates."""
    stem, extension = os.path.splitext(unicodedata.normalize("NFC", name))
    if extension[1:].isdecimal():  # 2019.07.14
        stem += extension
    if _ID.fullmatch(stem):
        return None
    for pattern in _MOMENTS:
        for match in pattern.finditer(stem):
            found = _moment(match)
            if found is not None:
                return found
    epoch = _EPOCH.fullmatch(stem)
    return _day_in(stem) or (_epoch(epoch) if epoch else None)


def _moment(match: re.Match[str]) -> NamedDate | None:
    day = _day(match["year"], match["month"], match["day"])
    hour = int(match["hour"])
    half = (match["half"] or "").strip().lower()[:1]
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        clock = time(hour, int(match["minute"]), int(match["second"]))
    except ValueError:
        return None
    if day is None or (len(match["hour"]) == 1 and not match["dot"]):
        return None
    milli = f".{match['milli']}" if match["milli"] else ""
    utc = bool(match["utc"]) or match.string.startswith("PXL_")
    return NamedDate(f"{day}T{clock.isoformat()}{milli}", "+00:00" if utc else None, match.group())


def _day_in(text: str) -> NamedDate | None:
    """The first day of the calendar that is written anywhere in a name."""
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            day = _day(match["year"], match["month"], match["day"])
            if day is not None:
                return NamedDate(day, None, match.group())
    return None


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat() if _is_year(year) else None
    except ValueError:
        return None


def _is_year(year: str) -> bool:
    return FIRST_YEAR <= int(year) <= LAST_YEAR


def _epoch(match: re.Match[str]) -> NamedDate:
    seconds, milli = divmod(int(match["milli"]), 1000)
    local = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return NamedDate(local + (f".{milli:03}" if milli else ""), "+00:00", match["milli"])


def date_in_folders(path: str) -> NamedDate | None:
    """The date in the folders of a relative path; the file's own name is not looked at.

    The innermost folder that says a year decides. Folders inside it may refine it (`2019/07/14`, `1998/August`), and
    so may those around it, unless they say something else (`2012-07-14 Hochzeit/2012`, not `2015-03-01 Backup/1998`).
    """
    folders = [unicodedata.normalize("NFC", folder) for folder in path.split("/")[:-1]]
    best: NamedDate | None = None
    for depth in range(len(folders) - 1, -1, -1):
        found = _in_folder(folders[depth])
        if found is None:
            continue
        found = _refined(found, folders[depth:])
        if best is None or (len(found.local) > len(best.local) and found.local.startswith(best.local)):
            best = found
        if len(best.local) == 10 or not found.local.startswith(best.local[:4]):
            break
    return best


def _in_folder(folder: str) -> NamedDate | None:
    """What one folder name says: a day anywhere in it, a month or a year at its start."""
    day = _day_in(folder)
    if day is not None:
        return day
    both = _YEAR_MONTH.match(folder)
    if both and _is_year(both["year"]) and 1 <= int(both["month"]) <= 12:
        return NamedDate(f"{both['year']}-{both['month']}", None, both.group())
    alone = _YEAR.match(folder)
    if alone is None or not _is_year(alone["year"]):
        return None
    month = _named_month(folder[alone.end() :].strip(" -_"))
    if month is None:
        return NamedDate(alone["year"], None, alone.group())
    return NamedDate(f"{alone['year']}-{month:02}", None, folder)


def _refined(found: NamedDate, folders: list[str]) -> NamedDate:
    """The date of the first folder, made more exact by those directly inside it."""
    local, raw = found.local, found.raw
    bare = folders[0] == raw  # below "2019", 07 is a month; below "2019 Italy" it may be the seventh of anything
    for folder in folders[1:]:
        number = _number_in(folder, 12 if len(local) == 4 else 31) if bare else None
        if len(local) == 4:
            number = _named_month(folder) or number
        if number is None or len(local) > 7:
            break
        more = f"{local}-{number:02}"
        if len(more) == 10 and _day(more[:4], more[5:7], more[8:]) is None:
            break
        local, raw, bare = more, f"{raw}/{folder}", True
    return NamedDate(local, None, raw)


def _named_month(text: str) -> int | None:
    """The month whose name a text starts with, perhaps after its number: `August`, `08 Aug`, `Juli Italien`."""
    match = _WORD.match(text)
    word = match["word"].lower() if match else ""
    if match and word in _ALSO_NAMES and any(character.isalpha() for character in match["rest"]):
        return None
    return _MONTHS.get(word)


def _number_in(folder: str, highest: int) -> int | None:
    match = _NUMBER.match(folder)
    number = int(match["number"] or match["single"]) if match else 0
    return number if 1 <= number <= highest else None
