"""What a person may decide about groups, one or many at once: choices that can be shown before they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from lumina_fs.duplicates.standing import CERTAIN, Copy, Standing
from lumina_fs.duplicates.verdicts import Choice
from lumina_fs.errors import UsageError
from lumina_fs.wording import plural, size
from schemas.verdict import Decision

Batch = Literal["certain", "primaries", "reviewed"]


class Proposal(NamedTuple):
    """Decisions that are not made yet, and what they would mean: files that go, and their bytes."""

    choices: list[Choice]
    groups: int
    going: int
    size: int

    @property
    def said(self) -> str:
        """What it comes to, in words: `3 groups: 4 files may go, 39.6 kB`."""
        if not self.choices:
            return "nothing to decide: no group that is pending fits"
        what = f"{plural(self.going, 'file')} may go, {size(self.size)}" if self.going else "all files stay"
        return f"{plural(self.groups, 'group')}: {what}"


def keep(group: Standing, kept: Copy, others: Sequence[Copy], decision: Decision) -> list[Choice]:
    """One file stays, and this is decided about others of its group."""
    choices: dict[tuple[str, str], Choice] = {}
    for other in others:
        if other is kept:
            continue
        place = (kept.twin.path, kept.twin.source) if kept.twin.sha256 == other.twin.sha256 else (None, None)
        choice = Choice(kept.twin.sha256, kept.twin.path, other.twin.sha256, other.twin.path, decision, *place)
        choices[choice.kept, choice.other] = choice
    removed = {choice.other for choice in choices.values() if choice.decision == "remove"}
    copies = [copy for copy in group.copies if copy.twin.sha256 in removed and copy is not kept]
    untouched = [copy for copy in copies if copy not in others]
    if untouched:
        names = ", ".join(copy.twin.path for copy in untouched)
        raise UsageError(f"the same bytes are also in {names}: decide about all copies of one content together")
    return list(choices.values())


def part(group: Standing, strangers: Sequence[Copy]) -> list[Choice]:
    """These are no duplicates of any other file of the group, whichever of them is the best one day."""
    gone = {copy.twin.sha256 for copy in strangers}
    if group.keeper.twin.sha256 in gone:
        raise UsageError("files with the same bytes are duplicates; --keep-both lets them stay")
    return [
        choice
        for copy in {copy.twin.sha256: copy for copy in group.copies if copy.twin.sha256 not in gone}.values()
        for choice in keep(group, copy, strangers, "not_duplicate")
    ]


def keep_only(group: Standing, kept: Copy) -> list[Choice]:
    """This file stays, and all others of the group may go."""
    return keep(group, kept, group.copies, "remove")


def keep_all(group: Standing) -> list[Choice]:
    """All stay, and are not asked about again."""
    return keep(group, group.keeper, group.others, "keep_both")


def remove(group: Standing, gone: Copy) -> list[Choice]:
    """This file may go; where it is the keeper, the next best stays in its place. Raises UsageError."""
    kept = group.keeper if gone is not group.keeper else _next_best(group)
    return keep(group, kept, [gone], "remove")


def estrange(group: Standing, stranger: Copy) -> list[Choice]:
    """This file and the others of the group are no duplicates; of the keeper, all others are told so.

    Raises UsageError where all have the same bytes.
    """
    if stranger.twin.sha256 != group.keeper.twin.sha256:
        return part(group, [copy for copy in group.copies if copy.twin.sha256 == stranger.twin.sha256])
    others = [copy for copy in group.others if copy.twin.sha256 != stranger.twin.sha256]
    if not others:
        raise UsageError("files with the same bytes are duplicates; keep all of them instead")
    return keep(group, group.keeper, others, "not_duplicate")


def _next_best(group: Standing) -> Copy:
    """Who stays in place of the keeper. Raises UsageError where all others go already."""
    for copy in group.others:
        if copy.decision != "remove":
            return copy
    raise UsageError("all others go already; keep one of them, or take those decisions back first")


def file_of(group: Standing, path: str) -> Copy:
    """The file of a group whose path is, or ends so; SOURCE:PATH where two sources have it. Raises UsageError."""
    end = "/" + path.lstrip("./")
    fits = [copy for copy in group.copies if path in (copy.twin.path, _placed(copy))] or [
        copy for copy in group.copies if ("/" + copy.twin.path).endswith(end)
    ]
    if len(fits) != 1:
        several = len(group.sources) > 1
        those = ", ".join(_placed(copy) if several else copy.twin.path for copy in group.copies)
        raise UsageError(f"{path!r} is {'several' if fits else 'none'} of the files of group {group.id}: {those}")
    return fits[0]


def batch(groups: Iterable[Standing], what: Batch, above: int = CERTAIN) -> Proposal:
    """Decisions about all groups that are pending.

    certain: where the confidence is at least `above`, all but the keeper may go. primaries: the same whatever the
    confidence. reviewed: all stay, and are not asked about again.
    """
    choices: list[Choice] = []
    count = going = size = 0
    for group in groups:
        if group.state != "pending" or (what == "certain" and group.confidence < above):
            continue
        open_ = [copy for copy in group.others if copy.decision is None]
        count += 1
        choices += keep(group, group.keeper, open_, "keep_both" if what == "reviewed" else "remove")
        if what != "reviewed":
            going += len(open_)
            size += sum(copy.twin.size for copy in open_)
    return Proposal(choices, count, going, size)


def _placed(copy: Copy) -> str:
    return f"{copy.twin.source}:{copy.twin.path}"
