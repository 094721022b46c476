"""Captions that go the other way: from the person's block into the text file beside a photo, where the catalog says so.

A text that is not the one that was written here stays: under a name of its own where a new caption takes its place.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Any

from lumina_fs.documents import Stored, read
from lumina_fs.durable import ABSENT, KEPT, Disk, Failed, Written
from lumina_fs.errors import UnsafePath, WriteFailed
from lumina_fs.file_state import digest
from lumina_fs.filetypes import by_extension
from lumina_fs.free_names import with_ending
from lumina_fs.roots import Root
from lumina_fs.sidecars import Change, Saved, Sidecars
from lumina_fs.text_captions import BLOCK, Caption, TextFile, decoded, read_caption, with_caption
from lumina_fs.units import captions_of, stem_of

Value = dict[str, Any]


def is_due(value: Mapping[str, Any]) -> bool:
    """True when the person's caption is another than the one that was last written into the text file."""
    wish = _wish(value)
    return wish is not None and (value.get(BLOCK) or {}).get("written") != digest(wish)


def _wish(value: Mapping[str, Any]) -> bytes | None:
    caption = ((value.get("curation") or {}).get("caption") or "").strip()
    return f"{caption}\n".encode() if caption else None


def write_out(disk: Disk, root: Root, sidecars: Sidecars, path: str, saved: Saved) -> tuple[Saved, TextFile] | None:
    """Write the caption of the original at `path` into its text file, and into its sidecar that this was done.

    The sidecar as it is then, and the text file; None where there is nothing to do, or somebody else is at one of the
    two: then the next scan does it. Raises WriteFailed, OSError.
    """
    wish = _wish(saved.value)
    if wish is None or not is_due(saved.value):
        return None
    target = text_file_of(root, path)
    try:
        present = read(root, target)
        if not _written(disk, root, target, present, wish, (saved.value.get(BLOCK) or {}).get("written")):
            return None
        info = os.stat(root.place(target)[1], dir_fd=root.place(target)[0], follow_symlinks=False)
    except UnsafePath as error:
        raise WriteFailed(str(error), path=target) from error
    file = TextFile(target, info.st_size, info.st_mtime_ns)
    caption = read_caption(root, file)
    if caption is None:
        return None

    def composed(current: Value | None) -> Value:
        assert current is not None
        block = {**caption.block, "written": digest(wish)}
        return {**with_caption(current, Caption(block, settled=False)), BLOCK: {**(current.get(BLOCK) or {}), **block}}

    [result] = sidecars.put([Change(path, saved.stored, composed)])
    return (result, file) if isinstance(result, Saved) else None


def _written(disk: Disk, root: Root, target: str, present: Stored | None, wish: bytes, before: str | None) -> bool:
    """Bring the text into the file; False where somebody else is at it."""
    condition = ABSENT
    if present is not None:
        if decoded(present.data) == wish.decode().strip():
            return True
        if present.etag == before:
            condition = present.etag
        else:
            folder, slash, name = target.rpartition("/")
            if not disk.move_new(root, target, root, folder + slash + with_ending(name, KEPT + secrets.token_hex(4))):
                return False
    outcome = disk.write(root, target, wish, if_match=condition)
    if isinstance(outcome, Failed):
        raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=target)
    return isinstance(outcome, Written)


def text_file_of(root: Root, path: str) -> str:
    """The text file of an original: the one that is there, else `IMG.txt`, or `IMG.jpg.txt` beside an earlier IMG."""
    folder, slash, name = path.rpartition("/")
    names = os.listdir(root.directory(folder))
    originals = {one for one in names if by_extension(one) is not None} | {name}
    there = captions_of(originals, [one for one in names if one[-4:].lower() == ".txt"]).get(name)
    if there is not None:
        return folder + slash + there
    plain = f"{stem_of(name)}.txt"
    return folder + slash + (plain if captions_of(originals, [plain]).get(name) == plain else f"{name}.txt")
