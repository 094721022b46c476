"""The person's block of a sidecar as a value: fields put in, versions compared, changes of two hands brought together.

Nothing here touches a file. Keys that nobody here knows are kept, and a tag keeps the form in which it was written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.sidecar import Curation, tag_parts
from schemas.text import same

Value = dict[str, Any]
TagParts = tuple[str, str]

#: Fields that are lists of tags: of these, several hands may each change some.
TAG_FIELDS = frozenset({"tags", "rejected_tags"})

_ORDER = list(Curation.model_fields)


@dataclass(frozen=True, slots=True)
class Merged:
    """What becomes of a block that two hands changed. `clashes`: fields that both changed, and not alike."""

    value: Value
    clashes: tuple[str, ...] = ()


def curation_of(sidecar: Mapping[str, Any]) -> Value:
    """The block of a sidecar's value; empty where it says nothing."""
    return dict(sidecar.get("curation") or {})


def with_curation(sidecar: Mapping[str, Any], curation: Mapping[str, Any]) -> Value:
    """The sidecar's value with this block. A block that was not there is not added only to be empty."""
    if not curation and "curation" not in sidecar:
        return dict(sidecar)
    return {**sidecar, "curation": dict(curation)}


def put_fields(curation: Mapping[str, Any], fields: Mapping[str, Any]) -> Value:
    """`curation` with these fields; None takes one away. What is new comes in its usual place, the rest stays put."""
    value = {name: item for name, item in curation.items() if fields.get(name, item) is not None or name not in fields}
    for name, item in fields.items():
        if item is None:
            continue
        if name in value:
            value[name] = item
            continue
        names = list(value)
        before = [known for known in (_ORDER[: _ORDER.index(name)] if name in _ORDER else names) if known in value]
        at = max((names.index(known) + 1 for known in before), default=0)
        value = dict([*list(value.items())[:at], (name, item), *list(value.items())[at:]])
    return value


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Field by field what is not the same: (before, after), None for a field that is not there."""
    names = dict.fromkeys((*before, *after))
    return {name: (before.get(name), after.get(name)) for name in names if not same(before.get(name), after.get(name))}


def tag_form(parts: TagParts) -> str | dict[str, str]:
    """The shortest form of a tag that means these parts: "people/anna", or an object where a text would mislead."""
    category, value = parts
    text = f"{category}/{value}" if category else value
    return text if tag_parts(text) == parts else {"category": category, "value": value}


def with_tag(tags: Iterable[Any], tag: TagParts) -> list[Any]:
    """The tags, and this one at their end if it is not among them in any form."""
    kept = list(tags)
    return kept if tag in map(tag_parts, kept) else [*kept, tag_form(tag)]


def without_tags(tags: Iterable[Any], unwanted: Collection[TagParts]) -> list[Any]:
    """The tags without those, in whatever form they stand there."""
    return [tag for tag in tags if tag_parts(tag) not in unwanted]


def renamed_tag(tags: Iterable[Any], old: TagParts, new: TagParts | None, *, below: bool = False) -> list[Any]:
    """The tags with `new` in the place of `old`; None takes it away. A tag that is there already is not doubled.

    `below`: also the tags of its category that continue it after a "/": "places/italy/rome" for "places/italy".
    """
    wishes = [(tag, _renamed(tag_parts(tag), old, new, below)) for tag in tags]
    present = {wish for tag, wish in wishes if wish == tag_parts(tag)}
    found: list[Any] = []
    for tag, wish in wishes:
        if wish == tag_parts(tag):
            found.append(tag)
        elif wish is not None and wish not in present:
            present.add(wish)
            found.append(tag_form(wish))
    return found


def _renamed(parts: TagParts, old: TagParts, new: TagParts | None, below: bool) -> TagParts | None:
    if parts == old:
        return new
    if below and parts[0] == old[0] and parts[1].startswith(f"{old[1]}/"):
        return None if new is None else (new[0], new[1] + parts[1][len(old[1]) :])
    return parts


def merged(base: Mapping[str, Any], wished: Mapping[str, Any], now: Mapping[str, Any]) -> Merged:
    """The changes that lead from `base` to `wished`, made to `now`, which somebody else made of `base` meanwhile.

    Where both changed one field, and not alike, it is among the clashes and the result has the wished one. Of tags and
    of `metadata` each has its own part: a tag added here and one taken away there are no clash.
    """
    fields: Value = {}
    clashes: list[str] = []
    theirs = difference(base, now)
    for name, (before, after) in difference(base, wished).items():
        if name not in theirs or same(now.get(name), after):
            fields[name] = after
            continue
        value, clash = merged_field(name, before, after, now.get(name))
        fields[name] = value
        if clash:
            clashes.append(name)
    return Merged(put_fields(now, fields), tuple(clashes))


def merged_field(name: str, before: Any, after: Any, now: Any) -> tuple[Any, bool]:
    """One field that leads from `before` to `after`, where somebody else made it `now`; and whether that is a clash.

    In a clash the result is `after`. What is None is not there.
    """
    if same(now, before) or same(now, after):
        return after, False
    if name in TAG_FIELDS and all(one is None or isinstance(one, list) for one in (before, after, now)):
        return _merged_tags(before or [], after or [], now or []), False
    if name in ("metadata", "related") and all(one is None or isinstance(one, dict) for one in (before, after, now)):
        return _merged_keys(before or {}, after or {}, now or {})
    return after, True


def _merged_tags(before: list[Any], after: list[Any], now: list[Any]) -> list[Any] | None:
    """What was added is added, what was taken away is taken away; the order of `now` stays."""
    had, has = {tag_parts(tag) for tag in before}, {tag_parts(tag) for tag in after}
    found = without_tags(now, had - has)
    known = {tag_parts(tag) for tag in found}
    added = [tag for tag in after if tag_parts(tag) not in had and tag_parts(tag) not in known]
    return [*found, *added] or None


def _merged_keys(before: Value, after: Value, now: Value) -> tuple[Value | None, bool]:
    found, clash = dict(now), False
    theirs = difference(before, now)
    for key, (_, wish) in difference(before, after).items():
        clash |= key in theirs and not same(now.get(key), wish)
        if key in after:
            found[key] = wish
        else:
            found.pop(key, None)
    return found or None, clash
