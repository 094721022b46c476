"""Path templates: `YYYY/MM`, `{camera}/{tag:events}`, `{date}_{name}`; parsed once, rendered for each original.

Words made of YYYY, MM, DD, HH, mm and ss are parts of the date; fields stand in braces; all else is text. A value that
comes from outside is made safe: it is never more than a part of one name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from index.protocol import Row
from lumina_fs.errors import UsageError
from lumina_fs.filetypes import extension
from lumina_fs.plans.targets import folder_refusal, safe_value

#: Field -> what it gives, as `lumina plan propose --help` and the documentation list it.
FIELDS = {
    "year": "four digits; also YYYY", "month": "two digits; also MM", "day": "also DD", "hour": "also HH",
    "minute": "also mm", "second": "also ss", "millisecond": "three digits; 000 where the time knows none",
    "date": "2019-07-14, or as much of it as is known", "time": "12-31-05",
    "evidence": "where the date comes from: exif, filename ...",
    "camera": "make and model", "source": "the name of its source", "format": "JPEG, HEIC, CR2 ...",
    "media": "image or video", "extension": "lower case, without the dot",
    "tag": "its first tag; {tag:events} the first of that category", "Tag": "the same with a capital",
    "category": "the category of its first tag that has one", "Category": "the same with a capital",
    "checksum": "the first 8 hex digits of its SHA-256; {checksum:12} as many",
    "name": "the present name without extension (in --file-name only)",
    "counter": "1, 2, 3 ... by date; {counter:4} with four digits (in --file-name only)",
}  # fmt: skip
_DATE_WORDS = {"YYYY": "year", "MM": "month", "DD": "day", "HH": "hour", "mm": "minute", "ss": "second"}
_DATE_FIELDS = frozenset({"year", "month", "day", "hour", "minute", "second", "millisecond", "date", "time"})
_PRESENT = frozenset({"name", "counter"})
_PIECE = re.compile(
    r"(?P<open>\{\{)|(?P<close>\}\})|\{(?P<field>[A-Za-z_]*)(?P<argument>:[^{}]*)?\}|(?P<stray>[{}])"
    r"|(?P<word>[A-Za-z]+)|(?P<text>[^A-Za-z{}]+)"
)
_IMPOSSIBLE = re.compile(r'[\\:*?"<>|]')
_WORD = re.compile(r"(?:YYYY|MM|DD|HH|mm|ss)+")


class TemplateError(UsageError):
    """A template that makes no sense; the message has the column."""

    def __init__(self, template: str, reason: str, column: int) -> None:
        super().__init__(f"template {template!r}: {reason} (column {column})")
        self.column = column


class Field(NamedTuple):
    """A value to be put in; `argument` is what stood behind the colon."""

    name: str
    argument: str


Piece = str | Field


@dataclass(frozen=True, slots=True)
class Named:
    """A name as far as it is known: text before and after the present name or a counter, if there is one of these."""

    before: str
    after: str = ""
    slot: str = ""
    digits: int = 0

    def with_number(self, number: int) -> str:
        """The stem with this number in its counter."""
        return f"{self.before}{number:0{self.digits}}{self.after}"

    def with_name(self, stem: str) -> str:
        """The stem with the present one in its place."""
        return self.before + stem + self.after

    def fits(self, stem: str) -> bool:
        """True when a file that is called so is already named by this template; `-1` at its end does not count."""
        plain, dash, number = stem.rpartition("-")
        candidates = [stem, plain] if dash and number.isdecimal() else [stem]
        return any(self._fits(one) for one in candidates)

    def _fits(self, stem: str) -> bool:
        if not self.slot:
            return stem == self.before
        inner = stem[len(self.before) : len(stem) - len(self.after)]
        if not (stem.startswith(self.before) and stem.endswith(self.after) and inner):
            return False
        return self.slot == "name" or (inner.isdecimal() and len(inner) >= self.digits)


class FolderTemplate:
    """Folders of a path; "" is the top of the source."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = _split(text, _pieces(text))
        self._by_day: dict[str | None, str | None] | None = {} if self._knows_days_only() else None
        for part in self._parts:
            for piece in part:
                if isinstance(piece, Field) and piece.name in _PRESENT:
                    column = text.index("{" + piece.name) + 1
                    raise TemplateError(text, f"{{{piece.name}}} can only stand in a file name", column)

    def uses(self, name: str) -> bool:
        """True when the template has this field."""
        return any(isinstance(piece, Field) and piece.name == name for part in self._parts for piece in part)

    def _knows_days_only(self) -> bool:
        """True when all originals of one day come to one folder."""
        return all(
            isinstance(one, str) or one.name in ("year", "month", "day", "date") for p in self._parts for one in p
        )

    def render(self, row: Row) -> str | None:
        """The folder for an original; None where it lacks a value. A date known to the month ends the path there."""
        if self._by_day is None:
            return self._render(row)
        day = row.taken[:10] if row.taken else None
        if day not in self._by_day:
            self._by_day[day] = self._render(row)
        return self._by_day[day]

    def _render(self, row: Row) -> str | None:
        done: list[str] = []
        for part in self._parts:
            text = ""
            for piece in part:
                value = piece if isinstance(piece, str) else value_of(piece, row)
                if value is None:
                    ends = isinstance(piece, Field) and piece.name in _DATE_FIELDS and row.taken and (done or text)
                    if not ends:
                        return None
                    text = text.rstrip(" -_.")
                    return "/".join([*done, _component(text)] if text else done)
                text += value
            done.append(_component(text))
        return "/".join(done)


