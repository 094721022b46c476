"""What a person wants changed, from the words `rating=4`, `tags+=people/anna`, `caption=`, and done to a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lumina_fs.curation import TAG_FIELDS, TagParts, Value, put_fields, tag_form, with_tag, without_tags
from lumina_fs.errors import UsageError
from lumina_fs.terminal import visible
from schemas.partial_date import split_date
from schemas.sidecar import Label, tag_parts

Op = Literal["set", "clear", "add", "remove"]

_FORM = re.compile(r"(?P<field>[A-Za-z_]+)(?:\.(?P<key>[^=]+?))?(?P<op>\+=|-=|=)(?P<value>.*)", re.DOTALL)
_PICKS = ("pick", "reject")
_LABELS: tuple[str, ...] = get_args(Label)


@dataclass(frozen=True, slots=True)
class CurationChange:
    """One change of one field. `value` is as a sidecar holds it (for add and remove: the parts of a tag), `key` is of
    `metadata` alone; both are None where nothing belongs there.
    """

    field: str
    op: Op
    value: Any = None
    key: str | None = None


def parse_changes(words: Sequence[str]) -> tuple[CurationChange, ...]:
    """The changes that these words ask for, in their order. Raises UsageError, which names what is allowed."""
    return tuple(map(parse_change, words))


def is_change(word: str) -> bool:
    """True for a word that has the form of a change, whether or not there is such a field."""
    match = _FORM.fullmatch(word)
    return match is not None and "/" not in match["field"] + (match["key"] or "")


def is_known(word: str) -> bool:
    """True for a word that has the form of a change of a field that there is."""
    match = _FORM.fullmatch(word)
    return match is not None and match["field"] in _KNOWN


def parse_change(word: str) -> CurationChange:
    """One change. Raises UsageError."""
    match = _FORM.fullmatch(word)
    if match is None:
        raise UsageError(f"{visible(word)!r} is no change: {_ALLOWED}")
    field, key, op, text = match["field"], match["key"], match["op"], match["value"]
    if field not in _KNOWN:
        raise UsageError(f"there is no field {visible(field)!r}: {_ALLOWED}")
    _require_text(field, text + (key or ""))
    if key is not None and field != "metadata":
        raise UsageError(f"{field} has no parts; only metadata has: metadata.KEY=value")
    if field == "metadata":
        return _metadata(key, op, text)
    if op == "=":
        return _set(field, text)
    if field not in TAG_FIELDS:
        raise UsageError(f"{field} takes {field}=value; {op} is for tags and rejected_tags")
    return CurationChange(field, "add" if op == "+=" else "remove", _tag(field, text))


def _set(field: str, text: str) -> CurationChange:
    if not text.strip():
        return CurationChange(field, "clear")
    return CurationChange(field, "set", _VALUES[field](text))


def _metadata(key: str | None, op: str, text: str) -> CurationChange:
    if key is None or op != "=":
        raise UsageError("metadata takes metadata.KEY=value, or metadata.KEY= to take the key away")
    key = key.strip()
    if not key:
        raise UsageError("metadata.KEY=value needs the name of a key")
    return CurationChange("metadata", "set" if text else "clear", text or None, key)


def _require_text(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{field}: the value holds bytes that are not UTF-8; a sidecar takes text only") from None


def _rating(text: str) -> int:
    if re.fullmatch(r"\s*[0-5]\s*", text, re.ASCII) is None:
        raise UsageError(
            f"rating takes 0, 1, 2, 3, 4 or 5, or nothing (rating=) to take it away; not {visible(text)!r}"
        )
    return int(text)


def _one_of(field: str, allowed: Sequence[str]) -> Callable[[str], str]:
    def chosen(text: str) -> str:
        if text.strip().lower() not in allowed:
            raise UsageError(f"{field} takes {', '.join(allowed)}, or nothing ({field}=); not {visible(text)!r}")
        return text.strip().lower()

    return chosen


def _date(text: str) -> str:
    try:
        split_date(text)
    except ValueError as error:
        raise UsageError(f"date {error}; not {visible(text)!r}") from None
    return text.strip()


def _tag(field: str, text: str) -> TagParts:
    category, value = tag_parts(text.strip())
    parts = category.strip(), value.strip()
    if not parts[1] or text.strip()[0] == "/" or text.strip()[-1] == "/":
        raise UsageError(f'{field} takes a tag, like "beach" or "people/anna"; not {visible(text)!r}')
    return parts


def _text(text: str) -> str:
    return text


_VALUES: dict[str, Callable[[str], Any]] = {
    "name": _text,
    "caption": _text,
    "rating": _rating,
    "label": _one_of("label", _LABELS),
    "pick": _one_of("pick", _PICKS),
    "date": _date,
    "tags": lambda text: [tag_form(_tag("tags", text))],
    "rejected_tags": lambda text: [tag_form(_tag("rejected_tags", text))],
}
_KNOWN = frozenset({*_VALUES, "metadata"})
_ALLOWED = (
    "use rating=0..5, label=COLOUR, pick=pick|reject, date=1987-08, name=TEXT, caption=TEXT, tags+=people/anna, "
    "tags-=people/anna, rejected_tags+=TAG, metadata.KEY=TEXT; nothing behind the = takes a field away"
)


def apply_changes(curation: Mapping[str, Any], changes: Iterable[CurationChange]) -> Value:
    """`curation` after these changes, one after the other. What they do not concern is as it was."""
    value = dict(curation)
    for change in changes:
        value = put_fields(value, {change.field: _applied(value.get(change.field), change)})
    return value


def _applied(present: Any, change: CurationChange) -> Any:
    """The field after a change; None for a field that is to go."""
    if change.field == "metadata":
        metadata = dict(present) if isinstance(present, dict) else {}
        if change.op == "set":
            return {**metadata, change.key: change.value}
        return {key: item for key, item in metadata.items() if key != change.key} or (None if metadata else present)
    tags = present if isinstance(present, list) else []
    if change.op == "add":
        return with_tag(tags, change.value)
    if change.op == "remove":
        kept = without_tags(tags, {change.value})
        return present if len(kept) == len(tags) else kept or None
    return change.value


def shown(changes: Iterable[CurationChange]) -> str:
    """The changes as a person would type them."""
    return ", ".join(map(_shown, changes))


def _shown(change: CurationChange) -> str:
    name = change.field if change.key is None else f"{change.field}.{change.key}"
    if change.op in ("add", "remove"):
        return f"{name}{'+=' if change.op == 'add' else '-='}{'/'.join(filter(None, change.value))}"
    if change.op == "clear":
        return f"{name}="
    if change.field in TAG_FIELDS:
        return f"{name}={'/'.join(filter(None, tag_parts(change.value[0])))}"
    return f"{name}={change.value}"
