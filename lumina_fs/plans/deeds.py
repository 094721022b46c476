"""The files of a plan's actions, taken apart once: where each is, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.names import decode_name
from schemas.plan import AnyAction, Copy, Edit, Move, Plan, Restore, Skip

#: Companions that are originals themselves.
ORIGINALS = frozenset({"raw", "jpeg", "live_photo"})


class Deed(NamedTuple):
    """One file of an action; `part` None is the original itself. Names are as inside the program.

    `target` is None for the trash, and for a companion that the plan forgot to send along.
    """

    part: str | None
    source: str
    folder: str
    name: str
    target: str | None
    to_folder: str
    to_name: str

    @property
    def path(self) -> str:
        """Where it is, in its source."""
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def to(self) -> str:
        """Where it goes, in the target's source."""
        return f"{self.to_folder}/{self.to_name}" if self.to_folder else self.to_name

    @property
    def is_original(self) -> bool:
        """True for photos and videos, false for what travels with them."""
        return self.part is None or self.part in ORIGINALS


class Act(NamedTuple):
    """An action with its position in the plan, from 0, and its files, the original first; none for skip and edit."""

    number: int
    action: AnyAction
    files: Sequence[Deed]


def acts(plan: Plan) -> list[Act]:
    """Every action of a plan."""
    return [Act(number, action, deeds(action)) for number, action in enumerate(plan.actions)]


def deeds(action: AnyAction) -> Sequence[Deed]:
    """Every file that an action moves, copies or trashes: the original first."""
    if isinstance(action, (Skip, Edit, Restore)):
        return ()
    folder, _, name = decode_name(action.path).rpartition("/")
    if isinstance(action, (Move, Copy)):
        target = action.to.source
        to_folder, _, to_name = decode_name(action.to.path).rpartition("/")
        found = [Deed(None, action.source, folder, name, target, to_folder, to_name)]
        for one in action.companions:
            place, _, called = decode_name(one.path).rpartition("/")
            if one.to is None:
                found.append(Deed(one.part, action.source, place, called, None, "", ""))
            else:
                to_folder, _, to_name = decode_name(one.to).rpartition("/")
                found.append(Deed(one.part, action.source, place, called, target, to_folder, to_name))
        return found
    found = [Deed(None, action.source, folder, name, None, "", "")]
    for one in action.companions:
        place, _, called = decode_name(one.path).rpartition("/")
        found.append(Deed(one.part, action.source, place, called, None, "", ""))
    return found
