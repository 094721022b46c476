"""A free place for every unit that is to go somewhere, and an order in which no place is needed before it is free.

A place that another unit is about to leave counts as free, and that unit goes first; in a circle one of them gets
another name. Two names that are one on some volume (case, forms of Unicode) never both get in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from index.protocol import Row
from lumina_fs.plans.ground import Ground
from lumina_fs.plans.strategies import Wish
from lumina_fs.plans.targets import fold, folder_path_refusal, name_refusal, too_long
from lumina_fs.sidecars import MAY_BE_CUT, SUFFIX
from lumina_fs.units import Traveller, moved_name, stem_of

_WAITING, _OPEN, _MOVED, _STAYS = range(4)
_UNKNOWN = -1


class Members(NamedTuple):
    """The originals of a unit by name, the leader first, and what travels with them."""

    originals: dict[str, Row]
    travellers: tuple[Traveller, ...]
    complete: bool
    """False where there is an original that the index does not know yet."""


@dataclass(slots=True)
class Mover:
    """A unit: its leading original `head`, all its files, and where it is to go.

    `members` None is an original that nothing travels with but (if `sidecar`) its sidecar under its whole name: nearly
    all are so. `target` and `wish` are None for a unit that stays. `names` becomes the new name of each original,
    `wished` is what the leader's would be if it were free.
    """

    source: str
    folder: str
    head: str
    leader: Row
    sidecar: bool
    members: Members | None = None
    copied: bool = False
    target: str | None = None
    wish: Wish | None = None
    names: dict[str, str] | None = None
    refused: str | None = None
    wished: str = ""
    warnings: tuple[str, ...] = ()
    state: int = _STAYS

    @property
    def originals(self) -> dict[str, Row]:
        """Its originals by name, the leader first."""
        return {self.head: self.leader} if self.members is None else self.members.originals

    @property
    def travellers(self) -> tuple[Traveller, ...]:
        """What travels with them."""
        if self.members is not None:
            return self.members.travellers
        return (Traveller("sidecar", self.head + SUFFIX, self.head, False),) if self.sidecar else ()

    def present(self) -> Iterator[str]:
        """The names of all its files now."""
        yield from self.originals
        for one in self.travellers:
            yield one.name

    def stay(self, reason: str) -> None:
        """It does not go, and why."""
        self.refused = reason
        self.state = _STAYS

    def settle(self, names: dict[str, str]) -> None:
        """It goes, under these names."""
        self.names = names
        self.state = _MOVED

    def new_names(self, stem: str, suffix: str) -> dict[str, str]:
        """New names of its originals when the leader's is `stem`; members with another stem take it too if they can."""
        assert self.wish is not None
        old = stem_of(self.head)
        if self.members is None:
            return {self.head: stem + suffix + self.head[len(old) :]}
        found: dict[str, str] = {}
        for name in self.originals:
            own = stem_of(name)
            kept = self.wish.name is None and own != old
            new = (own if kept else stem) + suffix + name[len(own) :]
            found[name] = new if new not in found.values() else own + suffix + name[len(own) :]
        return found

    def files(self, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """(old, new) name of each file of the unit."""
        yield from names.items()
        for traveller in self.travellers:
            yield traveller.name, moved_name(traveller, names)


class _Folder(NamedTuple):
    """What lies in a folder, and what comes to it: movers by folded name. Folders that fold alike share it."""

    owners: dict[str, int]
    claimed: dict[str, int]


def may_be_alone(name: str) -> bool:
    """False where the name of a sidecar may be shorter than that of its original with the suffix, or be one so cut."""
    return len(name) < MAY_BE_CUT and name[-11:-10] != "~"


class Naming:
    """Settles movers. `grounds` are the sources that they may go to."""

    def __init__(self, movers: Sequence[Mover], grounds: Mapping[str, Ground], on_collision: str) -> None:
        self._movers = movers
        self._grounds = grounds
        self._rename = on_collision == "rename"
        self._folders: dict[tuple[str, str], _Folder] = {}
        self._loaded: dict[tuple[str, str], tuple[_Folder, str | None]] = {}
        self._numbers: dict[tuple[str, str, str, str], int] = {}
        self._within: dict[tuple[str, str], list[int]] = {}
        folded: dict[str, str] = {}
        for at, mover in enumerate(movers):
            if mover.source in grounds and not mover.copied:
                if mover.folder not in folded:
                    folded[mover.folder] = fold(mover.folder)
                self._within.setdefault((mover.source, folded[mover.folder]), []).append(at)

    def settled(self) -> Iterator[Mover]:
        """Every mover that was to go, in an order that works; those that cannot go have `refused`."""
        for mover in self._movers:
            if mover.wish is not None:
                mover.state = _WAITING
        for at, mover in enumerate(self._movers):
            if mover.state == _WAITING:
                if self._goes_at_once(mover, at):
                    yield mover
                else:
                    yield from self._settle(at)

    def _goes_at_once(self, mover: Mover, at: int) -> bool:
        """Settle a mover of one original where nothing that lies in its folder matters; false where it may.

        The place of its sidecar need not be claimed: whoever wanted that would want the original's too.
        """
        wish, head = mover.wish, mover.head
        assert wish is not None
        assert mover.target is not None
        if mover.members is not None or wish.name is not None:
            return False
        place, problem = self._load(mover.target, wish.folder)
        if problem is not None:
            return False
        name, key, wished = head, fold(head), place.claimed.get(fold(head))
        if wished is not None and self._rename:
            stem = stem_of(head)
            slot = mover.target, fold(wish.folder), fold(stem), head[len(stem) :]
            number = self._numbers.get(slot, 0)
            while key in place.claimed:
                number += 1
                name = f"{stem}-{number}{head[len(stem) :]}"
                key = fold(name)
        if key in place.claimed or key in place.owners or key + SUFFIX in place.owners:
            return False
        if len(name) >= MAY_BE_CUT or name_refusal(name) or too_long(f"{wish.folder}/{name}"):
            return False
        if wished is not None:
            self._numbers[slot] = number
            mover.wished = head
            mover.warnings = (f"{head} {self._why(place, fold(head), mover)}: it gets another name",)
        place.claimed[key] = at
        mover.settle({head: name})
        return True

    def _settle(self, first: int) -> Iterator[Mover]:
        """This one, after those whose places it needs."""
        stack = [first]
        while stack:
            mover = self._movers[stack[-1]]
            mover.state = _OPEN
            before = self._place(mover, stack[-1])
            if before is None:
                stack.pop()
                yield mover
            else:
                stack.append(before)

    def _place(self, mover: Mover, at: int) -> int | None:
        """Give it a place or a refusal; or say which mover has to be settled before."""
        assert mover.wish is not None
        assert mover.target is not None
        folder, target, head = mover.wish.folder, mover.target, mover.head
        mover.wished = mover.wished or head
        place, problem = self._load(target, folder)
        if problem is not None:
            mover.stay(problem)
            return None
        stem, counting = self._stem(mover, head)
        slot = (target, fold(folder), fold(stem), head[len(stem_of(head)) :])
        number = self._numbers.get(slot, 1 if counting else 0)
        while True:
            names = self._names(mover, stem, number, counting)
            mover.wished = mover.wished if number else names[head]
            files = list(mover.files(names))
            keys = [fold(new) for _, new in files]
            if len(set(keys)) < len(keys):
                mover.stay("two files of its unit would have one name on some volumes")
                return None
            taken, before = self._look(place, keys, at)
            if not taken:
                if before is not None:
                    return before
                self._accept(mover, at, names, files, place, keys)
                return None
            if not counting and not self._rename:
                mover.stay(f"{names[head]} in {folder or 'the top folder'} {self._why(place, taken[0], mover)}")
                return None
            if not counting and not mover.warnings:
                first = self._names(mover, stem, 0, counting)
                missed, _ = self._look(place, [fold(new) for _, new in mover.files(first)], at)
                why = self._why(place, (missed or taken)[0], mover)
                mover.warnings = (f"{first[head]} {why}: it gets another name",)
            number += 1
            self._numbers[slot] = number

    @staticmethod
    def _stem(mover: Mover, head: str) -> tuple[str, bool]:
        """The wished stem, and whether it has a counter (then it is what stands before and after that)."""
        assert mover.wish is not None
        named = mover.wish.name
        if named is None:
            return stem_of(head), False
        if named.slot == "counter":
            return f"{named.before}\0{named.after}", True
        return named.with_name(stem_of(head)) if named.slot else named.before, False

    @staticmethod
    def _names(mover: Mover, stem: str, number: int, counting: bool) -> dict[str, str]:
        if counting:
            assert mover.wish is not None
            assert mover.wish.name is not None
            return mover.new_names(mover.wish.name.with_number(number), "")
        return mover.new_names(stem, f"-{number}" if number else "")

    def _look(self, place: _Folder, keys: list[str], at: int) -> tuple[list[str], int | None]:
        """The keys that are taken, and a mover that has to leave before the others are free."""
        taken, before = [], None
        for key in keys:
            owner = place.owners.get(key)
            if key in place.claimed:
                taken.append(key)
            elif owner is None:
                continue
            elif owner in (_UNKNOWN, at) or self._movers[owner].state in (_OPEN, _STAYS):
                taken.append(key)
            elif self._movers[owner].state == _WAITING:
                before = owner
        return taken, before

    def _accept(
        self,
        mover: Mover,
        at: int,
        names: dict[str, str],
        files: list[tuple[str, str]],
        place: _Folder,
        keys: list[str],
    ) -> None:
        assert mover.wish is not None
        for number, (old, new) in enumerate(files):
            path = f"{mover.wish.folder}/{new}" if mover.wish.folder else new
            reason = name_refusal(new) if number < len(names) else None
            reason = reason or too_long(path)
            if reason is not None:
                mover.stay(f"the target of {old} {reason}: {path}")
                return
        for key in keys:
            place.claimed[key] = at
        mover.settle(names)

    def _why(self, place: _Folder, key: str, mover: Mover) -> str:
        """How a name is taken, for people."""
        other = place.claimed.get(key)
        said = "goes there too, from another place" if other is not None else "is there already"
        other = place.owners.get(key, _UNKNOWN) if other is None else other
        if other != _UNKNOWN and self._movers[other].leader.sha256 == mover.leader.sha256:
            return f"{said}, with the same content"
        return said

    def _load(self, source: str, folder: str) -> tuple[_Folder, str | None]:
        """What lies in a folder and comes to it; why nothing can go there, None if it can."""
        known = self._loaded.get((source, folder))
        if known is not None:
            return known
        ground, alike = self._grounds[source], (source, fold(folder))
        place = self._folders.setdefault(alike, _Folder({}, {}))
        for at in self._within.pop(alike, ()):
            for name in self._movers[at].present():
                key = fold(name)
                # of two names that fold alike one may stay: such a place is never free
                place.owners[key] = _UNKNOWN if key in place.owners else at
        for path in ground.names(folder):
            place.owners.setdefault(fold(path.rpartition("/")[2]), _UNKNOWN)
        reason = folder_path_refusal(folder)
        found = place, f"the folder {folder} {reason}" if reason else ground.blocked(folder)
        self._loaded[source, folder] = found
        return found
