"""The files of a plan's actions, taken apart once: where each is, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lumina_fs.sidecars import MAY_BE_CUT, SUFFIX
from lumina_fs.units import extension_of
from schemas.names import MARK, decode_name
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
    """An action with its position in the plan, from 0, and its files, the original first; none for skip and edit.

    Nearly all actions are about an original and its sidecar, which keeps lying beside it under its name: for these
    `plain` is true and `files` leaves the sidecar out.
    """

    number: int
    action: AnyAction
    files: Sequence[Deed]
    plain: bool

    def every(self) -> Sequence[Deed]:
        """All its files."""
        if not self.plain:
            return self.files
        one = self.files[0]
        return one, one._replace(part="sidecar", name=one.name + SUFFIX, to_name=one.to_name + SUFFIX)


def acts(plan: Plan) -> list[Act]:
    """Every action of a plan."""
    known: dict[str, str] = {}
    found = []
    for number, action in enumerate(plan.actions):
        one = _plain(action, known) if isinstance(action, (Move, Copy)) else None
        found.append(Act(number, action, deeds(action), False) if one is None else Act(number, action, (one,), True))
    return found


def _plain(action: Move | Copy, known: dict[str, str]) -> Deed | None:
    """The deed of an original that keeps its extension, with its sidecar and nothing else; None for any other.

    `known` holds the folders by their names: there are few, of very many files.
    """
    if len(action.companions) != 1:
        return None
    [sidecar], path, target = action.companions, action.path, action.to
    to = target.path
    if sidecar.path != path + SUFFIX or sidecar.to != to + SUFFIX or sidecar.part != "sidecar":
        return None
    if path.startswith(MARK) or to.startswith(MARK):
        path, to = decode_name(path), decode_name(to)
    folder, _, name = path.rpartition("/")
    to_folder, _, to_name = to.rpartition("/")
    if len(name) >= MAY_BE_CUT or len(to_name) >= MAY_BE_CUT or extension_of(name) != extension_of(to_name):
        return None
    folder, to_folder = known.setdefault(folder, folder), known.setdefault(to_folder, to_folder)
    return Deed(None, action.source, folder, name, target.source, to_folder, to_name)


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
