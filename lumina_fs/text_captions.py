"""The caption in a text file beside a photo, the form that training tools use: `IMG.txt` or `IMG.jpg.txt`.

It is a fact about what lies there, in a block that the machine owns; the caption in `curation` is another thing.
"""

from __future__ import annotations

import codecs
import errno
import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lumina_fs.file_state import digest, has_settled
from lumina_fs.roots import Root

Value = dict[str, Any]

BLOCK = "text_caption"

#: A larger file is no caption; of a caption so many characters are kept in the sidecar.
_MAX_BYTES = 1 << 20
_KEPT = 4096
_OF_A_FILE = ("size", "mtime_ns", "sha256", "text")


class TextFile(NamedTuple):
    """A text file beside an original as a listing shows it. `path` is relative to the source."""

    path: str
    size: int
    mtime_ns: int


class Caption(NamedTuple):
    """What a text file says, as a block; `settled` False: its times vouch for nothing yet."""

    block: Value
    settled: bool


def read_caption(root: Root, file: TextFile) -> Caption | None:
    """The caption in a text file; None for a file that is gone or is none (too large, no text). Raises OSError."""
    try:
        fd = root.open_file(file.path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise
    try:
        before, info = time.time_ns(), os.fstat(fd)
        data = _all(fd)
    finally:
        os.close(fd)
    text = None if data is None else decoded(data)
    if data is None or text is None:
        return None
    block: Value = {"size": info.st_size, "mtime_ns": info.st_mtime_ns, "sha256": digest(data), "text": text[:_KEPT]}
    return Caption(block, has_settled(info.st_mtime_ns, before))


def _all(fd: int) -> bytes | None:
    data = b""
    while part := os.read(fd, 1 << 16):
        data += part
        if len(data) > _MAX_BYTES:
            return None
    return data


def decoded(data: bytes) -> str | None:
    """The text of a file without white space around it (UTF-8, UTF-16 or Windows' own); None for what is none."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace").strip()
    if b"\0" in data:
        return None
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip()


def with_caption(sidecar: Mapping[str, Any], caption: Caption | None) -> Value:
    """The sidecar's value with the block of this caption. Times alone are no reason to write a sidecar."""
    before = sidecar.get(BLOCK)
    if caption is None:
        if isinstance(before, dict) and before.get("written"):  # a person took it away: it is not written again
            return {**sidecar, BLOCK: {name: item for name, item in before.items() if name not in _OF_A_FILE}}
        return {name: item for name, item in sidecar.items() if name != BLOCK}
    if isinstance(before, dict) and before.get("sha256") == caption.block["sha256"]:
        return dict(sidecar)
    block = {**(before if isinstance(before, dict) else {}), **caption.block}
    if BLOCK in sidecar:
        return {**sidecar, BLOCK: block}
    value: Value = {}
    for name, item in sidecar.items():
        value[name] = item
        if name == "capture":
            value[BLOCK] = block
    return value if BLOCK in value else {**value, BLOCK: block}


def mark_of(size: int, mtime_ns: int) -> str:
    """The part of a fingerprint by which a text file is known to be unchanged."""
    return f" text {size} {mtime_ns}"


def mark_by_sidecar(sidecar: Mapping[str, Any]) -> str:
    """The same by what a sidecar says; "" where it knows of no text file."""
    block = sidecar.get(BLOCK)
    if not isinstance(block, dict) or block.get("text") is None:
        return ""
    return mark_of(block.get("size") or 0, block.get("mtime_ns") or 0)
