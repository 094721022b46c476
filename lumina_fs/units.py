"""What travels together: an original, its sidecar, XMP, caption and edits, its RAW or JPEG twin, its Live Photo video.

Computed for one folder from the names in it and the content identifiers that the index (or sidecars) know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lumina_fs.filetypes import BY_ENDING, RAW_FORMATS, by_extension
from lumina_fs.sidecars import SUFFIX, sidecar_name

#: The part that a file beside an original has in its unit, by its extension in lower case.
_BESIDE = {".xmp": "xmp", ".txt": "caption", ".aae": "edits"}
#: Endings of files that may belong to another with another stem, or to one that is called so with its extension.
_JOINING = frozenset(
    {ending[1:] for ending in _BESIDE} | {ending for ending, kind in BY_ENDING.items() if kind.media == "video"}
)
#: What cameras write beside a RAW file.
_TWINS = frozenset({"JPEG", "HEIC"})


class Traveller(NamedTuple):
    """A file that is no original and goes where `owner` goes; `stem`: it is named by the owner's stem alone."""

    part: str
    name: str
    owner: str
    stem: bool


class Unit(NamedTuple):
    """The originals of a unit by name, stills before videos, and the other files that travel with them."""

    originals: tuple[str, ...]
    travellers: tuple[Traveller, ...]

    def names(self) -> list[str]:
        """All its files that lie in the folder or, for sidecars, stand for one there."""
        return [*self.originals, *(one.name for one in self.travellers)]


def part_of(name: str) -> str:
    """What an original is to the one that leads its unit."""
    kind = by_extension(name)
    if kind is not None and kind.media == "video":
        return "live_photo"
    return "raw" if _is_raw(name) else "jpeg"


def travels_by_name(name: str) -> bool:
    """True for files that may belong to an original by their name: XMP, captions, edits."""
    return name[-4:].lower() in _BESIDE


def stand_alone(names: Iterable[str]) -> bool:
    """True when no file of a folder belongs to another but sidecars, as all names show: nearly all folders are so.

    No two have one stem, no name is that of an XMP, a caption or edits, and none is that of a video.
    """
    apart = [name.rpartition(".") for name in names if not name.endswith(SUFFIX)]
    stems = {stem for stem, _, _ in apart}
    return len(stems) == len(apart) and "" not in stems and _JOINING.isdisjoint([end.lower() for _, _, end in apart])


def moved_name(traveller: Traveller, new: Mapping[str, str]) -> str:
    """The name of a traveller when its owner has a new one."""
    owner = new[traveller.owner]
    if traveller.part == "sidecar":
        return sidecar_name(owner)
    if traveller.stem:
        return stem_of(owner) + traveller.name[len(stem_of(traveller.owner)) :]
    return owner + traveller.name[len(traveller.owner) :]


def stem_of(name: str) -> str:
    """A name without its extension."""
    return name[:at] if (at := name.rfind(".")) > 0 else name


def extension_of(name: str) -> str:
    """The extension of a name in lower case, with its dot."""
    return name[at:].lower() if (at := name.rfind(".")) > 0 else ""


def units_of(
    originals: Iterable[str], names: set[str], sidecars: set[str], content_ids: Mapping[str, str]
) -> list[Unit]:
    """The units of one folder. `names` are all files in it, `sidecars` those that are sidecars of its originals."""
    group = {name: [name] for name in sorted(originals)}
    stems: dict[str, list[str]] = {}
    for name in group:
        stems.setdefault(stem_of(name), []).append(name)
    if len(stems) == len(group) and not content_ids and not any(map(travels_by_name, names)):
        return [Unit((name,), _sidecar(name, sidecars)) for name in group]  # nearly all folders
    for alike in stems.values():
        if len(alike) > 1:
            _join_twins(group, alike)
    if content_ids:
        _join_live_photos(group, content_ids)
    beside = _beside(group, stems, names)
    found = []
    for first, members in group.items():
        if members[0] != first:
            continue
        travellers: list[Traveller] = []
        for name in members:
            travellers += (*_sidecar(name, sidecars), *beside.get(name, ()))
        found.append(Unit(tuple(members), tuple(travellers)))
    return found


def _sidecar(name: str, sidecars: set[str]) -> tuple[Traveller, ...]:
    sidecar = sidecar_name(name)
    return (Traveller("sidecar", sidecar, name, False),) if sidecar in sidecars else ()


def _is_raw(name: str) -> bool:
    kind = by_extension(name)
    return kind is not None and kind.format in RAW_FORMATS


def _join_twins(group: dict[str, list[str]], alike: list[str]) -> None:
    """RAW files and the camera's own pictures with one stem."""
    raw = [name for name in alike if _is_raw(name)]
    pictures = [name for name in alike if (kind := by_extension(name)) is not None and kind.format in _TWINS]
    if raw and pictures:
        _join(group, [*pictures, *raw])


def _join_live_photos(group: dict[str, list[str]], content_ids: Mapping[str, str]) -> None:
    """A video and the still with the same identifier; of several stills the one with its stem, else the first."""
    stills: dict[str, list[str]] = {}
    videos: list[str] = []
    for name in group:
        if name in content_ids:
            kind = by_extension(name)
            if kind is not None and kind.media == "video":
                videos.append(name)
            else:
                stills.setdefault(content_ids[name], []).append(name)
    for video in videos:
        among = stills.get(content_ids[video])
        if among:
            still = next((name for name in among if stem_of(name) == stem_of(video)), among[0])
            _join(group, [*group[still], video])


def _join(group: dict[str, list[str]], names: list[str]) -> None:
    members = list(dict.fromkeys(member for name in names for member in group[name]))
    for name in members:
        group[name] = members


def _beside(
    group: Mapping[str, list[str]], stems: Mapping[str, list[str]], names: set[str]
) -> dict[str, list[Traveller]]:
    """The files that belong to an original by name: `IMG.JPG.xmp`, or `IMG.xmp` for the first of that stem."""
    found: dict[str, list[Traveller]] = {}
    for name in sorted(name for name in names if travels_by_name(name) and name not in group):
        part, base = _BESIDE[name[-4:].lower()], name[:-4]
        if base in group:
            found.setdefault(base, []).append(Traveller(part, name, base, False))
        elif base in stems:
            owner = min(stems[base], key=lambda one: _rank(one, part))
            found.setdefault(owner, []).append(Traveller(part, name, owner, True))
    return found


def captions_of(originals: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """By original the text file in its folder that is its caption: `IMG.JPG.txt`, else `IMG.txt` for the first IMG."""
    stems: dict[str, list[str]] = {}
    for name in originals:
        stems.setdefault(stem_of(name), []).append(name)
    known = {name for alike in stems.values() for name in alike}
    found: dict[str, str] = {}
    for text in sorted(texts, key=lambda name: (name[:-4] not in known, name)):
        base = text[:-4]
        if base in known:
            found.setdefault(base, text)
        elif base in stems:
            found.setdefault(min(stems[base], key=lambda one: _rank(one, "caption")), text)
    return found


def _rank(name: str, part: str) -> tuple[bool, bool, str]:
    """Whose `IMG.xmp` it is where several originals are called IMG: the RAW file's, then a still's."""
    kind = by_extension(name)
    return (part != "xmp" or not _is_raw(name), kind is not None and kind.media == "video", name)
