"""An original as the table and the grid show it: with what is wished for it, if that is not saved yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lumina_fs.viewing.pending import Edit
from lumina_fs.viewing.photos import Listed
from lumina_fs.wording import size
from schemas.sidecar import tag_parts
from tui.foreign import named
from tui.photos.photo_cell import GridCell
from tui.widgets.virtual_table import Cell, Column, Row

_PICKS = {"pick": "picked", "reject": "rejected"}


def cell_of(one: Listed | None, edit: Edit | None) -> GridCell | None:
    """For the grid."""
    if one is None:
        return None
    hit, said = one.hit, edit.wished if edit is not None else one.curation
    name = named(hit.path).rpartition("/")[2]
    stars = "★" * _stars(said)
    facts = [(hit.taken or "no date")[:10], stars, str(said.get("label") or ""), _PICKS.get(str(said.get("pick")), "")]
    pixels = f"{hit.width} x {hit.height}" if hit.width else ""
    words = [hit.format, pixels, "missing" if hit.missing else ""]
    return GridCell(
        (hit.source, hit.path, hit.sha256), f"{name} {stars}" if edit is not None and stars else name,
        " ".join(filter(None, facts)), "\n".join(filter(None, words)), edit is not None, hit.missing,
    )  # fmt: skip


def row_of(one: Listed | None, edit: Edit | None, columns: list[Column]) -> Row:
    """For the table, with these columns."""
    if one is None:
        return ["", "…"]
    hit, said = one.hit, edit.wished if edit is not None else one.curation
    pick = str(said.get("pick") or "")
    values: dict[str, str | Cell] = {
        "changed": Cell("*", "-warn") if edit is not None else "",
        "date": (hit.taken or "").replace("T", " ")[:16],
        "name": Cell(f"{named(hit.path)} (missing)", "-bad") if hit.missing else named(hit.path),
        "type": hit.format,
        "pixels": f"{hit.width}x{hit.height}" if hit.width else "",
        "size": size(hit.size),
        "quality": "" if hit.quality is None else f"{hit.quality:.0f}",
        "rating": "★" * _stars(said),
        "label": str(said.get("label") or ""),
        "pick": Cell(pick, "-bad" if pick == "reject" else "-good"),
        "tags": _tags(said),
        "camera": hit.camera or "",
    }
    return [values[column.key] for column in columns]


def _stars(said: Mapping[str, Any]) -> int:
    rating = said.get("rating")
    return rating if isinstance(rating, int) and 0 <= rating <= 5 else 0


def _tags(said: Mapping[str, Any]) -> str:
    tags = said.get("tags")
    return ", ".join(tag_parts(tag)[1] for tag in tags) if isinstance(tags, list) else ""
