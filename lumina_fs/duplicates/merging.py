"""What a keeper takes over from those that go: their curation, field by field, each with where it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.sidecar import tag_parts

Value = dict[str, Any]


class Said(NamedTuple):
    """The sidecar of an original, and where the original is."""

    source: str
    path: str
    sidecar: Mapping[str, Any]

    @property
    def curation(self) -> Mapping[str, Any]:
        """The person's block."""
        return self.sidecar.get("curation") or {}

    @property
    def place(self) -> Value:
        """As documents name it."""
        return {"source": self.source, "path": self.path}


def merged(keeper: Said, going: Sequence[Said]) -> dict[str, Value]:
    """The fields of the keeper's curation that change: before, after, origins; nothing for fields that stay.

    Union of the tags, the highest rating, captions one under the other; other fields only where the keeper says nothing
    and all that say something agree. The place of the others goes into `metadata.gps` where the keeper has none and
    they all agree.
    """
    changes: dict[str, Value] = {}
    for name, merge in _FIELDS.items():
        before = keeper.curation.get(name)
        after, origins = merge(name, keeper, going)
        if origins and after != before:
            changes[name] = {"before": before, "after": after, "origins": [one.place for one in origins]}
    return changes


Merged = tuple[Any, list[Said]]


def _tags(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    found = list(keeper.curation.get(name) or ())
    known = {tag_parts(tag) for tag in found}
    origins = []
    for one in going:
        new = [tag for tag in one.curation.get(name) or () if tag_parts(tag) not in known]
        if new:
            origins.append(one)
            known.update(map(tag_parts, new))
            found += new
    return found, origins


def _highest(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    own = keeper.curation.get(name)
    best = max((one.curation.get(name) or 0 for one in going), default=0)
    if best <= (own or 0):
        return own, []
    return best, [one for one in going if one.curation.get(name) == best]


def _joined(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    own = keeper.curation.get(name)
    lines = [own] if own else []
    origins = []
    for one in going:
        text = one.curation.get(name)
        if text and not any(text in line for line in lines):
            lines.append(text)
            origins.append(one)
    return "\n".join(lines), origins


def _agreed(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    own = keeper.curation.get(name)
    origins = [one for one in going if one.curation.get(name) is not None]
    if own is not None or not origins or any(one.curation[name] != origins[0].curation[name] for one in origins):
        return own, []
    return origins[0].curation[name], origins


def _relations(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    found: dict[str, list[str]] = {key: list(ids) for key, ids in (keeper.curation.get(name) or {}).items()}
    origins = []
    for one in going:
        before = sum(map(len, found.values()))
        for key, ids in (one.curation.get(name) or {}).items():
            present = found.setdefault(key, [])
            present += [id_ for id_ in ids if id_ not in present and id_ != keeper.sidecar.get("id")]
        if sum(map(len, found.values())) > before:
            origins.append(one)
    return found, origins


def _metadata(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    found = dict(keeper.curation.get(name) or {})
    origins = []
    for one in going:
        new = {key: value for key, value in (one.curation.get(name) or {}).items() if key not in found}
        if new:
            found.update(new)
            origins.append(one)
    placed = [one for one in going if _gps(one)]
    if placed and not _gps(keeper) and "gps" not in found and all(_gps(one) == _gps(placed[0]) for one in placed):
        found["gps"] = _gps(placed[0])
        origins += [one for one in placed if one not in origins]
    return found, origins


def _gps(one: Said) -> Any:
    return (one.sidecar.get("capture") or {}).get("gps")


_FIELDS: dict[str, Callable[[str, Said, Sequence[Said]], Merged]] = {
    "name": _agreed,
    "caption": _joined,
    "rating": _highest,
    "label": _agreed,
    "pick": _agreed,
    "date": _agreed,
    "tags": _tags,
    "rejected_tags": _tags,
    "related": _relations,
    "metadata": _metadata,
}
