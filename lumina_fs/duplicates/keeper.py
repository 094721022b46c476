"""Which of several twins stays: the one of the best quality; then the earliest, the best named, the best placed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from index.contents import Twin
from schemas.names import decode_name

#: Words in a name that say "this is a copy".
_COPY = re.compile(r"(?i)\bcopy\b|\bkopie\b|\bcopie\b|\(\d+\)|[-_ ](edited|edit|copy|small|web|resized|thumb)\b|~\d*$")
#: Folders in which copies lie.
_ASIDE = re.compile(r"(?i)(backup|export|edited|trash|tmp|temp|thumb|cache|duplicate|whatsapp|download)[^/]*/")


def preference(twin: Twin) -> tuple[Any, ...]:
    """Sorts the one that should stay first. No two originals are equal in it."""
    return -(twin.quality if twin.quality is not None else -1.0), *placed(twin.taken, twin.path, twin.source)


def placed(taken: str | None, path: str, source: str) -> tuple[Any, ...]:
    """What decides among originals of one quality: the earliest, the best named, the best placed."""
    path = decode_name(path)
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return (
        taken or "9999",
        bool(_COPY.search(stem)),
        _is_aside(folder),
        len(stem),
        path.count("/"),
        path,
        source,
    )


@lru_cache(1 << 16)  # folders of large libraries, which are asked for in no order
def _is_aside(folder: str) -> bool:
    return bool(_ASIDE.search(folder + "/"))


def ordered(twins: Iterable[Twin]) -> list[Twin]:
    """The one that should stay first."""
    found = list(twins)
    return sorted(found, key=preference) if len(found) > 1 else found
