"""How things stand: the groups that were found, the files that have their contents now, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from index import contents
from index.contents import Twin
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.find import state_of
from lumina_fs.duplicates.keeper import ordered
from lumina_fs.duplicates.kinds import DUPLICATES
from lumina_fs.duplicates.matched import Match, Matched
from lumina_fs.duplicates.results import Result, load
from lumina_fs.duplicates.verdicts import Ruling, Verdicts
from lumina_fs.errors import UsageError
from schemas.verdict import Decision

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

#: "related" are those that belong together and are no duplicates: there is nothing to decide about them.
State = Literal["pending", "reviewed", "resolved", "related"]
#: From this confidence on a group counts as certain, and the batch decides it if asked to.
CERTAIN = 95
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Copy:
    """One file of a group, what it is to the keeper, and what was decided about it. The keeper itself is "exact"."""

    twin: Twin
    kind: str
    confidence: int
    reasons: tuple[str, ...]
    distance: tuple[int, ...] | None
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A group as it stands. The keeper is not among the others."""

    id: str
    kind: str
    confidence: int
    state: State
    keeper: Copy
    others: tuple[Copy, ...]
    found: str = ""
    """The content that the search put first: what a group is known by while its keeper may be another."""

    @property
    def copies(self) -> tuple[Copy, ...]:
        """All files, the keeper first."""
        return (self.keeper, *self.others)

    @property
    def sources(self) -> list[str]:
        """The sources that the files are in."""
        return sorted({copy.twin.source for copy in self.copies})

    @property
    def going(self) -> list[Copy]:
        """The files that were decided to go."""
        return [copy for copy in self.others if copy.decision == "remove"]

    @property
    def spare(self) -> list[Copy]:
        """The files that could go: all but the keeper and those that were decided to stay."""
        if self.state == "related":
            return []
        return [copy for copy in self.others if copy.decision not in ("keep_both", "not_duplicate")]

    @property
    def savings(self) -> int:
        """Bytes that would be free if all went that could go."""
        return sum(copy.twin.size for copy in self.spare)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which groups are wanted. `across`: only those with files in several sources; False: only those within one."""

    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    source: str | None = None
    across: bool | None = None
    least: int = 0
    most: int = 100

    def fits(self, group: Standing) -> bool:
        """True for a group that is wanted."""
        return (
            (not self.kinds or group.kind in self.kinds)
            and (not self.states or group.state in self.states)
            and (self.source is None or self.source in group.sources)
            and (self.across is None or self.across == (len(group.sources) > 1))
            and self.least <= group.confidence <= self.most
        )


@dataclass(slots=True)
class Standings:
    """All groups of a catalog, those that free most first; `fresh`: nothing changed since the search.

    `gone` counts the contents whose duplicates were decided to go and are gone: these groups are no more.
    """

    result: Result
    groups: list[Standing]
    verdicts: Verdicts
    fresh: bool
    gone: int = 0
    _rows: dict[str, list[Twin]] = field(default_factory=dict)
    _matched: dict[str, list[Matched]] = field(default_factory=dict)
    """By each of their contents, the groups that the search found."""
    _places: dict[str, int] = field(default_factory=dict)
    _digits: int = _DIGITS

    @classmethod
    def load(cls, catalog: Catalog, index: PostgresIndex) -> Standings:
        """As things stand now. Raises UsageError where there was no search yet."""
        result = load(catalog)
        if result is None:
            raise UsageError("no search for duplicates was made yet: lumina duplicates find")
        return cls.of(result, index, Verdicts.load(catalog))

    @classmethod
    def of(cls, result: Result, index: PostgresIndex, verdicts: Verdicts) -> Standings:
        """Of what a search found, by what was decided."""
        removed = [ruling for ruling in verdicts.rulings.values() if ruling.decision == "remove"]
        wanted = {sha256 for group in result.groups for sha256 in group.contents}
        wanted.update(sha256 for ruling in removed for sha256 in (ruling.kept, ruling.other))
        rows: dict[str, list[Twin]] = {}
        for twin in contents.twins(index, sorted(wanted)):
            rows.setdefault(twin.sha256, []).append(twin)
        groups = [standing for group in result.groups for standing in _standing(group, rows, verdicts)]
        groups.sort(key=lambda one: -one.savings)
        fresh = result.state == state_of(index)
        digits = _needed_digits(groups)
        named = [_named(group, digits) for group in groups]
        return cls(result, named, verdicts, fresh, _gone(removed, rows), rows, _digits=digits)

    def follow(self, catalog: Catalog, decided: Iterable[str] | None = None) -> dict[str, Standing | None]:
        """Take up decisions made since, about these contents or any: the groups that stand otherwise, None for no more.

        By what the search put first. `groups` keep their order. One thread at a time.
        """
        changed = self.verdicts.refresh(catalog, decided)
        if not changed:
            return {}
        self.prepare()
        touched = {
            group.primary: group
            for sha256 in self.verdicts.stay_with(changed)
            for group in self._matched.get(sha256, ())
        }
        now: dict[str, Standing | None] = {}
        for primary, group in touched.items():
            now[primary] = next(
                (_named(one, self._digits) for one in _standing(group, self._rows, self.verdicts)), None
            )
        self._put(now)
        return now

    def prepare(self) -> None:
        """Work out what `follow` needs, so that the first decision takes no longer than the others."""
        if not self._matched:
            for group in self.result.groups:
                for sha256 in group.contents:
                    self._matched.setdefault(sha256, []).append(group)
            self._places = {group.found: at for at, group in enumerate(self.groups)}

    def _put(self, now: dict[str, Standing | None]) -> None:
        groups, gone = list(self.groups), False
        for found, group in now.items():
            at = self._places.get(found)
            if at is None and group is not None:
                self._places[found] = len(groups)
                groups.append(group)
            elif at is not None and group is not None:
                groups[at] = group
            gone = gone or (at is not None and group is None)
        if gone:
            left = [group for group in groups if now.get(group.found, group) is not None]
            groups, self._places = left, {group.found: at for at, group in enumerate(left)}
        self.groups = groups

    def one(self, reference: str) -> Standing:
        """The group with this id or a beginning of it, or that has a file whose path ends so. Raises UsageError."""
        fits = [group for group in self.groups if group.id == reference]
        fits = fits or [group for group in self.groups if len(reference) > 2 and group.id.startswith(reference)]
        if not fits:
            end = "/" + reference.lstrip("./")
            fits = [g for g in self.groups if any(("/" + copy.twin.path).endswith(end) for copy in g.copies)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise UsageError(f"{reference!r} may be any of {', '.join(one.id for one in fits[:9])}")
        raise UsageError(f"there is no group {reference!r}; `lumina duplicates list` names them")

    def wanted(self, which: Filter) -> Iterator[Standing]:
        """The groups that a filter lets through."""
        return (group for group in self.groups if which.fits(group))


def _gone(removed: Sequence[Ruling], rows: Mapping[str, Sequence[Twin]]) -> int:
    """How many contents are here whose duplicates were all to go and are not here any more."""
    left: dict[str, bool] = {}
    for ruling in removed:
        if ruling.kept in rows:
            here = len(rows[ruling.kept]) > 1 if ruling.other == ruling.kept else ruling.other in rows
            left[ruling.kept] = left.get(ruling.kept, False) or here
    return sum(not here for here in left.values())


def _standing(group: Matched, rows: Mapping[str, Sequence[Twin]], verdicts: Verdicts) -> Iterator[Standing]:
    """The group, if two files are left of it."""
    members = {member.sha256: member for member in group.members if member.sha256 in rows}
    members = {sha: one for sha, one in members.items() if not verdicts.no_duplicates(group.primary, sha)}
    present = [sha256 for sha256 in (group.primary, *members) if sha256 in rows]
    if not present:
        return
    kept, here = _kept_content(present, verdicts), set(present)
    first, *copies = _copies_of(kept, rows, verdicts)
    keeper = Copy(first, "exact", 100, (), None, None)
    others = [Copy(twin, "exact", 100, ("the same bytes",), None, _about_copies(twin, verdicts)) for twin in copies]
    for sha256 in present:
        if sha256 != kept:
            match = members.get(sha256) or members.get(kept)  # the primary is to a member what that is to it
            assert match is not None
            decision = _decision(sha256, kept, here, verdicts)
            others += [_copy(twin, match, decision) for twin in ordered(rows[sha256])]
    if others:
        yield _judged(group.primary, keeper, others)


def _kept_content(present: Sequence[str], verdicts: Verdicts) -> str:
    """The content that a person chose, else the first, which is the best."""
    here = set(present)
    for sha256 in present:
        if not any(ruling.kept in here for ruling in verdicts.removing(sha256)):
            return sha256
    return present[0]  # a keeper always exists, whatever documents say


def _copies_of(sha256: str, rows: Mapping[str, Sequence[Twin]], verdicts: Verdicts) -> list[Twin]:
    """The files with a content, the one that a person chose first."""
    twins = ordered(rows[sha256])
    ruling = verdicts.about(sha256, sha256)
    if ruling is not None and ruling.keep is not None:
        twins.sort(key=lambda twin: (twin.path != ruling.keep, twin.source != ruling.keep_source))
    return twins


def _about_copies(twin: Twin, verdicts: Verdicts) -> Decision | None:
    ruling = verdicts.about(twin.sha256, twin.sha256)
    return None if ruling is None else ruling.decision


def _decision(sha256: str, kept: str, present: Set[str], verdicts: Verdicts) -> Decision | None:
    """What was decided about a content: with the keeper, that it goes for another that is here, or that all stay."""
    ruling = verdicts.about(sha256, kept)
    if ruling is not None and (ruling.decision != "remove" or ruling.other == sha256):
        return ruling.decision
    if any(ruling.kept in present for ruling in verdicts.removing(sha256)):
        return "remove"
    return "keep_both" if verdicts.stay_together(sha256, kept) else None


def _copy(twin: Twin, match: Match, decision: Decision | None) -> Copy:
    distance = tuple(match.distance) if match.distance is not None else None
    return Copy(twin, match.kind, match.confidence, tuple(match.reasons), distance, decision)


def _judged(found: str, keeper: Copy, others: list[Copy]) -> Standing:
    kind = max((copy.kind for copy in others), key=lambda kind: _RANK[kind])
    confidence = min(copy.confidence for copy in others)
    decisions = {copy.decision for copy in others}
    state: State = "pending" if None in decisions else "reviewed" if "remove" in decisions else "resolved"
    return Standing("", kind, confidence, state, keeper, tuple(others), found)


_RANK: dict[str, int] = {kind: rank for rank, kind in enumerate(DUPLICATES)}


def _needed_digits(groups: Sequence[Standing]) -> int:
    """How much of the content of its keeper names a group, as short as it can be."""
    digits = _DIGITS
    while len({group.keeper.twin.sha256[:digits] for group in groups}) < len(groups) and digits < 64:
        digits += 2
    return digits


def _named(group: Standing, digits: int) -> Standing:
    return replace(group, id=group.keeper.twin.sha256[:digits])
