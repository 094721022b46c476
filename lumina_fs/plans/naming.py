"""A free place for every unit that is to go somewhere, and an order in which no place is needed before it is free.

A place that another unit is about to leave counts as free, and that unit goes first; in a circle one of them gets
another name. Two names that are one on some volume (case, forms of Unicode) never both get in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from index.protocol import Row
from lumina_fs.plans.ground import Ground
from lumina_fs.plans.strategies import Wish
from lumina_fs.plans.targets import fold, folder_path_refusal, name_refusal, too_long
from lumina_fs.sidecars import SUFFIX
from lumina_fs.units import Traveller, moved_name, stem_of

_WAITING, _OPEN, _MOVED, _STAYS = range(4)
_UNKNOWN = -1


@dataclass(slots=True)
class Mover:
    """A unit: its originals by name (the leader first), what travels with them, and where it is to go.

    `target` and `wish` are None for a unit that stays. `names` becomes the new name of each original, `wished` is what
    the leader's would be if it were free.
    """

    source: str
    folder: str
    originals: dict[str, Row]
    travellers: tuple[Traveller, ...]
    target: str | None = None
    wish: Wish | None = None
    copied: bool = False
    names: dict[str, str] | None = None
    refused: str | None = None
    wished: str = ""
    warnings: tuple[str, ...] = ()
    state: int = _STAYS

    leader: Row = field(init=False)
    head: str = field(init=False)
    alone: bool = field(init=False)
    """True for one original that nothing travels with but its sidecar, under its whole name: nearly all are."""

    def __post_init__(self) -> None:
        [(self.head, self.leader), *more] = self.originals.items()
        with_it = self.travellers
        whole = not with_it or (len(with_it) == 1 and with_it[0].name == self.head + SUFFIX)
        self.alone = whole and not more and self.head[-11:-10] != "~"  # so may end what is left of a very long name

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
        if len(self.originals) == 1:
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
        """Settle a mover that keeps its name where nobody else has it or wants it; false where more is to be thought of.

        Its sidecar's place need not be claimed: whoever wanted that would want the original's too.
        """
        wish, head = mover.wish, mover.head
        assert wish is not None
        assert mover.target is not None
        if not mover.alone or wish.name is not None:
            return False
        (owners, claimed), problem = self._load(mover.target, wish.folder)
        key = fold(head)
        if problem is not None or key in claimed or (owners and (key in owners or key + SUFFIX in owners)):
            return False
        if name_refusal(head) or too_long(f"{wish.folder}/{head}"):
            return False
        claimed[key] = at
        mover.settle({head: head})
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
            if number == 0 and not counting:
                mover.warnings += (f"{names[head]} {self._why(place, taken[0], mover)}: it gets another name",)
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
        self, mover: Mover, at: int, names: dict[str, str], files: list[tuple[str, str]], place: _Folder, keys: list[str]
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
