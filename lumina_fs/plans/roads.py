"""The actions of a plan by road: all that are done alike from one folder to another. Of many actions there are few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lumina_fs.plans.deeds import Act


class Road(NamedTuple):
    """Actions from one folder to one other, in their order; what can be said of folders is said once for all of them.

    `plain` as of an `Act`. `target` None where nothing goes anywhere; `folder` and `to_folder` are the original's.
    """

    do: str
    source: str
    folder: str
    target: str | None
    to_folder: str
    plain: bool
    acts: list[Act]

    @property
    def leaves(self) -> bool:
        """True where the originals are gone from their folder after that."""
        return self.do in ("move", "trash")


def roads(found: Iterable[Act]) -> list[Road]:
    """The roads of a plan, in the order in which they are first taken."""
    known: dict[tuple[str, str, str, str | None, str, bool], list[Act]] = {}
    for act in found:
        if act.files:
            _, source, folder, _, target, to_folder, _ = act.files[0]
            key = act.action.do, source, folder, target, to_folder, act.plain
        else:
            key = act.action.do, act.action.source, "", None, "", False
        acts = known.get(key)
        if acts is None:
            acts = known[key] = []
        acts.append(act)
    return [Road(*key, acts) for key, acts in known.items()]


def folders_reached(by_road: Sequence[Road]) -> set[str]:
    """All folders that files of a plan come to; "" where some go to the trash."""
    found = {road.to_folder for road in by_road if road.acts[0].files}
    return found | {deed.to_folder for road in by_road if not road.plain for act in road.acts for deed in act.files}
