"""The groups that are listed at present: their order, where the cursor is, which are marked. It follows decisions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from lumina_fs.duplicates.kinds import RELATED
from lumina_fs.duplicates.standing import Filter, Standing
from lumina_fs.viewing.duplicates import KINDS, SORTS, Board, Changed, Wanted
from lumina_fs.wording import twin_kind

#: Groups that changed at once, from which on the whole list is made anew.
MANY = 50


class GroupList:
    """Keys of groups in order. `at` is the row of the cursor; marks stay with their groups."""

    def __init__(self, board: Board, wanted: Wanted, keys: list[str]) -> None:
        self.board = board
        self.wanted = wanted
        self.keys = keys
        self.at = 0
        self.marked: set[str] = set()

    @property
    def current(self) -> Standing | None:
        """The group under the cursor."""
        return self.board.get(self.keys[self.at]) if self.at < len(self.keys) else None

    def row(self, number: int) -> Standing | None:
        """The group in a row."""
        return self.board.get(self.keys[number])

    def go_to(self, reference: str) -> bool:
        """The cursor to the group with this key, or of this file; False where it is not listed."""
        key = self.board.key_of(reference)
        if key is None or key not in self.keys:
            return False
        self.at = self.keys.index(key)
        return True

    def meant(self) -> list[Standing]:
        """The groups that a decision is about: those that are marked, else the one under the cursor."""
        groups = [self.board.get(key) for key in self.keys if key in self.marked] if self.marked else [self.current]
        return [group for group in groups if group is not None]

    def take_over(self, other: GroupList) -> None:
        """Cursor and marks of a list that this one takes the place of."""
        self.marked = other.marked & set(self.keys)
        here = other.keys[other.at] if other.at < len(other.keys) else None
        if here is None or not self.go_to(here):
            self.at = max(0, min(other.at, len(self.keys) - 1))

    def follow(self, changed: Changed) -> None:
        """Take up how these groups stand now. Those that fit no more leave, and those that fit come."""
        here = self.keys[self.at] if self.at < len(self.keys) else None
        if len(changed) > MANY:
            self.keys = self.board.listed(self.wanted)
        else:
            now = [self.board.get(key) for key in changed]
            fitting = {group.found: group for group in now if group is not None and self.wanted.filter.fits(group)}
            leaving = changed - fitting.keys()
            self.keys = [key for key in self.keys if key not in leaving]
            self._insert([fitting[key] for key in sorted(fitting.keys() - set(self.keys))])
        if self.marked:
            self.marked.intersection_update(self.keys)
        if here is None or here not in self.keys[self.at : self.at + 1]:
            self.at = self.keys.index(here) if here in self.keys else max(0, min(self.at, len(self.keys) - 1))

    def _insert(self, coming: Sequence[Standing]) -> None:
        """Put groups where they belong in the order; the others stay in theirs."""
        if not coming:
            return
        rank, reverse = SORTS[self.wanted.sort], self.wanted.reverse
        there = [group for group in map(self.board.get, self.keys) if group is not None]
        there = there[::-1] if reverse else there
        for group in coming:
            there.insert(bisect_left(there, rank(group), key=rank), group)
        self.keys = [group.found for group in (there[::-1] if reverse else there)]

    def next_pending(self) -> bool:
        """The cursor to the next group that is pending, from the present one on; False where there is none."""
        count = len(self.keys)
        for row in (*range(self.at, count), *range(self.at)):
            group = self.row(row)
            if group is not None and group.state == "pending":
                self.at = row
                return True
        return False


def make_list(board: Board, wanted: Wanted, before: GroupList | None = None) -> GroupList:
    """The groups that are wanted, with the cursor where it was."""
    made = GroupList(board, wanted, board.listed(wanted))
    if before is not None:
        made.take_over(before)
    return made


def said(wanted: Wanted) -> str:
    """What is shown, in words."""
    which = wanted.filter
    parts = [", ".join(which.states) or "all states"]
    parts += [f"kind {', '.join(map(twin_kind, which.kinds))}"] if which.kinds else []
    parts += [f"source {which.source}"] if which.source else []
    parts += [] if which.across is None else ["across sources" if which.across else "within one source"]
    parts += [f"confidence {which.least} to {which.most}"] if (which.least, which.most) != (0, 100) else []
    return " · ".join([*parts, f"by {wanted.sort}" + (", reversed" if wanted.reverse else "")])


def as_state(wanted: Wanted) -> dict[str, Any]:
    """For the memory of a screen: plain JSON values."""
    return {**asdict(wanted.filter), "sort": wanted.sort, "reverse": wanted.reverse}


def from_state(state: Mapping[str, Any]) -> Wanted:
    """What a memory says; what makes no sense in it is left out."""
    wanted = Wanted()
    which = wanted.filter
    for field in fields(Filter):
        value = state.get(field.name, getattr(which, field.name))
        if field.name in ("kinds", "states") and isinstance(value, (list, tuple)):
            known: Iterable[str] = KINDS if field.name == "kinds" else ("pending", "reviewed", "resolved")
            value = tuple(one for one in value if one in known)
        if _fits(field.name, value):
            which = replace(which, **{field.name: value})
    sort = state.get("sort")
    return Wanted(which, sort if isinstance(sort, str) and sort in SORTS else "savings", state.get("reverse") is True)


def _fits(name: str, value: Any) -> bool:
    if name in ("kinds", "states"):
        return isinstance(value, tuple)
    if name in ("least", "most"):
        return isinstance(value, int) and 0 <= value <= 100
    return value is None or isinstance(value, bool if name == "across" else str)


def decidable(group: Standing) -> bool:
    """False for what belongs together and is no duplicate."""
    return group.kind not in RELATED
