"""Dates as people know them: a year, a month, a day, or a moment, with or without an offset from UTC."""

from __future__ import annotations

import re
from datetime import date, time

_FORM = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})"
    r"(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?P<offset>Z|[+-]\d{2}:\d{2})?)?)?)?",
    re.ASCII,
)


def split_date(text: str) -> tuple[str, str | None]:
    """The wall time (`2019`, `2019-07`, `2019-07-14`, `2019-07-14T12:31:05`) and the offset (`+02:00`) of a date.

    Raises ValueError with a reason for people when the text is no such date, or no date of the calendar.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a date like 2019, 2019-07, 2019-07-14 or 2019-07-14T12:31:05+02:00")
    year, month, day, clock, offset = match.group("year", "month", "day", "clock", "offset")
    try:
        date(int(year), int(month or 1), int(day or 1))
        if clock:
            time.fromisoformat(clock)
    except ValueError as error:
        raise ValueError(f"is no date of the calendar: {error}") from None
    if offset and offset != "Z" and (int(offset[1:3]) > 15 or int(offset[4:]) > 59):
        raise ValueError("has an offset that no place on Earth uses")
    wall = "-".join(part for part in (year, month, day) if part)
    if clock:
        wall += "T" + (clock if clock.count(":") == 2 else clock + ":00")
    return wall, "+00:00" if offset == "Z" else offset


def first_instant(wall: str) -> str:
    """The first moment of a wall time that may be partial: `2019-07` -> `2019-07-01T00:00:00`."""
    return wall + "0001-01-01T00:00:00"[len(wall) :]
