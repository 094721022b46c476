"""What is wrong with a plan beyond its form: all that can be told from its bytes and the list of sources.

It runs when a plan is shown, approved and applied; `ground_check` looks at the disk as well. A hundred thousand actions
pass here: those that nothing can be wrong with, by all that is said of their folders, are not looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lumina_fs.catalog import Source
from lumina_fs.discover import Ignore
from lumina_fs.plans.deeds import Act, Deed
from lumina_fs.plans.roads import Road, folders_reached, roads
from lumina_fs.plans.targets import (
    NEVER_TOO_LONG,
    exact,
    fold,
    folder_path_refusal,
    name_refusal,
    return_refusal,
    too_long,
)
from lumina_fs.sidecars import sidecar_name
from lumina_fs.units import Traveller, extension_of, moved_name, stem_of
from schemas.plan import Copy, Move, Skip, Trash

#: (source, folder, whether files come to it) of a folder; one that files come to is folded.
_Where = tuple[str | None, str, bool]


class Finding(NamedTuple):
    """Why an action is refused. `action` counts from 0; `path` is that of its original, as in the plan."""

    action: int
    path: str
    reason: str


def check_plan(
    found: Sequence[Act],
    sources: Mapping[str, Source],
    ignore: Ignore,
    by_road: Sequence[Road] | None = None,
    *,
    back: bool = False,
) -> list[Finding]:
    """All that is wrong, in the order of the actions; an empty list for a plan that may be approved.

    `by_road` are the same actions where the caller has them by road already. `back`: files go back to where they lay,
    under names that no plan would give, and that were beside each other there.
    """
    by_road = roads(found) if by_road is None else by_road
    checker = _Checker(sources, ignore, folders_reached(by_road), back)
    doubted = checker.doubted(by_road)
    findings = [Finding(act.number, act.action.path, reason) for act in doubted for reason in checker.check(act)]
    findings += [Finding(number, found[number].action.path, reason) for number, reason in checker.clashes()]
    return sorted(findings, key=lambda one: one.action)


class _Checker:
    def __init__(self, sources: Mapping[str, Source], ignore: Ignore, targets: set[str], back: bool) -> None:
        self._sources = sources
        self._ignore = ignore
        self._back = back
        self._alike = exact if back else fold
        self._folded = {folder: self._alike(folder) for folder in targets}
        self._reached = set(self._folded.values())
        self._originals: dict[tuple[str, str], int] = {}
        self._targets: dict[tuple[str, str], tuple[int, str]] = {}
        self._leaving: dict[tuple[str, str], int] = {}
        self._refusals: dict[str, str | None] = {}
        self._reaches: dict[str, bool] = {}
        self._managed: dict[tuple[str, str, str], list[str]] = {}

    def doubted(self, by_road: Sequence[Road]) -> list[Act]:
        """The actions that something may be wrong with, in their order.

        All that are not plain, with all others in a folder where any two may be in each other's way: so what is said of
        them does not depend on those that are left out.
        """
        crowded = self._crowded(by_road)
        acts: list[Act] = []
        for road in by_road:
            here, there = (road.source, road.folder, False), (road.target, self._fold(road.to_folder), True)
            if not road.plain or here in crowded or there in crowded or self._may_be_wrong(road):
                acts += road.acts
        acts.sort(key=lambda act: act.number)
        return acts

    def _crowded(self, by_road: Sequence[Road]) -> set[_Where]:
        """Folders that two files of one name come from or to, and those that files come to while others leave."""
        names: dict[_Where, list[str]] = {}
        for road in by_road:
            reached = road.leaves and self._reaches_into(road.folder)
            if road.plain and not reached:
                names.setdefault((road.source, road.folder, False), []).extend(act.files[0].name for act in road.acts)
                there = names.setdefault((road.target, self._fold(road.to_folder), True), [])
                there += map(self._alike, [act.files[0].to_name for act in road.acts])
                continue
            for deed in (deed for act in road.acts for deed in act.every()):
                if deed.is_original:
                    names.setdefault((deed.source, deed.folder, False), []).append(deed.name)
                if deed.target is not None:
                    names.setdefault((deed.target, self._fold(deed.to_folder), True), []).append(
                        self._alike(deed.to_name)
                    )
        crowded = {where for where, found in names.items() if len(set(found)) < len(found)}
        for road in by_road:
            if road.leaves and self._reaches_into(road.folder):
                crowded |= {(road.source, road.folder, False), (road.source, self._fold(road.folder), True)}
        return crowded

    def _may_be_wrong(self, road: Road) -> bool:
        """True where a plain action of this road may be wrong by itself."""
        target, folder = road.target or "", road.to_folder
        if self._ignore.patterns or any(self._sourced(road.do, road.source, target)) or folder_path_refusal(folder):
            return True
        named = [act.files[0].to_name for act in road.acts]
        if len(folder) + max(map(len, named)) >= NEVER_TOO_LONG - 1 and any(too_long(_join(folder, n)) for n in named):
            return True
        return any(map(name_refusal, named))

    def _fold(self, folder: str) -> str:
        if folder not in self._folded:
            self._folded[folder] = self._alike(folder)
        return self._folded[folder]

    def check(self, act: Act) -> Iterator[str]:
        """What is wrong with one action, and with it beside those before it."""
        number, action, files, plain = act
        if isinstance(action, Skip):
            return
        target = action.to.source if isinstance(action, (Move, Copy)) else ""
        key = (action.do, action.source, target)
        if key not in self._managed:
            self._managed[key] = list(self._sourced(*key))
        yield from self._managed[key]
        leaves = isinstance(action, (Move, Trash))
        if plain and leaves and self._reaches_into(files[0].folder):
            files = act.every()  # elsewhere: where an original finds its place, its sidecar does
        for deed in files:
            if deed.is_original:
                path = (deed.source, deed.path)
                if path in self._originals:
                    yield f"{deed.path} is in this plan twice (see action {self._originals[path] + 1})"
                self._originals[path] = number
            if leaves and self._reaches_into(deed.folder):
                self._leaving[deed.source, self._alike(deed.path)] = number
            if deed.target is not None:
                yield from self._target(number, deed)
        if isinstance(action, (Move, Copy)) and not plain:
            yield from _torn(files)

    def _sourced(self, do: str, name: str, target_name: str) -> Iterator[str]:
        """What is wrong with the sources of an action."""
        source, target = self._sources.get(name), self._sources.get(target_name)
        if source is None:
            yield f"there is no source {name}"
        elif do in ("move", "trash") and not source.managed:
            yield (
                f"originals of {name} are referenced and stay where they are; `lumina source set {name} "
                "--managed yes` lets plans move them"
            )
        if target_name and target_name != name:
            if target is None:
                yield f"there is no source {target_name}"
            elif not target.managed:
                yield f"source {target_name} is not managed: nothing can be put there"
        elif target_name and do == "copy" and target is not None and not target.managed:
            yield f"source {target_name} is not managed: nothing can be put there"

    def _reaches_into(self, folder: str) -> bool:
        """True when something of this plan goes into the folder."""
        if folder not in self._reaches:
            self._reaches[folder] = self._alike(folder) in self._reached
        return self._reaches[folder]

    def _target(self, number: int, deed: Deed) -> Iterator[str]:
        assert deed.target is not None
        to = deed.to
        name = return_refusal(to, original=deed.is_original) if self._back else self._new_name_refusal(deed)
        reason = name or too_long(to)
        if reason is not None:
            yield f"the target {reason}: {to}"
            return
        key = (deed.target, f"{self._folded[deed.to_folder]}/{self._alike(deed.to_name)}".lstrip("/"))
        if key in self._targets:
            other, said = self._targets[key]
            same = "" if said == to else f" (as {said}, the same name on some volumes)"
            yield f"action {other + 1} puts something at {to} too{same}"
        self._targets[key] = (number, to)

    def _new_name_refusal(self, deed: Deed) -> str | None:
        if deed.to_folder not in self._refusals:
            self._refusals[deed.to_folder] = folder_path_refusal(deed.to_folder)
        reason = self._refusals[deed.to_folder]
        if reason is None and deed.is_original:
            reason = name_refusal(deed.to_name)
            if reason is None and self._ignore.patterns and self._ignore.path(deed.to):
                return "is left out by the catalog's setting `ignore`"
        return reason

    def clashes(self) -> Iterator[tuple[int, str]]:
        """Targets that another action of the plan leaves only later, or never."""
        for key, leaver in self._leaving.items():
            if key not in self._targets:
                continue
            number, to = self._targets[key]
            if leaver == number:
                yield number, f"{to} is where it, or its unit, is already"
            elif leaver > number:
                yield number, f"{to} is free only after action {leaver + 1}; put it behind that one"


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _torn(files: Sequence[Deed]) -> Iterator[str]:
    """Files of a unit that would not arrive beside their original, under its name."""
    first = files[0]
    if extension_of(first.name) != extension_of(first.to_name):
        yield f"the target has another extension: {first.to_name}"
    names = {deed.name: deed.to_name for deed in files if deed.is_original}
    for deed in files[1:]:
        if deed.folder != first.folder:
            yield f"{deed.path} lies in another folder than {first.name}"
        elif deed.target is None:
            yield f"{deed.name} would stay behind: it has no `to`"
        else:
            wanted = deed.to_name if deed.is_original else _name_of(deed, names)
            if wanted is None:
                yield f"{deed.name} belongs to no original of this action"
            elif (deed.to_folder, deed.to_name) != (first.to_folder, wanted):
                place = f"{first.to_folder}/{wanted}" if first.to_folder else wanted
                yield f"{deed.name} would be torn from its original: it has to go to {place}"


def _name_of(deed: Deed, names: Mapping[str, str]) -> str | None:
    """What a file has to be called when the originals of its unit have their new names."""
    for owner in names:
        if deed.part == "sidecar":
            if sidecar_name(owner) == deed.name:
                return sidecar_name(names[owner])
        elif deed.name[:-4] == owner:
            return moved_name(Traveller(str(deed.part), deed.name, owner, False), names)
    for owner in names:
        if deed.part != "sidecar" and deed.name[:-4] == stem_of(owner):
            return moved_name(Traveller(str(deed.part), deed.name, owner, True), names)
    return None
