"""What is known of the files of a group, fact by fact, so that a person sees at once in what they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from index.contents import Described, described
from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.viewing.access import Access
from lumina_fs.wording import size, twin_kind
from schemas.names import decode_name
from schemas.sidecar import tag_parts, taken_of

#: The parts of the quality and the most that each may bring.
PARTS = {"format": 40, "resolution": 30, "size": 20, "metadata": 10}
_BAR = 10

Key = tuple[str, str]


class Fact(NamedTuple):
    """One thing that is known of each file, in their order. `differ`: not of all the same."""

    name: str
    values: tuple[str, ...]
    differ: bool


def describe(access: Access, copies: Sequence[Copy]) -> dict[Key, Described]:
    """What people and cameras said of these files, by source and path."""
    return described(access.index, [_key(copy) for copy in copies])


def facts(group: Standing, copies: Sequence[Copy], said: Mapping[Key, Described]) -> list[Fact]:
    """All facts of some files of a group. `said` may lack files: what is not known yet is empty."""
    columns = [dict(_facts(group, copy, said.get(_key(copy)))) for copy in copies]
    found = []
    for name in columns[0] if columns else ():
        values = tuple(column[name] for column in columns)
        if any(values):
            found.append(Fact(name, values, len(set(values)) > 1))
    return found


def fate(group: Standing, copy: Copy) -> str:
    """What becomes of a file, in a word."""
    if group.state == "related":
        return "stays"
    if copy is group.keeper:
        return "keeper"
    return {None: "undecided", "remove": "may go", "keep_both": "stays", "not_duplicate": "no duplicate"}[copy.decision]


def _facts(group: Standing, copy: Copy, said: Described | None) -> Iterator[tuple[str, str]]:
    twin = copy.twin
    folder, _, name = decode_name(twin.path).rpartition("/")
    curation = (said.rest.get("curation") or {}) if said is not None else {}
    yield "decision", fate(group, copy)
    yield "name", name
    yield "folder", folder or "(top)"
    yield "source", twin.source
    yield "taken", (twin.taken or "no date").replace("T", " ")
    yield "evidence", _evidence(said.rest) if said is not None else ""
    yield "camera", twin.camera or ""
    yield "pixels", f"{twin.width} x {twin.height}" if twin.width else ""
    yield "bytes", f"{twin.size:,} ({size(twin.size)})"
    yield "format", twin.format
    place = said is not None and said.latitude is not None and said.longitude is not None
    yield "GPS", f"{said.latitude:.5f}, {said.longitude:.5f}" if place and said is not None else ""
    yield "tags", ", ".join("/".join(filter(None, tag_parts(tag))) for tag in curation.get("tags") or ())
    yield "rating", str(said.rating) if said is not None and said.rating is not None else ""
    yield "caption", str(curation.get("caption") or "")
    yield from _quality(copy)
    if copy is group.keeper:
        yield from (("kind", ""), ("sure", ""), ("bits apart", ""), ("why", ""))
        return
    yield "kind", twin_kind(copy.kind)
    yield "sure", f"{copy.confidence} %"
    yield "bits apart", "pHash {}, dHash {}".format(*copy.distance) if copy.distance is not None else ""
    yield "why", "; ".join(copy.reasons)


def _evidence(rest: Mapping[str, Any]) -> str:
    """Where the date in force comes from, and how far it is to be trusted."""
    taken = taken_of(rest)
    if taken is None:
        return ""
    return f"{taken.get('field') or taken['source']}, {taken['confidence']} %"


def _quality(copy: Copy) -> Iterator[tuple[str, str]]:
    """The score, and how it comes about."""
    twin = copy.twin
    yield "quality", "" if twin.quality is None else f"{twin.quality:.1f} of 100"
    parts = json.loads(twin.parts or "{}")
    for name, most in PARTS.items():
        points = float(parts.get(name, 0))
        full = round(points / most * _BAR)
        yield f"· {name}", f"{'■' * full}{'·' * (_BAR - full)} {points:.1f} of {most}" if parts else ""


def _key(copy: Copy) -> Key:
    return copy.twin.source, copy.twin.path
