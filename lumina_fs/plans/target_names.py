"""Names that a plan may give, and names beside an original that belong to it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from lumina_fs.catalog import MARK
from lumina_fs.discover import IGNORED_FOLDERS
from lumina_fs.durable import MAX_NAME, TEMP_PREFIX
from lumina_fs.errors import UnsafePath
from lumina_fs.filetypes import RAW_FORMATS, by_extension
from lumina_fs.roots import check_relative
from lumina_fs.sidecars import SUFFIX

_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
#: Bytes of the longest path beneath a root.
_MAX_PATH = 3500
_TEXTS = (".xmp", ".txt")


def check_name(path: str) -> None:
    """Refuse a path that no plan may make. Raises UnsafePath."""
    check_relative(path)
    if len(os.fsencode(path)) > _MAX_PATH:
        raise UnsafePath(f"longer than {_MAX_PATH} bytes", path=path[:80] + "...")
    if _DRIVE.match(path):
        raise UnsafePath("starts like a drive of Windows", path=path)
    parts = path.split("/")
    for part in parts:
        if len(os.fsencode(part)) > MAX_NAME:
            raise UnsafePath(f"a name has more than {MAX_NAME} bytes", path=part[:80] + "...")
        if _CONTROL.search(part):
            raise UnsafePath("a name holds a control character", path=path)
        if _DEVICES.match(part):
            raise UnsafePath(f"{part} is a device on Windows, so such a name cannot be copied there", path=path)
    if any(part in IGNORED_FOLDERS for part in parts[:-1]):
        raise UnsafePath("a scan looks into no folder of this name, so the photo would be lost to sight", path=path)
    if parts[-1].startswith(TEMP_PREFIX) or parts[-1] == MARK or parts[-1].endswith(SUFFIX):
        raise UnsafePath("this name is kept for files of Lumina's own", path=path)


def left_behind(name: str, by_stem: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Names in the folder of an original that travel with it: XMP and text in both forms, its RAW or JPEG twin.

    `by_stem`: all names of the folder by what stands before their last dot, in small letters.
    """
    stem = name.rpartition(".")[0]
    kind = by_extension(name)
    for other in by_stem.get(name.lower(), ()):
        if other[len(name) :].lower() in _TEXTS:
            yield other
    for other in by_stem.get(stem.lower(), ()) if stem else ():
        if other == name:
            continue
        if other[len(stem) :].lower() in _TEXTS:
            yield other
            continue
        twin = by_extension(other)
        images = kind and twin and kind.media == twin.media == "image"
        if kind and twin and images and (kind.format in RAW_FORMATS) != (twin.format in RAW_FORMATS):
            yield other
