"""Which names a plan may give: what is refused as a target, what a foreign value becomes, when two names are one.

Names here are as inside the program (decoded); the same checks run when a plan is shown and when it is applied.
"""

from __future__ import annotations

import os
import re
import unicodedata

from lumina_fs.discover import Ignore, is_ignored_file
from lumina_fs.free_names import MAX_NAME
from lumina_fs.sidecars import ORPHAN, SUFFIX

#: What a plan is for that brings files back to where they lay: names that were there before may be there again.
GOING_BACK = frozenset({"undo", "restore"})
#: The bytes of the longest path within a source.
MAX_PATH = 4000
#: A path of fewer characters cannot be too long, nor hold a name that is.
NEVER_TOO_LONG = MAX_NAME // 4
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
#: Names like IMG_0001 (2).jpg, which nothing of what follows is about.
_ORDINARY = re.compile(
    r"(?!con|prn|aux|nul|com|lpt|thumbs|ehthumbs|desktop|icon|synofile)[a-z0-9][a-z0-9_ ()-]*\.(?!json)[a-z0-9]+",
    re.IGNORECASE | re.ASCII,
)
_DRIVE = re.compile(r"[A-Za-z]:")
_NO_IGNORE = Ignore()
# separators, what no Windows or exFAT volume takes, controls, bidirectional marks, line separators
_HOSTILE = re.compile(
    '[/\\\\:*?"<>|\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]+'
)


def fold(path: str) -> str:
    """Two paths that fold alike are one file on some volume: case and the forms of Unicode do not count."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def exact(path: str) -> str:
    """The same where only equal paths are one file: of what goes back to where it lay, for there all names were."""
    return path


def safe_value(text: str) -> str:
    """A foreign value as one part of a path: no separators, controls, leading dots or reserved names; "" for none."""
    text = _HOSTILE.sub("-", unicodedata.normalize("NFC", text)) if not _is_plain(text) else text
    text = text.strip().lstrip(".").strip(" .-") if text[:1] in " .-" or text[-1:] in " .-" else text
    while len(text.encode()) > 100:
        text = text[:-1].rstrip(" .-")
    if text and folder_refusal(text) is not None:
        text = f"_{text}"
    return text


def _is_plain(text: str) -> bool:
    return text.isascii() and text.replace(" ", "").isalnum()


def refusal(path: str, ignore: Ignore = _NO_IGNORE) -> str | None:
    """Why no original may come to this path in a source; None if it may. `ignore` is the catalog's own."""
    folder, _, name = path.rpartition("/")
    reason = folder_path_refusal(folder) or name_refusal(name) or too_long(path)
    if reason is None and ignore.patterns and ignore.path(path):
        return "is left out by the catalog's setting `ignore`"
    return reason if not path.startswith("/") else "is not relative to its source"


def return_refusal(path: str, *, original: bool) -> str | None:
    """Why nothing may come back to this path, although something lay there once; None if it may.

    `original`: a photo or video, which is never called as a sidecar is.
    """
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        return "is not relative to its source, or holds an empty part, '.', '..' or a NUL"
    if original and _is_sidecar(parts[-1]):
        return "has the name of a sidecar"
    return "lies among the files of a catalog, which scans leave out" if ".lumina" in parts else None


def folder_path_refusal(folder: str) -> str | None:
    """Why nothing may be put into the folder at this path; "" is the top."""
    if folder.startswith(("/", "\\")) or _DRIVE.match(folder):
        return "is not relative to its source"
    if "\0" in folder:
        return "holds a NUL"
    reasons = map(folder_refusal, folder.split("/") if folder else ())
    return next((reason for reason in reasons if reason is not None), None)


def name_refusal(name: str) -> str | None:
    """Why no original may be called so."""
    if _ORDINARY.fullmatch(name):
        return None
    if "\0" in name:
        return "holds a NUL"
    if _is_sidecar(name):
        return "has the name of a sidecar"
    if is_ignored_file(name):
        return "has a name that scans leave out"
    return _part_refusal(name)


def _is_sidecar(name: str) -> bool:
    return name.endswith(SUFFIX) or ORPHAN in name


def too_long(path: str) -> str | None:
    """Why a path is too long, None if it is not."""
    if len(path) < NEVER_TOO_LONG:
        return None
    if len(os.fsencode(path)) > MAX_PATH:
        return f"is longer than {MAX_PATH:,} bytes"
    if any(len(os.fsencode(part)) > MAX_NAME for part in path.split("/")):
        return f"holds a name longer than {MAX_NAME} bytes"
    return None


def folder_refusal(name: str) -> str | None:
    """Why this cannot be the name of a folder in a plan."""
    reason = _part_refusal(name)
    if reason is not None:
        return reason
    if _NO_IGNORE.folder("", name):
        return f"passes through {name!r}, a folder that scans leave out"
    return None


def _part_refusal(name: str) -> str | None:
    if name in ("", ".", ".."):
        return "holds an empty part, '.' or '..'"
    if _DEVICES.fullmatch(name):
        return f"holds {name!r}, a name that Windows reserves"
    return None
