"""The audit: every operation on a file, appended to `.lumina/audit/YYYY-MM.jsonl` and never rewritten."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from lumina_fs.catalog import STATE, Catalog
from lumina_fs.growing import append_durable

AUDIT = f"{STATE}/audit"
_SUFFIX = ".jsonl"
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T[\d:]*Z?)?)?)?\Z")

#: Kinds of operations.
TYPES = ("moved", "copied", "trashed", "restored", "edited", "rolled_back", "emptied")

#: What the fields are that are read again.
_FIELDS = {
    "when": str, "what": str, "source": str, "path": str, "to": dict, "fields": dict, "size": int, "sha256": str,
    "plan": str, "action": int, "by": str,
}  # fmt: skip

Line = dict[str, Any]
"""An operation. What is read of `_FIELDS` is of the right type where it is there, and `to` has texts only."""


def record(catalog: Catalog, lines: Iterable[Line]) -> None:
    """Append lines, each with `when` and `what`; on the disk when it returns. Raises WriteFailed."""
    by_month: dict[str, list[bytes]] = {}
    for line in lines:
        text = json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode()
        by_month.setdefault(line["when"][:7], []).append(text)
    for month, texts in by_month.items():
        append_durable(catalog.disk, catalog.root, f"{AUDIT}/{month}{_SUFFIX}", texts)


def is_date(text: str) -> bool:
    """True for a date as exact as wished, and for none at all."""
    return not text or _DATE.match(text) is not None


def read_audit(
    catalog: Catalog, *, since: str = "", until: str = "", kinds: Iterable[str] = (), entity: str = ""
) -> Iterator[Line]:
    """Lines in the order in which they were written. What a killed run told twice is told once.

    `since` and `until` are dates as exact as wished (2026, 2026-11, 2026-11-21), both included. `entity` is a part of a
    path, a digest, or the id of a plan. A line that is torn or is no JSON is left out, and so is a field that
    is not what Lumina writes there.
    """
    wanted = set(kinds)
    told: set[tuple[Any, ...]] = set()
    for line in _lines(catalog, since[:7], until[:7]):
        when = str(line.get("when", ""))
        if (since and when[: len(since)] < since) or (until and when[: len(until)] > until):
            continue
        if (wanted and line.get("what") not in wanted) or (entity and not concerns(line, entity)):
            continue
        key = (line.get("plan"), line.get("action"), line.get("what"))
        if line.get("action") is not None:
            if key in told:
                continue
            told.add(key)
        yield line


def _lines(catalog: Catalog, first: str, last: str) -> Iterator[Line]:
    try:
        names = sorted(os.listdir(catalog.root.directory(AUDIT)))
    except FileNotFoundError:
        return
    for name in names:
        month = name.removesuffix(_SUFFIX)
        if not name.endswith(_SUFFIX) or month[: len(first)] < first or (last and month[: len(last)] > last):
            continue
        with open(catalog.root.open_file(f"{AUDIT}/{name}"), "rb") as file:
            for text in file:
                line = parsed(text)
                if line is not None:
                    yield line


def parsed(text: bytes) -> Line | None:
    """A line as a value; None for one that is torn or no JSON object.

    A person may have edited it: a field that is not what Lumina writes there is left out, and the rest holds.
    """
    try:
        line = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(line, dict):
        return None
    for name, kind in _FIELDS.items():
        if name in line and type(line[name]) is not kind:
            del line[name]
    if "to" in line:
        line["to"] = {name: part for name, part in line["to"].items() if isinstance(part, str)}
    return line


def concerns(line: Line, entity: str) -> bool:
    """True when a line is about a part of a path, a digest, or a plan."""
    to = line.get("to") or {}
    if str(line.get("plan", "")).startswith(entity) or str(line.get("sha256", "")).startswith(entity):
        return True
    return any(entity in str(path) for path in (line.get("path", ""), to.get("path", "")))
