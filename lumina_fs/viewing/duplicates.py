"""The groups of duplicates as a screen shows them: kept in memory, filtered and sorted, decided about, proposed."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from index.contents import Twin, twins
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.decisions import Batch, Proposal, batch, estrange, keep_all, keep_only, remove
from lumina_fs.duplicates.export import write_csv
from lumina_fs.duplicates.kinds import DUPLICATES, RELATED
from lumina_fs.duplicates.results import Relation, Result
from lumina_fs.duplicates.results import load as load_result
from lumina_fs.duplicates.standing import CERTAIN, Copy, Filter, Standing, Standings
from lumina_fs.duplicates.verdicts import Choice, decide, withdraw
from lumina_fs.errors import UsageError
from lumina_fs.stamps import utc_now, who
from lumina_fs.viewing.access import Access, Photo, revision
from lumina_fs.viewing.new_file import write_new_file

Revision = tuple[str | None, str | None]
#: keep: this file stays, the others may go. remove: this one may go. all: all stay. strangers: it is no duplicate.
How = Literal["keep", "remove", "all", "strangers"]
#: Keys of groups that stand otherwise than before, or are no more. How one stands, the board knows best: what somebody
#: else took up since counts too.
Changed = set[str]

#: Decisions that are written in one go: few enough that a person who stops them does not wait.
_AT_ONCE = 100
#: From this confidence on a group is likely what it says; below, a person should look closely.
LIKELY = 80

SORTS: dict[str, Callable[[Standing], Any]] = {
    "savings": lambda group: -group.savings,
    "confidence": lambda group: -group.confidence,
    "files": lambda group: -len(group.copies),
    "kind": lambda group: group.kind,
    "state": lambda group: group.state,
    "keeper": lambda group: (group.keeper.twin.path, group.keeper.twin.source),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which groups are shown, and in which order. `reverse` turns the order of the sort round."""

    filter: Filter = field(default_factory=lambda: Filter(states=("pending",)))
    sort: str = "savings"
    reverse: bool = False

    @property
    def related(self) -> tuple[str, ...]:
        """The kinds among those wanted that are no duplicates."""
        return tuple(kind for kind in self.filter.kinds if kind in RELATED)


class Numbers(NamedTuple):
    """The catalog's duplicates in numbers. `high`: groups of at least `CERTAIN` per cent."""

    analysed: int
    not_compared: int
    groups: int
    files: int
    savings: int
    high: int
    low: int
    states: dict[str, int]
    related: dict[str, int]


