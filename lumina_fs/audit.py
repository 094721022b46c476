"""The audit: every operation on a file, appended to `.lumina/audit/YYYY-MM.jsonl` and never rewritten."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lumina_fs.catalog import STATE, Catalog
from lumina_fs.growing import append_durable

AUDIT = f"{STATE}/audit"
_SUFFIX = ".jsonl"
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T[\d:]*Z?)?)?)?\Z")

#: Kinds of operations.
TYPES = ("moved", "copied", "trashed", "restored", "edited", "rolled_back", "emptied")

Line = dict[str, Any]


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
    path, a digest, or the id of a plan. A line that is torn or is no JSON is left out.
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
                try:
                    line = json.loads(text)
                except ValueError:
                    continue
                if isinstance(line, dict):
                    yield line


def concerns(line: Line, entity: str) -> bool:
    """True when a line is about a part of a path, a digest, or a plan."""
    to = line.get("to") or {}
    if str(line.get("plan", "")).startswith(entity) or str(line.get("sha256", "")).startswith(entity):
        return True
    return any(entity in str(path) for path in (line.get("path", ""), to.get("path", "")))
