"""Edits of the curation that a plan makes: what a field must be before, and what it is after."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from lumina_fs.curation import curation_of, merged_field, put_fields, with_curation
from schemas.plan import Edit, Plan, Skip

Value = dict[str, Any]


def unlike(value: Value, action: Edit, side: Literal["before", "after"]) -> str:
    """Which fields of the curation are not as the action says of that side; "" when all are."""
    curation = value.get("curation") or {}
    wrong = [name for name, change in action.fields.items() if curation.get(name) != getattr(change, side)]
    return ", ".join(f"{name} is {curation.get(name)!r}, not {getattr(action.fields[name], side)!r}" for name in wrong)


def edited(value: Value, action: Edit, side: Literal["before", "after"]) -> Value:
    """`value` with the fields as the action says of that side; null takes a field away."""
    fields = {name: getattr(change, side) for name, change in action.fields.items()}
    return with_curation(value, put_fields(curation_of(value), fields))


class Joined(NamedTuple):
    """A sidecar's value after an edit, and the fields in which it lost to a person's: what was wished, by name."""

    value: Value
    lost: Value


def joined(value: Value, action: Edit) -> Joined:
    """The edit made to a sidecar that somebody may have edited since: each hand's changes, and the person's where both
    changed the same.
    """
    curation = curation_of(value)
    fields, lost = {}, {}
    for name, change in action.fields.items():
        fields[name], clash = merged_field(name, change.before, change.after, curation.get(name))
        if clash:
            lost[name] = change.after
            fields[name], _ = merged_field(name, change.before, curation.get(name), change.after)
    return Joined(with_curation(value, put_fields(curation, fields)), lost)


def taken_back(curation: Value, action: Edit) -> Value:
    """By name what the fields of an edit become when it is undone now, without those that a person changed since."""
    fields = {}
    for name, change in action.fields.items():
        now = curation.get(name)
        value, clash = merged_field(name, change.after, change.before, now)
        if not clash and value != now:
            fields[name] = value
    return fields


def is_of_edits(plan: Plan) -> bool:
    """True for a plan that touches nothing but curation, so that a scan may run meanwhile."""
    return all(isinstance(action, (Edit, Skip)) for action in plan.actions)
