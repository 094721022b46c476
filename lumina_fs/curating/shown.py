"""Changes of curation on a terminal: what each field was and becomes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lumina_fs.curation import TAG_FIELDS, difference
from schemas.sidecar import tag_parts

_LONG = 60


def told(fields: Mapping[str, tuple[Any, Any]]) -> str:
    """Changes of fields in one line: `rating 2 -> 4, tags +people/anna -sea`. Not escaped yet."""
    return ", ".join(_told(name, before, after) for name, (before, after) in fields.items())


def _told(name: str, before: Any, after: Any) -> str:
    if name in TAG_FIELDS and _is_list(before) and _is_list(after):
        had, has = _tags(before), _tags(after)
        parts = [f"+{tag}" for tag in has if tag not in had] + [f"-{tag}" for tag in had if tag not in has]
        return f"{name} {' '.join(parts) or 'in another order or form'}"
    if name == "metadata" and all(one is None or isinstance(one, dict) for one in (before, after)):
        keys = difference(before or {}, after or {}).items()
        return ", ".join(f"metadata.{key} {_value(old)} -> {_value(new)}" for key, (old, new) in keys)
    return f"{name} {_value(before)} -> {_value(after)}"


def _is_list(value: Any) -> bool:
    return value is None or isinstance(value, list)


def _tags(value: Iterable[Any] | None) -> list[str]:
    return ["/".join(filter(None, tag_parts(tag))) for tag in value or ()]


def _value(value: Any) -> str:
    if value is None:
        return "(nothing)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
