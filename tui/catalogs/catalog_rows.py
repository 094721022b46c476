"""Rows of the two tables of catalogs: a catalog with its numbers, a source with its state."""

from __future__ import annotations

from collections.abc import Sequence

from lumina_fs.cli.jobs_shown import moment
from lumina_fs.viewing.catalogs import CatalogRow, Numbers, SourceRow
from lumina_fs.wording import size
from tui.foreign import named
from tui.widgets.virtual_table import Cell, Column, Row

#: Columns of a terminal from which on the folder has a column of its own.
_ROOMY = 108
WIDE = (
    Column("name", "Name", 20),
    Column("images", "Images", 10, "right"),
    Column("videos", "Videos", 8, "right"),
    Column("size", "Size", 9, "right"),
    Column("scan", "Last scan", 16),
    Column("problems", "Problems", 8, "right"),
    Column("state", "State", 18),
    Column("path", "Folder", 0, "middle"),
)
_NARROW = (
    Column("name", "Name", 15), *WIDE[1:4], Column("scan", "Last scan", 10), WIDE[5], Column("state", "State"),
)  # fmt: skip
SOURCES = (
    Column("name", "Source", 12),
    Column("managed", "Photos", 10),
    Column("state", "State", 8),
    Column("originals", "Originals", 10, "right"),
    Column("free", "Free", 9, "right"),
    Column("path", "Folder", 0, "middle"),
)


def columns_for(width: int) -> Sequence[Column]:
    """The columns of the list in a terminal of this width."""
    return WIDE if width >= _ROOMY else _NARROW


def catalog_row(row: CatalogRow, found: Numbers | None, columns: Sequence[Column], *, is_open: bool) -> Row:
    """A catalog in these columns; a number with `~` is that of the last scan."""
    images = f"{found.images + found.others:,}" if found else "" if row.originals is None else f"~{row.originals:,}"
    scan = moment(row.last_scan)[:16] or "never"
    wrong = len(row.problems) + (found.problems if found else 0)
    look = "good" if row.state == "idle" else "warn" if row.present else "bad"
    cells: dict[str, str | Cell] = {
        "name": f"{named(row.name)}{' (open)' if is_open else ''}", "images": images,
        "videos": f"{found.videos:,}" if found else "", "size": size(found.size) if found else "",
        "scan": scan, "problems": Cell(f"{wrong:,}", "warn") if wrong else "",
        "state": Cell(row.state, look), "path": row.path,
    }  # fmt: skip
    narrow = next(column.width for column in columns if column.key == "scan")
    cells["scan"] = scan[:narrow]
    return [cells[column.key] for column in columns]


def source_row(source: SourceRow) -> Row:
    """A source."""
    return (
        source.name,
        "managed" if source.managed else "referenced",
        Cell("offline", "bad") if source.offline else Cell("online", "good"),
        "" if source.originals is None else f"{source.originals:,}",
        "" if source.free is None else size(source.free),
        source.path,
    )
