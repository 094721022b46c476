"""Groups as rows for spreadsheets and programs: a row for every file of every group."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from lumina_fs.terminal import visible

if TYPE_CHECKING:
    from index.contents import Twin
    from lumina_fs.duplicates.standing import Copy, Standing

#: The columns: of the group, of what a file is to the keeper, of the file.
_STANDING = ("group", "state", "role", "decision")
_MATCH = ("kind", "confidence", "reasons", "distance")
_TWIN = ("source", "path", "sha256", "format", "size", "width", "height", "quality", "parts", "taken", "camera")


def write_csv(groups: Iterable[Standing], out: TextIO) -> None:
    """A line of heads, then a line a file."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*_STANDING, *_MATCH, *_TWIN))
    for group in groups:
        for copy in group.copies:
            writer.writerow([_cell(value) for value in export_row(group, copy).values()])


def export_row(group: Standing, copy: Copy) -> dict[str, Any]:
    """A file of a group, in the order of the columns."""
    return {
        "group": group.id,
        "state": group.state,
        "role": "keeper" if copy is group.keeper else "other",
        "decision": copy.decision,
        **copy_value(copy),
    }


def copy_value(copy: Copy) -> dict[str, Any]:
    """A file, and what it is to the keeper."""
    return {
        "kind": copy.kind,
        "confidence": copy.confidence,
        "reasons": list(copy.reasons),
        "distance": None if copy.distance is None else list(copy.distance),
        **twin_value(copy.twin),
    }


def twin_value(twin: Twin) -> dict[str, Any]:
    """A file by itself."""
    value = {name: getattr(twin, name) for name in _TWIN}
    return {**value, "parts": json.loads(twin.parts) if twin.parts else None}


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, and no terminal for a command."""
    if isinstance(value, dict):
        value = [f"{name} {number}" for name, number in value.items()]
    text = "" if value is None else "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    text = visible(text)
    return "'" + text if text[:1] in ("=", "+", "-", "@") and not isinstance(value, (int, float)) else text
