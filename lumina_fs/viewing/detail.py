"""All that is known of one photo, as sections of facts: dates with their evidence, metadata, quality, history."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from index.order import Listed
from lumina_fs.catalog import Catalog, Source
from lumina_fs.errors import UsageError
from lumina_fs.history import History
from lumina_fs.roots import Root
from lumina_fs.viewing.access import Access
from lumina_fs.wording import percent, size
from schemas.names import decode_name
from schemas.sidecar import NOTES, device_name, seen_tags, tag_parts, taken_of

#: The most points of each part of the quality.
_MOST = {"format": 40, "resolution": 30, "size": 20, "metadata": 10}
_WHY_FLAGGED = {
    "filename_disagrees": "the date in the file's name is another one",
    "future": "the date lies in the future",
    "before_1970": "the date lies before 1970",
    "century_old": "the date lies more than a hundred years back",
    "filesystem_only": "only the time of the file is known",
}


class Fact(NamedTuple):
    """A name and what is said of it. `look`: good, warn, bad or dim, besides what the text says."""

    name: str
    value: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Facts that belong together. `text`: what is said where there are none."""

    title: str
    facts: tuple[Fact, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """A photo by its sidecar: absolute paths of both files, and sections in the order in which they are read."""

    source: str
    path: str
    original: str
    sidecar: str
    sections: tuple[Section, ...]
    curation: Mapping[str, Any] = field(default_factory=dict)


def detail(catalog: Catalog, source: str, path: str) -> Detail:
    """What the sidecar of an original says; `path` is encoded. Raises UsageError, CorruptDocument, SourceOffline."""
    where, inner = catalog.source(source), decode_name(path)
    original = os.path.join(where.path, inner)
    catalog.require_online(where)
    with Root.open(where.path) as root:
        sidecars = catalog.sidecars(where, root)
        found = sidecars.find(inner)
        sidecar = os.path.join(sidecars.root.path, sidecars.path(inner))
        if found is None:
            raise UsageError("has no sidecar yet; a scan writes it", path=original)
    value = found[1]
    sections = [section for section in _sections(catalog, where, value) if section.facts or section.text]
    files = Section("Files", (Fact("photo", original), Fact("sidecar", sidecar)))
    return Detail(source, path, original, sidecar, (*sections, files), dict(value.get("curation") or {}))


def paths_of(catalog: Catalog, source: str, path: str) -> str:
    """The absolute path of an original; `path` is encoded."""
    return os.path.join(catalog.source(source).path, decode_name(path))


def _sections(catalog: Catalog, source: Source, value: Mapping[str, Any]) -> Iterator[Section]:
    capture, original = value.get("capture") or {}, value["original"]
    yield Section("Problems", tuple(_problems(value)))
    yield Section("Yours", tuple(curated(value.get("curation") or {})), "nothing yet: r rates, t tags, c describes")
    yield Section("Seen by the machine", tuple(_seen(value)))
    yield Section("Dates", tuple(_dates(value)), "none was found")
    yield Section("Camera", tuple(_camera(capture)))
    yield Section("Quality", tuple(_quality(value.get("measurements") or {})))
    yield Section("File", tuple(_file(original)))
    yield Section("History", tuple(_history(catalog, source, str(value.get("id")))), "no earlier versions")
    groups: dict[str, list[Fact]] = {}
    for name, text in (capture.get("tags") or {}).items():
        group, _, key = name.rpartition(":")
        groups.setdefault(group or "Other", []).append(Fact(key, _plain(text)))
    for group, facts in sorted(groups.items()):
        yield Section(group, tuple(facts))
    left_out = capture.get("tags_left_out")
    if left_out:
        yield Section("Left out", (Fact(str(left_out["count"]), ", ".join(left_out.get("names") or [])),))


def _seen(value: Mapping[str, Any]) -> Iterator[Fact]:
    """What models saw, the surest first; what the person rejected is not told."""
    for tag in seen_tags(value):
        times = f", {tag.times} times" if tag.times is not None and tag.times > 1 else ""
        yield Fact(percent(tag.confidence), "/".join(filter(None, (tag.category, tag.value))) + times)


def curated(curation: Mapping[str, Any]) -> Iterator[Fact]:
    """What the person says."""
    for name, item in curation.items():
        if item in (None, "", [], {}):
            continue
        yield Fact({"name": "title"}.get(name, name), curated_text(name, item))


def curated_text(name: str, item: Any) -> str:
    """One field of the person's block in words."""
    if item is None:
        return "-"
    if name in ("tags", "rejected_tags") and isinstance(item, list):
        return ", ".join("/".join(filter(None, tag_parts(tag))) for tag in item) or "-"
    if name == "rating" and isinstance(item, int):
        return f"{item} {'★' * item}".strip()
    return _plain(item)


def _plain(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in item.items())
    if isinstance(item, list):
        return ", ".join(map(_plain, item))
    return str(item)


def _problems(value: Mapping[str, Any]) -> Iterator[Fact]:
    for problem in value.get("problems") or []:
        yield Fact(str(problem["code"]), str(problem["message"]), "warn" if problem["code"] in NOTES else "bad")
    if value["original"].get("missing_since"):
        yield Fact("missing", f"since {value['original']['missing_since']}", "bad")


def _dates(value: Mapping[str, Any]) -> Iterator[Fact]:
    """The selected one, why, and all that were found, best first."""
    capture, taken = value.get("capture") or {}, taken_of(value)
    found = capture.get("dates") or []
    if taken is not None:
        offset = taken.get("offset") or ""
        yield Fact("taken", taken["local"].replace("T", " ") + offset, "good")
        yield Fact("because", _because(taken, found))
    for flag in capture.get("date_flags") or []:
        yield Fact("doubt", _WHY_FLAGGED.get(flag, flag), "warn")
    for one in found:
        chosen = taken is not None and taken["source"] != "manual" and one is found[0]
        sign = "● " if chosen else "○ "
        said = f"{one['local'].replace('T', ' ')}{one.get('offset') or ''}, confidence {one['confidence']}"
        raw = one.get("raw")
        read = f", read from “{raw}”" if raw and raw != one["local"] else ""
        yield Fact(sign + (one.get("field") or one["source"]), said + read, "" if chosen else "dim")


def _because(taken: Mapping[str, Any], found: list[Any]) -> str:
    if taken["source"] == "manual":
        return "you said so; that counts more than all that was found"
    where = f"{taken.get('field') or taken['source']} ({taken['source']})"
    if len(found) < 2:
        return f"{where} is all there is, confidence {taken['confidence']}"
    return f"{where} has the highest confidence, {taken['confidence']}, of {len(found)} that were found"


def _camera(capture: Mapping[str, Any]) -> Iterator[Fact]:
    camera, exposure, gps = capture.get("camera") or {}, capture.get("exposure") or {}, capture.get("gps")
    yield from _said("camera", device_name(camera))
    yield from _said("serial", camera.get("serial"))
    yield from _said("lens", device_name(capture.get("lens")))
    seconds = exposure.get("time")
    if seconds:
        yield Fact("time", f"1/{round(1 / seconds)} s" if seconds < 0.5 else f"{seconds:g} s")
    for name, key, form in (
        ("aperture", "f_number", "f/{:g}"), ("ISO", "iso", "{}"), ("focal length", "focal_length", "{:g} mm"),
        ("as on 35 mm", "focal_length_35mm", "{:g} mm"), ("bias", "bias", "{:+g} EV"), ("program", "program", "{}"),
    ):  # fmt: skip
        if exposure.get(key) is not None:
            yield Fact(name, form.format(exposure[key]))
    if exposure.get("flash") is not None:
        yield Fact("flash", "fired" if exposure["flash"] else "did not fire")
    if gps:
        height = f", {gps['altitude']:g} m" if gps.get("altitude") is not None else ""
        yield Fact("place", f"{gps['latitude']:.5f}, {gps['longitude']:.5f}{height}")
    yield from _said("orientation", capture.get("orientation"))


def _said(name: str, value: Any) -> Iterator[Fact]:
    if value not in (None, ""):
        yield Fact(name, str(value))


def _quality(measurements: Mapping[str, Any]) -> Iterator[Fact]:
    quality = measurements.get("quality") or {}
    if isinstance(quality.get("value"), (int, float)):
        yield Fact("score", f"{quality['value']:g} of 100")
        for name, points in (quality.get("parts") or {}).items():
            most = _MOST.get(name)
            filled = round(10 * points / most) if most else 0
            yield Fact(name, f"{'■' * filled}{'□' * (10 - filled)} {points:g} of {most}" if most else f"{points:g}")
    worthless = (measurements.get("information") or {}).get("worthless")
    yield from _said("shows little", worthless)


def _file(original: Mapping[str, Any]) -> Iterator[Fact]:
    yield Fact("kind", f"{original['format']} {original['media']}")
    if original.get("width"):
        yield Fact("pixels", f"{original['width']} x {original['height']}")
    yield Fact("bytes", f"{original['size']:,} ({size(original['size'])})")
    if original.get("duration"):
        yield Fact("duration", f"{original['duration']:g} s")
    yield from _said("sha256", original.get("sha256"))


def _history(catalog: Catalog, source: Source, id_: str) -> Iterator[Fact]:
    versions = History(catalog.disk, catalog.root, source.name).of(id_)
    for version in reversed(versions[-20:]):
        said = "; ".join(f"{fact.name}: {fact.value}" for fact in curated(version.curation)) or "nothing"
        lost = f" (not kept: {', '.join(version.clash)})" if version.clash else ""
        yield Fact(version.when[:16].replace("T", " "), f"before {version.why} by {version.by}: {said}{lost}")


# -- duplicates


class Related(NamedTuple):
    """Another original of the same picture: what it is to this one, and how sure that is."""

    listed: Listed
    kind: str
    confidence: int
    reasons: tuple[str, ...]


def duplicates(access: Access, catalog: Catalog, source: str, path: str, sha256: str | None) -> list[Related]:
    """Files with the same bytes, and what the last search for duplicates found in one group with it."""
    from index.pages import with_contents

    if sha256 is None:
        return []
    known = {sha256: ("same bytes", 100, ())} | _group_of(catalog, sha256)
    found = [
        Related(one, *known[one.hit.sha256])
        for one in with_contents(access.index, list(known))
        if (one.hit.source, one.hit.path) != (source, path) and one.hit.sha256 in known
    ]
    return sorted(found, key=lambda one: -one.confidence)


def _group_of(catalog: Catalog, sha256: str) -> dict[str, tuple[str, int, tuple[str, ...]]]:
    """By digest what the others of a content's group are to it; to its primary, where it is not the primary itself."""
    from lumina_fs.duplicates.results import RESULT  # a large part of the start of the app

    try:
        stamp = os.stat(os.path.join(catalog.path, RESULT)).st_mtime_ns
    except OSError:
        return {}
    group = _groups(catalog, stamp).get(sha256)
    if group is None:
        return {}
    others = {one.sha256: (one.kind, one.confidence, tuple(one.reasons)) for one in group.members}
    if group.primary != sha256:
        mine = others.get(sha256)
        others[group.primary] = (f"the best of the group, {mine[0]}", mine[1], mine[2]) if mine else ("", 0, ())
    others.pop(sha256, None)
    return others


_kept: tuple[str, int, dict[str, Any]] | None = None


def _groups(catalog: Catalog, stamp: int) -> dict[str, Any]:
    """Content -> its group, of the result with this time; the last one is kept."""
    global _kept
    if _kept is None or _kept[:2] != (catalog.path, stamp):
        from lumina_fs.duplicates.results import load

        result = load(catalog)
        groups: dict[str, Any] = {}
        for group in result.groups if result is not None else ():
            for digest in (group.primary, *(one.sha256 for one in group.members)):
                groups[digest] = group
        _kept = (catalog.path, stamp, groups)
    return _kept[2]