class Board:
    """All groups as they stand. Read by any thread, changed by one at a time."""

    def __init__(self, standings: Standings, revision: Revision = (None, None)) -> None:
        standings.prepare()
        self.revision = revision
        self._standings = standings
        self._lock = threading.Lock()
        self._related: dict[str, list[Standing]] = {}
        self._by_key = {group.found: group for group in standings.groups}
        self._count: Counter[str] = Counter()
        self._kinds: Counter[str] | None = None
        for group in standings.groups:
            self._reckon(group, 1)

    def _reckon(self, group: Standing, times: int) -> None:
        """Count a group in (1) or out (-1)."""
        for name, number in (
            ("groups", 1), ("files", len(group.others)), ("savings", group.savings), (group.state, 1),
            ("high", group.confidence >= CERTAIN),
        ):  # fmt: skip
            self._count[name] += times * number

    @property
    def result(self) -> Result:
        """What the last search found."""
        return self._standings.result

    @property
    def fresh(self) -> bool:
        """True while nothing changed in the catalog since the search."""
        return self._standings.fresh

    @property
    def corrupt(self) -> list[str]:
        """Why verdicts cannot be read."""
        return [str(error) for error in self._standings.verdicts.corrupt]

    @property
    def groups(self) -> list[Standing]:
        """Those that may be decided about."""
        return self._standings.groups

    def get(self, key: str) -> Standing | None:
        """A group by its key, which stays when its keeper changes; None for one that is no more."""
        return self._by_key.get(key)

    def key_of(self, reference: str) -> str | None:
        """The key of the group that an id, a key or the content of a file of it stands for."""
        if reference in self._by_key:
            return reference
        for key, group in list(self._by_key.items()):
            if group.id == reference or any(copy.twin.sha256 == reference for copy in group.copies):
                return key
        return None

    def listed(self, wanted: Wanted) -> list[str]:
        """The keys of the groups that are wanted, in order."""
        groups = list(self._standings.wanted(wanted.filter))
        loose = replace(wanted.filter, states=())
        groups += [group for kind in wanted.related for group in self._related.get(kind, ()) if loose.fits(group)]
        groups.sort(key=SORTS[wanted.sort], reverse=wanted.reverse)
        return [group.found for group in groups]

    def numbers(self) -> Numbers:
        """The summary."""
        count, result = self._count, self._standings.result
        states = {state: count[state] for state in ("pending", "reviewed", "resolved")}
        states["resolved"] += self._standings.gone
        related = Counter(relation.kind for relation in result.relations) if self._kinds is None else self._kinds
        self._kinds = related
        return Numbers(
            result.analysed, result.not_compared, count["groups"], count["files"], count["savings"], count["high"],
            count["groups"] - count["high"], states, dict(related),
        )  # fmt: skip

    def lacks(self, kinds: Iterable[str]) -> list[str]:
        """Kinds of pictures that belong together and were not asked for yet."""
        return [kind for kind in kinds if kind not in self._related]

    def take_related(self, kinds: Iterable[str], groups: Sequence[Standing]) -> None:
        """What was found for kinds that it lacked."""
        for kind in kinds:
            self._related[kind] = [group for group in groups if group.kind == kind]
        self._by_key.update((group.found, group) for group in groups)

    def follow(self, catalog: Catalog, contents: Iterable[str] | None = None) -> Changed:
        """Take up what was decided since, by anybody; the groups that stand otherwise by it, and by no call before."""
        with self._lock:
            changed = self._standings.follow(catalog, contents)
            for key, group in changed.items():
                if (before := self._by_key.get(key)) is not None:
                    self._reckon(before, -1)
                if group is not None:
                    self._reckon(group, 1)
                if group is None:
                    self._by_key.pop(key, None)
                else:
                    self._by_key[key] = group
        return set(changed)


# -- questions to the index


def load_board(access: Access) -> Board | None:
    """All groups as they stand now; None when no search was made yet."""
    index, now = access.index, revision(access)
    if load_result(access.catalog) is None:
        return None
    return Board(Standings.load(access.catalog, index), now)


def is_current(access: Access, board: Board) -> bool:
    """True while the index holds what it held when the groups were loaded."""
    return board.revision == revision(access)


def load_related(access: Access, board: Board, kinds: Sequence[str]) -> list[Standing]:
    """Pairs that belong together and are no duplicates, as groups without anything to decide."""
    wanted = [relation for relation in board.result.relations if relation.kind in kinds]
    rows: dict[str, Twin] = {}
    for twin in twins(access.index, sorted({sha256 for one in wanted for sha256 in (one.one, one.other)})):
        rows.setdefault(twin.sha256, twin)
    return [_pair(one, rows) for one in wanted if one.one in rows and one.other in rows]


def _pair(relation: Relation, rows: dict[str, Twin]) -> Standing:
    first, second = (rows[sha256] for sha256 in (relation.one, relation.other))
    keeper = Copy(first, relation.kind, 100, (), None, None)
    other = Copy(second, relation.kind, relation.confidence, tuple(relation.reasons), None, None)
    key = f"{relation.kind} {relation.one} {relation.other}"
    return Standing(first.sha256[:8], relation.kind, relation.confidence, "related", keeper, (other,), key)


# -- decisions, and what becomes of them


def choices(how: How, group: Standing, copy: Copy | None = None) -> list[Choice]:
    """What one key means about a group, or about a file of it; without a file, about the keeper and all others.

    Raises UsageError.
    """
    if how == "all":
        return keep_all(group)
    if how == "keep":
        return keep_only(group, copy or group.keeper)
    if how == "remove":
        if copy is None and len(group.others) > 1:
            raise UsageError("choose the file that may go: Tab goes to the files of the group, Enter compares them")
        return remove(group, copy or group.others[0])
    return estrange(group, copy or group.keeper)


