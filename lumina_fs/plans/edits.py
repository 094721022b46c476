"""Edits of the curation that a plan makes: what a field must be before, and what it is after."""

from __future__ import annotations

from typing import Any, Literal

from schemas.plan import Edit

Value = dict[str, Any]


def unlike(value: Value, action: Edit, side: Literal["before", "after"]) -> str:
    """Which fields of the curation are not as the action says of that side; "" when all are."""
    curation = value.get("curation") or {}
    wrong = [name for name, change in action.fields.items() if curation.get(name) != getattr(change, side)]
    return ", ".join(f"{name} is {curation.get(name)!r}, not {getattr(action.fields[name], side)!r}" for name in wrong)


def edited(value: Value, action: Edit, side: Literal["before", "after"]) -> Value:
    """`value` with the fields as the action says of that side; null takes a field away."""
    curation = dict(value.get("curation") or {})
    for name, change in action.fields.items():
        wish = getattr(change, side)
        if wish is None:
            curation.pop(name, None)
        else:
            curation[name] = wish
    return {**value, "curation": curation}
