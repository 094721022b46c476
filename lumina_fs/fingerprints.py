"""By what an original and its sidecar are known to be unchanged, without a look into either."""

from __future__ import annotations

from typing import Any

from lumina_fs.caption_files import is_due
from lumina_fs.file_state import FileStat
from lumina_fs.recipe import recipe, wanted
from lumina_fs.text_captions import mark_by_sidecar

#: The fingerprint of an original that was written so lately that its times vouch for nothing.
RACY = "racy"


def fingerprint(recipe: str, size: int, mtime_ns: int, sidecar: FileStat, text: str = "") -> str:
    """By what an original and its sidecar are known to be unchanged; `text` is the mark of the caption beside it."""
    return f"{recipe} {size} {mtime_ns} {sidecar[0]} {sidecar[1]} {sidecar[2]} {sidecar[3]}{text}"


def missing_fingerprint(sidecar: FileStat) -> str:
    """The same for a sidecar that says that its original is missing."""
    return f"missing {sidecar[0]} {sidecar[1]} {sidecar[2]} {sidecar[3]}"


def other_fingerprint(size: int, mtime_ns: int) -> str:
    """The same for a file that was looked into and is no picture and no video."""
    return f"other {size} {mtime_ns}"


def fingerprint_by_sidecar(value: dict[str, Any], stat: FileStat, writes_captions: bool) -> str:
    """By what the sidecar says of its original; a scan that finds other times looks at the original.

    `writes_captions`: one whose caption is still to go into a text file is for the next scan to look at.
    """
    original = value["original"]
    if "missing_since" in original:
        return missing_fingerprint(stat)
    if not original.get("sha256") or wanted(value) != frozenset() or (writes_captions and is_due(value)):
        return ""
    return fingerprint(recipe(), original["size"], original["mtime_ns"], stat, mark_by_sidecar(value))
