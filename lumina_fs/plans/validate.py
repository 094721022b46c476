"""What is wrong with a plan beyond its form: all that can be told from its bytes and the list of sources.

It runs when a plan is shown, approved and applied. `lumina_fs.plans.ground_check` looks at the disk as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lumina_fs.catalog import Source
from lumina_fs.discover import Ignore
from lumina_fs.filetypes import extension
from lumina_fs.plans.targets import fold, refusal, too_long
from lumina_fs.sidecars import sidecar_name
from lumina_fs.units import Traveller, moved_name, stem_of
from schemas.names import decode_name
from schemas.plan import Action, AnyAction, Companion, Copy, Edit, Move, Plan, Restore, Skip, Trash

#: Companions that are originals themselves.
ORIGINALS = frozenset({"raw", "jpeg", "live_photo"})


class Finding(NamedTuple):
    """Why an action is refused. `action` counts from 0; `path` is that of its original, as in the plan."""

    action: int
    path: str
    reason: str


class Deed(NamedTuple):
    """One file of an action: where it is, and where it goes; names as inside the program."""

    source: str
    path: str
    target: str | None
    to: str | None
    part: str | None


def deeds(action: AnyAction) -> Iterator[Deed]:
    """Every file that an action moves, copies or trashes: the original first."""
    if isinstance(action, (Skip, Edit, Restore)):
        return
    place = action.to if isinstance(action, (Move, Copy)) else None
    target = place.source if place else None
    yield Deed(action.source, decode_name(action.path), target, decode_name(place.path) if place else None, None)
    for one in action.companions:
        to = decode_name(one.to) if one.to is not None and place else None
        yield Deed(action.source, decode_name(one.path), target, to, one.part)


def check_plan(plan: Plan, sources: Mapping[str, Source], ignore: Ignore) -> list[Finding]:
    """All that is wrong, in the order of the actions; an empty list for a plan that may be approved."""
    checker = _Checker(sources, ignore)
    found: list[Finding] = []
    for number, action in enumerate(plan.actions):
        found += [Finding(number, action.path, reason) for reason in checker.check(number, action)]
    found += checker.clashes(plan)
    found.sort(key=lambda one: one.action)
    return found


@dataclass(slots=True)
class _Checker:
    sources: Mapping[str, Source]
    ignore: Ignore
    originals: dict[tuple[str, str], int] = field(default_factory=dict)
    targets: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    leaving: dict[tuple[str, str], int] = field(default_factory=dict)
    folders: dict[str, str | None] = field(default_factory=dict)

    def check(self, number: int, action: AnyAction) -> Iterator[str]:
        """What is wrong with one action, and with it beside those before it."""
        if isinstance(action, Skip):
            return
        yield from self._managed(action)
        for deed in deeds(action):
            if _unsafe(deed.path):
                yield f"{deed.path!r} is no path in a source"
            if deed.part is None or deed.part in ORIGINALS:
                other = self.originals.get((deed.source, deed.path))
                if other is not None:
                    yield f"{deed.path} is in this plan twice (see action {other + 1})"
                self.originals[deed.source, deed.path] = number
            if isinstance(action, (Move, Trash)):
                self.leaving[deed.source, fold(deed.path)] = number
            if deed.to is not None and deed.target is not None:
                yield from self._target(number, deed)
        if isinstance(action, (Move, Copy)):
            yield from _unit(action)

    def _managed(self, action: Action) -> Iterator[str]:
        source = self.sources.get(action.source)
        if source is None:
            yield f"there is no source {action.source}"
        elif isinstance(action, (Move, Trash)) and not source.managed:
            yield (
                f"originals of {source.name} are referenced and stay where they are; `lumina source set {source.name} "
                "--managed yes` lets plans move them"
            )
        if isinstance(action, (Move, Copy)) and action.to.source != action.source:
            target = self.sources.get(action.to.source)
            if target is None:
                yield f"there is no source {action.to.source}"
            elif not target.managed:
                yield f"source {target.name} is not managed: nothing can be put there"

    def _target(self, number: int, deed: Deed) -> Iterator[str]:
        assert deed.to is not None
        assert deed.target is not None
        reason = self._refusal(deed.to) if deed.part is None or deed.part in ORIGINALS else _companion_refusal(deed.to)
        if reason is not None:
            yield f"the target {reason}: {deed.to}"
            return
        key = (deed.target, fold(deed.to))
        other = self.targets.get(key)
        if other is not None:
            same = "" if other[1] == deed.to else f" (as {other[1]}, the same name on some volumes)"
            yield f"action {other[0] + 1} puts something at {deed.to} too{same}"
        self.targets[key] = (number, deed.to)

    def _refusal(self, path: str) -> str | None:
        """As `refusal`, which is asked once for each folder."""
        folder, slash, name = path.rpartition("/")
        if folder not in self.folders:
            self.folders[folder] = refusal(f"{folder}{slash}x", self.ignore)
        if self.folders[folder] is not None:
            return self.folders[folder]
        return refusal(name, self.ignore) or too_long(path) if not self.ignore.patterns else refusal(path, self.ignore)

    def clashes(self, plan: Plan) -> Iterator[Finding]:
        """Targets that another action of the plan leaves only later, or never."""
        for key, (number, to) in self.targets.items():
            leaver = self.leaving.get(key)
            if leaver is None or leaver < number:
                continue
            path = plan.actions[number].path
            if leaver == number:
                yield Finding(number, path, f"{to} is where it, or its unit, is already")
            else:
                yield Finding(number, path, f"{to} is free only after action {leaver + 1}; put it behind that one")


def _unsafe(path: str) -> bool:
    return path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in path.split("/"))


def _companion_refusal(path: str) -> str | None:
    folder, slash, _ = path.rpartition("/")
    return refusal(f"{folder}{slash}x") or too_long(path)


def _unit(action: Move | Copy) -> Iterator[str]:
    """Companions that would not arrive beside their original, under its name."""
    folder, _, name = decode_name(action.path).rpartition("/")
    to, _, new = decode_name(action.to.path).rpartition("/")
    if extension(name) != extension(new):
        yield f"the target has another extension: {new}"
    names = {name: new}
    for one in action.companions:
        if one.part in ORIGINALS:
            names[decode_name(one.path).rpartition("/")[2]] = decode_name(one.to or "").rpartition("/")[2]
    for one in action.companions:
        place, _, old = decode_name(one.path).rpartition("/")
        if place != folder:
            yield f"{decode_name(one.path)} lies in another folder than {name}"
            continue
        if one.to is None:
            yield f"{old} would stay behind: it has no `to`"
            continue
        arrives, _, called = decode_name(one.to).rpartition("/")
        wanted = called if one.part in ORIGINALS else _name_of(one, old, names)
        if wanted is None:
            yield f"{old} belongs to no original of this action"
        elif (arrives, called) != (to, wanted):
            yield f"{old} would be torn from its original: it has to go to {f'{to}/' if to else ''}{wanted}"


def _name_of(companion: Companion, old: str, names: Mapping[str, str]) -> str | None:
    """What a companion has to be called when the originals of its unit have their new names."""
    for owner in names:
        if companion.part == "sidecar":
            if sidecar_name(owner) == old:
                return sidecar_name(names[owner])
        elif old[:-4] == owner:
            return moved_name(Traveller(companion.part, old, owner, False), names)
    for owner in names:
        if companion.part != "sidecar" and old[:-4] == stem_of(owner):
            return moved_name(Traveller(companion.part, old, owner, True), names)
    return None
