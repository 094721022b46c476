"""A plan as a person looks at it before saying yes: rendered from its own bytes, nothing is worked out anew."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lumina_fs.catalog import Source
from lumina_fs.plans.files import size_of
from lumina_fs.plans.roads import Road
from lumina_fs.plans.validate import Finding
from schemas.names import decode_name
from schemas.plan import AnyAction, Copy, Edit, Move, Plan, Restore, Trash

#: What a list of actions can be sorted by.
ORDERS = ("order", "path", "target", "size", "warnings")
KINDS = ("move", "copy", "trash", "restore", "edit", "skip")


class Line(NamedTuple):
    """One action. Paths are as inside the program, with their source before a colon where the plan has several."""

    number: int
    do: str
    path: str
    target: str
    size: int
    reason: str
    warnings: Sequence[str]
    refused: Sequence[str]
    companions: int

    def value(self) -> dict[str, Any]:
        """The line as `--json` prints it."""
        found = {
            "action": self.number, "do": self.do, "path": self.path, "target": self.target, "size": self.size,
            "reason": self.reason, "warnings": list(self.warnings), "refused": list(self.refused),
            "companions": self.companions,
        }  # fmt: skip
        return {name: one for name, one in found.items() if one not in ("", [])}


def lines(plan: Plan, findings: Iterable[Finding], several: bool | None = None) -> Iterator[Line]:
    """Every action of a plan, in its order. `several`: whether it is about several sources, where the caller knows."""
    refused: dict[int, list[str]] = {}
    for finding in findings:
        refused.setdefault(finding.action, []).append(finding.reason)
    several = _has_several_sources(plan) if several is None else several
    for number, action in enumerate(plan.actions):
        yield Line(
            number + 1, action.do, _shown(action.source, action.path, several), _target(action, several), action.size,
            action.reason, action.warnings, refused.get(number, ()), len(action.companions),
        )  # fmt: skip


def _has_several_sources(plan: Plan) -> bool:
    found = {action.source for action in plan.actions}
    return len(found) > 1 or any(
        action.to.source not in found for action in plan.actions if isinstance(action, (Move, Copy))
    )


def _shown(source: str, path: str, several: bool) -> str:
    return f"{source}:{decode_name(path)}" if several else decode_name(path)


def _target(action: AnyAction, several: bool) -> str:
    if isinstance(action, (Move, Copy)):
        return _shown(action.to.source, action.to.path, several)
    if isinstance(action, Trash):
        return "(trash)"
    if isinstance(action, Restore):
        return "(back from the trash)"
    return ", ".join(action.fields) if isinstance(action, Edit) else ""


def chosen(
    found: Iterable[Line], *, only: Sequence[str] = (), match: str = "", sort: str = "order", turned: bool = False
) -> list[Line]:
    """The lines of these kinds (also: warned, refused) that hold a text, in an order; `turned` is the other way."""
    text = match.casefold()
    kept = [line for line in found if (not only or _is_one_of(line, only)) and (not text or _holds(line, text))]
    if sort == "path":
        kept.sort(key=lambda line: line.path)
    elif sort == "target":
        kept.sort(key=lambda line: (line.target, line.path))
    elif sort == "size":
        kept.sort(key=lambda line: -line.size)
    elif sort == "warnings":
        kept.sort(key=lambda line: (-len(line.refused), -len(line.warnings)))
    if turned:
        kept.reverse()
    return kept


def _is_one_of(line: Line, only: Sequence[str]) -> bool:
    return line.do in only or ("warned" in only and bool(line.warnings)) or ("refused" in only and bool(line.refused))


def _holds(line: Line, text: str) -> bool:
    return any(text in one.casefold() for one in (line.path, line.target, line.reason, *line.warnings, *line.refused))


class Folders(NamedTuple):
    """Folders from the top, each with how many originals come to it and below it."""

    rows: list[tuple[str, int]]
    arriving: bool
    """False where none comes anywhere: then they are those that originals lie in which go or are edited."""


def tree(plan: Plan) -> Folders:
    """The folders that originals come to; of a plan that moves none anywhere, those that they lie in."""
    arriving = any(isinstance(action, (Move, Copy, Restore)) for action in plan.actions)
    kinds = (Move, Copy, Restore) if arriving else (Trash, Edit)
    places = [_place(action) for action in plan.actions if isinstance(action, kinds)]
    several = len({source for source, _ in places}) > 1
    direct: Counter[str] = Counter()
    for source, path in places:
        folder = decode_name(path).rpartition("/")[0]
        direct[f"{source}/{folder}".rstrip("/") if several else folder] += 1
    total: Counter[str] = Counter()
    for folder, count in direct.items():
        parts = folder.split("/")
        for depth in range(1, len(parts) + 1):
            total["/".join(parts[:depth])] += count
    return Folders(sorted(total.items(), key=lambda one: one[0].split("/")), arriving)


def _place(action: AnyAction) -> tuple[str, str]:
    """Where an original is once the action is done, or was before it goes: (source, encoded path)."""
    at = action.to if isinstance(action, (Move, Copy)) else action
    return at.source, at.path


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system that a plan touches: a folder on it, what is to arrive from elsewhere, and what is free."""

    path: str
    arriving: int
    free: int

    @property
    def fits(self) -> bool:
        """True when there is room for all that arrives."""
        return self.arriving < self.free