def write_choices(catalog: Catalog, board: Board, choices: Sequence[Choice], by: str = "") -> Changed:
    """Write decisions down; the groups that stand otherwise now. Raises CorruptDocument, WriteFailed."""
    decide(catalog, choices, by=", ".join(filter(None, (who(), by))), now=utc_now())
    return board.follow(catalog, {content for choice in choices for content in (choice.kept, choice.other)})


def take_back(catalog: Catalog, board: Board, contents: Sequence[Sequence[str]]) -> Changed:
    """Take back what was decided about the contents of some groups; those that stand otherwise now."""
    for some in contents:
        withdraw(catalog, some)
    return board.follow(catalog, {content for some in contents for content in some})


def contents_of(group: Standing) -> list[str]:
    """The contents of its files, each once."""
    return sorted({copy.twin.sha256 for copy in group.copies})


def preview(board: Board, wanted: Filter, what: Batch, above: int = CERTAIN) -> Proposal:
    """What a batch would decide about the pending groups that a filter lets through, whatever state it asks for."""
    return batch(list(board_wanted(board, wanted)), what, above)


def board_wanted(board: Board, wanted: Filter) -> Iterable[Standing]:
    """The pending groups that a filter lets through."""
    pending = replace(wanted, states=("pending",))
    return (group for group in board.groups if pending.fits(group))


class Deciding:
    """Many decisions while they are written: `done` of `total`; `stop` leaves the rest undecided."""

    def __init__(self, choices: Sequence[Choice], by: str) -> None:
        self.total = len(choices)
        self.done = 0
        self.stop = threading.Event()
        self._choices = sorted(choices, key=lambda choice: choice.kept)
        self._by = by

    def run(self, catalog: Catalog, board: Board) -> Changed:
        """Write them; the groups that stand otherwise now. Raises CorruptDocument, WriteFailed."""
        changed: Changed = set()
        try:
            while self.done < self.total and not self.stop.is_set():
                some = self._choices[self.done : self.done + _AT_ONCE]
                decide(catalog, some, by=f"{who()}, {self._by}", now=utc_now())
                self.done += len(some)
        finally:
            written = self._choices[: self.done + _AT_ONCE]
            changed = board.follow(catalog, {content for one in written for content in (one.kept, one.other)})
        return changed


class Proposed(NamedTuple):
    """The draft of a plan: files that would go and their bytes, keepers that take something over, what is skipped."""

    plan: str
    going: int
    size: int
    edits: int
    skipped: list[tuple[str, int]]
    """(reason, how many files), the most frequent first."""

    @classmethod
    def of(cls, value: dict[str, Any]) -> Proposed | None:
        """As `lumina duplicates propose --json` tells of it; None where there was nothing to propose."""
        if value["plan"] is None:
            return None
        counts, skipped = value["counts"], [(one["reason"], one["count"]) for one in value["skipped"]]
        return cls(value["plan"], counts.get("trash", 0), value["size"], counts.get("edit", 0), skipped)


def export(catalog: Catalog, groups: Sequence[Standing], named: str) -> str:
    """Write a row for every file of these groups as CSV into a new file; its path. Raises UsageError, WriteFailed."""
    text = io.StringIO()
    write_csv(groups, text)
    return write_new_file(catalog, named, text.getvalue().encode("utf-8", "replace"))


# -- what is shown


def photo_of(twin: Twin) -> Photo:
    """A file as pictures are shown of it."""
    return Photo(
        twin.source, twin.path, "", twin.taken, twin.camera, twin.format, twin.media, twin.width, twin.height,
        twin.size, None, twin.quality, False, twin.sha256,
    )  # fmt: skip


def sureness(confidence: int) -> str:
    """How sure a group is, in a word."""
    return "certain" if confidence >= CERTAIN else "likely" if confidence >= LIKELY else "look closely"


KINDS: tuple[str, ...] = (*DUPLICATES, *RELATED)
