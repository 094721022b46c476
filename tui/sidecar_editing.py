"""A sidecar in the person's own editor, which has the terminal meanwhile; then it is checked and taken in."""

from __future__ import annotations

import asyncio

from textual.app import SuspendNotSupported

from lumina_fs.catalog import Catalog
from lumina_fs.curating.by_editor import Session as Edit
from lumina_fs.editor import open_editor
from lumina_fs.errors import CorruptDocument, LuminaError
from lumina_fs.wording import plural
from schemas.names import decode_name
from tui.asking import Choose
from tui.host import Host

_NEXT = (
    ("again", "edit it again"),
    ("back", "go back to what it was before"),
    ("leave", "leave it as it is; it stays a problem"),
)


async def edit_sidecar(app: Host, source: str, path: str, line: int | None = None, column: int | None = None) -> None:
    """Open the sidecar of an original (encoded path) in the editor, at a line where one is given; errors are shown.

    As long as it cannot be used, the person chooses what to do. Call it in a worker: it waits for answers.
    """
    if app.session is None:
        return
    try:
        with await app.session.read(_opened, source, path) as opened:
            await _edit(app, opened, line, column)
    except (LuminaError, OSError) as error:
        app.complain(error)


async def _edit(app: Host, opened: Edit, line: int | None, column: int | None) -> None:
    while True:
        failed: LuminaError | None = None
        try:
            with app.suspend():
                try:
                    open_editor(opened.shown, line, column)
                except LuminaError as error:  # out of this block it would leave the terminal as it is, for ever
                    failed = error
        except SuspendNotSupported:
            app.notify(f"No editor can be opened here. The file: {opened.shown}", markup=False, timeout=15)
            return
        if failed is not None:
            app.complain(failed)
        try:
            fields = await asyncio.to_thread(opened.look)
        except CorruptDocument as error:
            app.complain(error)
            what = await app.push_screen_wait(Choose("It cannot be used so", _NEXT))
            if what == "again":
                line, column = error.line, error.column
                continue
            if what == "back":
                await asyncio.to_thread(opened.go_back)
            return
        if fields is None:
            if failed is None:
                app.notify("Nothing was changed.")
            return
        index = await asyncio.to_thread(opened.take_in)
        changed = plural(len(fields), "field") + " of yours changed" if fields else "it can be used"
        behind = "" if index == "current" else "; the index is behind, and catches up by itself"
        app.notify(f"Taken in: {changed}{behind}.", title="Checked")
        return


def _opened(catalog: Catalog, source: str, path: str) -> Edit:
    return Edit(catalog, source, decode_name(path))