@dataclass(frozen=True, slots=True)
class Crossing:
    """The volumes of a plan, and how many of its moves go from one to another."""

    volumes: list[Volume]
    moves: int
    size: int


def crossing(by_road: Iterable[Road], sources: Mapping[str, Source]) -> Crossing:
    """What has to be copied to which volume, and what room there is. Sources that are not there are left out."""
    devices: dict[tuple[str, str], int] = {}
    tops: dict[str, int | None] = {}
    places: dict[int, str] = {}
    arriving: Counter[int] = Counter()
    moves = size = 0

    def device(source: str, folder: str) -> int:
        key = (source, folder)
        if key not in devices:
            top = sources[source].path
            if top not in tops:
                tops[top] = _device_at(top)
            devices[key], place = _device(top, tops[top], folder)
            places.setdefault(devices[key], place)
        return devices[key]

    for road in by_road:
        if road.target is None or not {road.source, road.target} <= sources.keys():
            continue
        origin, target = device(road.source, road.folder), device(road.target, road.to_folder)
        if road.do == "copy" or origin != target:
            weight = sum(size_of(act.action) for act in road.acts)
            arriving[target] += weight
            if road.do == "move":
                moves, size = moves + len(road.acts), size + weight
    return Crossing([Volume(place, arriving[one], _free(place)) for one, place in places.items()], moves, size)


def _device(top: str, own: int | None, folder: str) -> tuple[int, str]:
    """The file system that a folder is, or would be made, on. The top of its source stands for `own`."""
    place = os.path.join(top, folder) if folder else top
    while own is not None and len(place) > len(top):
        found = _device_at(place)
        if found is not None:
            return found, top if found == own else place
        place = os.path.dirname(place)
    return (-1, top) if own is None else (own, top)


def _device_at(place: str) -> int | None:
    try:
        return os.stat(place).st_dev
    except OSError:
        return None


def _free(place: str) -> int:
    try:
        room = os.statvfs(place)
    except OSError:
        return 0
    return room.f_bavail * room.f_frsize


#: Actions that have warnings, with their positions, from 0.
Warned = Sequence[tuple[int, AnyAction]]


def warned(plan: Plan) -> Warned:
    """What a person should look at before saying yes."""
    return [(number, action) for number, action in enumerate(plan.actions) if action.warnings]


def uncertain(found: Warned) -> int:
    """How many dates may be wrong."""
    return sum(any(text.startswith("the date is uncertain") for text in one.warnings) for _, one in found)


def collisions(found: Warned) -> int:
    """How many would have had a name that is taken."""
    return sum(any("another name" in text for text in one.warnings) for _, one in found)
