"""A screen with a photo under its cursor whose file can be opened elsewhere, or its path copied."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

from textual import work

from lumina_fs.left_running import leave
from lumina_fs.terminal import visible
from lumina_fs.viewing.detail import paths_of
from tui.photos.listing import key_of
from tui.photos.listing_screen import ListingScreen

#: Seconds within which a viewer that cannot start has said so.
_GIVES_UP = 3.0


class FileScreen(ListingScreen):
    """What leads out of the app."""

    @work
    async def action_open_original(self) -> None:
        """Show the original in the system's viewer, or say where it is."""
        here = self.current()
        path = await self.read(paths_of, *key_of(here)) if here is not None else None
        if path is None:
            return
        if not (sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            self.notify(visible(path), title="No display here; the photo is", markup=False, timeout=10)
            return
        try:
            failed = await asyncio.to_thread(_open, path)
        except OSError as error:
            failed = str(error)
        if failed:
            self.notify(f"{visible(path)}: {failed}", title="It cannot be opened", markup=False, severity="warning")

    @work(group="asking", exclusive=True)
    async def action_edit_sidecar(self) -> None:
        """Open the sidecar in the person's editor."""
        from tui.sidecar_editing import edit_sidecar  # it loads much that the first screen does not need

        here = self.current()
        if here is not None:
            await edit_sidecar(self.app, *key_of(here))

    @work
    async def action_copy_path(self) -> None:
        """The path of the original, into the clipboard of the terminal."""
        here = self.current()
        path = await self.read(paths_of, *key_of(here)) if here is not None else None
        if path is not None:
            self.app.copy_to_clipboard(path.encode("utf-8", "replace").decode())
            self.notify(visible(path), title="Copied", markup=False)


def _open(path: str) -> str:
    """Start the system's viewer, and say why not where it gives up at once. Raises OSError."""
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    process = subprocess.Popen(
        [opener, path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        code = process.wait(_GIVES_UP)
    except subprocess.TimeoutExpired:  # it shows the photo itself
        leave(process)
        return ""
    return f"{opener} ended with {code}" if code else ""