class NameTemplate:
    """The name of a file without its extension, which always stays."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._pieces = _pieces(text)
        if "/" in text:
            raise TemplateError(text, "a file name has no folders", text.index("/") + 1)
        if not text.strip():
            raise TemplateError(text, "a file name cannot be empty", 1)
        if text.startswith((".", " ")):
            raise TemplateError(text, "a name that starts so would be hidden", 1)
        slots = [piece.name for piece in self._pieces if isinstance(piece, Field) and piece.name in _PRESENT]
        if len(slots) > 1:
            column = text.rindex("{" + slots[1]) + 1
            raise TemplateError(text, "only one of {name} and {counter} can stand in a name", column)

    def render(self, row: Row) -> Named | None:
        """The name for an original, None where it lacks a value."""
        before, after, slot, digits = "", "", "", 0
        for piece in self._pieces:
            if isinstance(piece, Field) and piece.name in _PRESENT:
                slot, digits = piece.name, int(piece.argument or 1)
                continue
            value = piece if isinstance(piece, str) else value_of(piece, row)
            if value is None:
                return None
            if slot:
                after += value
            else:
                before += value
        return Named(before if slot else _component(before), after, slot, digits)


def _component(text: str) -> str:
    """One name of a path: values that are safe alone may make a reserved name together."""
    return text if folder_refusal(text) is None else f"_{text}"


def _pieces(text: str) -> list[Piece]:
    found: list[Piece] = []
    for match in _PIECE.finditer(text):
        column = match.start() + 1
        if match["open"] or match["close"]:
            found.append(match.group()[0])
        elif match["stray"]:
            raise TemplateError(text, f"a {match['stray']} without its partner; write it twice to mean itself", column)
        elif match["field"] is not None:
            found.append(_field(text, match["field"], (match["argument"] or ":")[1:], column))
        elif match["word"] and _WORD.fullmatch(match["word"]):
            found += [Field(_DATE_WORDS[word], "") for word in re.findall("YYYY|MM|DD|HH|mm|ss", match["word"])]
        elif bad := _IMPOSSIBLE.search(match.group()):
            reason = f"names on many disks cannot hold {bad.group()!r}"
            raise TemplateError(text, reason, match.start() + bad.start() + 1)
        else:
            found.append(match.group())
    return found


def _field(text: str, name: str, argument: str, column: int) -> Field:
    if name not in FIELDS:
        near = difflib.get_close_matches(name, FIELDS, 1)
        hint = f"did you mean {{{near[0]}}}?" if near else "fields are " + ", ".join(FIELDS)
        raise TemplateError(text, f"there is no field {{{name}}}: {hint}", column)
    if name in ("counter", "checksum"):
        most = 12 if name == "counter" else 64
        if argument and not (argument.isdecimal() and 1 <= int(argument) <= most):
            raise TemplateError(text, f"{{{name}:N}} takes a number from 1 to {most}", column)
    elif argument and name not in ("tag", "Tag"):
        raise TemplateError(text, f"{{{name}}} takes nothing behind a colon", column)
    return Field(name, argument)


def _split(text: str, pieces: list[Piece]) -> list[list[Piece]]:
    """The pieces by folder. Raises TemplateError for parts that cannot be folders."""
    parts: list[list[Piece]] = [[]]
    for piece in pieces:
        if isinstance(piece, Field):
            parts[-1].append(piece)
            continue
        first, *rest = piece.split("/")
        parts[-1] += [first] if first else []
        parts += [[one] if one else [] for one in rest]
    if text.endswith("/") and len(parts) > 1:
        parts.pop()
    column = 1
    for number, part in enumerate(parts):
        literal = "".join(piece if isinstance(piece, str) else "x" for piece in part)
        if (not part and text) or literal.startswith((".", " ")) or literal.endswith((".", " ")):
            raise TemplateError(text, "a folder cannot be empty, nor start or end with a dot or space", column)
        reason = folder_refusal(literal) if literal else None
        if reason is not None or not literal.isprintable():
            raise TemplateError(text, reason or "holds an invisible character", column)
        column += len(text.split("/")[number]) + 1 if number < text.count("/") else 0
    return parts if text else []


def value_of(field: Field, row: Row) -> str | None:
    """The safe value of a field for an original, None where there is none."""
    if field.name in _DATE_FIELDS:
        return _date_part(field.name, row.taken or "")
    value = _VALUES[field.name](row, field.argument)
    return (safe_value(value) or None) if value else None


#: Where a part of the date stands in `2019-07-14T12:31:05`.
_SLICES = {
    "year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16), "second": (17, 19),
    "date": (0, 10), "time": (11, 19),
}  # fmt: skip


def _date_part(name: str, taken: str) -> str | None:
    if name == "millisecond":
        return (taken[20:23] + "000")[:3] if len(taken) >= 19 else None
    start, end = _SLICES[name]
    if name == "date":
        return taken[:10] or None
    if len(taken) < end:
        return None
    return taken[start:end].replace(":", "-") if name == "time" else taken[start:end]


def _tag(row: Row, category: str) -> str | None:
    wanted = category.lower()
    return next((value for name, value in row.tags if not category or name.lower() == wanted), None)


def _category(row: Row, argument: str) -> str | None:
    return next((name for name, _ in row.tags if name), None)


def _capital(text: str | None) -> str | None:
    return text[:1].upper() + text[1:] if text else text


_VALUES: dict[str, Callable[[Row, str], str | None]] = {
    "evidence": lambda row, _: row.evidence,
    "camera": lambda row, _: row.camera,
    "source": lambda row, _: row.source,
    "format": lambda row, _: row.format,
    "media": lambda row, _: row.media,
    "extension": lambda row, _: extension(row.path),
    "tag": _tag,
    "Tag": lambda row, category: _capital(_tag(row, category)),
    "category": _category,
    "Category": lambda row, argument: _capital(_category(row, argument)),
    "checksum": lambda row, digits: (row.sha256 or "")[: int(digits or 8)],
}
