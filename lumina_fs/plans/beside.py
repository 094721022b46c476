"""Names beside an original that belong to it, found by a glance at the names of its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lumina_fs.filetypes import RAW_FORMATS, by_extension

_TEXTS = (".xmp", ".txt", ".aae")


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
