"""What a keeper takes over from those that go: their curation, field by field, each with where it came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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


def relevant(sidecar: Mapping[str, Any]) -> Value:
    """What of a sidecar `merged` looks at: little, because many are held at once."""
    return {
        "id": sidecar.get("id"),
        "curation": sidecar.get("curation"),
        "capture": {"gps": (sidecar.get("capture") or {}).get("gps")},
    }


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


def _tags(name: str, keeper: Said, going: Sequence[Said], unwanted: Collection[Any] = ()) -> Merged:
    found = list(keeper.curation.get(name) or ())
    known = {*map(tag_parts, found), *unwanted}
    origins = []
    for one in going:
        new: dict[tuple[str, str], Any] = {}
        for tag in one.curation.get(name) or ():
            if tag_parts(tag) not in known:
                new.setdefault(tag_parts(tag), tag)
        if new:
            origins.append(one)
            known.update(new)
            found += new.values()
    return found, origins


def _highest(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    own = keeper.curation.get(name)
    best = max((one.curation.get(name) or 0 for one in going), default=0)
    if best <= (own or 0):
        return own, []
    return best, [one for one in going if one.curation.get(name) == best]


def _rejected(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    """As for tags, without those that somebody gave."""
    given = {tag_parts(tag) for one in (keeper, *going) for tag in one.curation.get("tags") or ()}
    return _tags(name, keeper, going, given)


def _joined(name: str, keeper: Said, going: Sequence[Said]) -> Merged:
    own = keeper.curation.get(name)
    texts = [own] if own else []
    known = _lines(own or "")
    origins = []
    for one in going:
        text = one.curation.get(name) or ""
        if not _lines(text) <= known:
            texts.append(text)
            known |= _lines(text)
            origins.append(one)
    return "\n".join(texts), origins


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}


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
    """Key by key what all agree about that say something; among it the place, also where a camera recorded it."""
    found = dict(keeper.curation.get(name) or {})
    taken = {*found, *(["gps"] if _gps(keeper) else [])}
    told = [(one, {**_placed(one), **(one.curation.get(name) or {})}) for one in going]
    new = {}
    for key in dict.fromkeys(key for _, values in told for key in values if key not in taken):
        said = [values[key] for _, values in told if key in values]
        said += [_gps(one) for one in going if key == "gps" and _gps(one)]
        if all(value == said[0] for value in said):
            new[key] = said[0]
    return {**found, **new}, [one for one, values in told if not new.keys().isdisjoint(values)]


def _gps(one: Said) -> Any:
    return (one.sidecar.get("capture") or {}).get("gps")


def _placed(one: Said) -> Value:
    return {"gps": _gps(one)} if _gps(one) else {}


_FIELDS: dict[str, Callable[[str, Said, Sequence[Said]], Merged]] = {
    "name": _agreed,
    "caption": _joined,
    "rating": _highest,
    "label": _agreed,
    "pick": _agreed,
    "date": _agreed,
    "tags": _tags,
    "rejected_tags": _rejected,
    "related": _relations,
    "metadata": _metadata,
}
