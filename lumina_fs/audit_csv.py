"""The audit as CSV: the same rows for the command and for the file that a person asks for."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Iterable, Iterator
from itertools import islice

from lumina_fs.audit import Line, read_audit
from lumina_fs.catalog import Catalog
from lumina_fs.errors import Refused, WriteFailed
from lumina_fs.new_file import write_new
from lumina_fs.roots import Root
from lumina_fs.terminal import visible

COLUMNS = ("when", "what", "source", "path", "to_source", "to_path", "size", "sha256", "plan", "by")
_PIECE = 1000


def cells(line: Line) -> list[str]:
    """A row: nothing in it that acts on a terminal, or that a spreadsheet takes for a formula."""
    to = line.get("to") or {}
    flat = {**line, "to_source": to.get("source", ""), "to_path": to.get("path", "")}
    found = [visible(str(flat.get(name, ""))) for name in COLUMNS]
    return [f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in found]


def export(
    catalog: Catalog,
    target: str,
    *,
    since: str = "",
    until: str = "",
    kinds: Iterable[str] = (),
    entity: str = "",
    cancel: threading.Event | None = None,
) -> int:
    """Write the lines that fit, oldest first, to the new file `target` (absolute); how many there were.

    Raises Refused where something lies there already, WriteFailed.
    """
    lines = read_audit(catalog, since=since, until=until, kinds=kinds, entity=entity)
    folder, name = os.path.split(target)
    written = 0

    def pieces() -> Iterator[bytes]:
        nonlocal written
        yield _text([list(COLUMNS)])
        while rows := [cells(line) for line in islice(lines, _PIECE)]:
            if cancel is not None and cancel.is_set():
                raise Refused("stopped; nothing was written", path=target)
            written += len(rows)
            yield _text(rows)

    try:
        root = Root.open(folder)
    except OSError as error:
        raise WriteFailed(f"the folder cannot be opened: {error.strerror}", path=folder) from error
    with root:
        if not write_new(catalog.disk, root, name, pieces()):
            raise Refused("is there already; nothing was written", path=target)
    return written


def _text(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()
