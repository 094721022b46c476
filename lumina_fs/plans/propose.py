"""From the index to a draft: which originals should be elsewhere, and a plan that would bring them there.

It reads rows and lists folders; no photo is opened. What already lies where the strategy says gets no action.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from index.protocol import QueryError, Row
from index.query import compile_query
from lumina_fs.catalog import Catalog, Source
from lumina_fs.errors import UsageError
from lumina_fs.filetypes import by_extension
from lumina_fs.plans.folder_units import measured
from lumina_fs.plans.ground import Ground, Listed
from lumina_fs.plans.naming import Members, Mover, Naming, may_be_alone
from lumina_fs.plans.rules import described
from lumina_fs.plans.strategies import Strategy, Wish
from lumina_fs.plans.targets import fold
from lumina_fs.roots import Root
from lumina_fs.sidecars import MAY_BE_CUT, SUFFIX
from lumina_fs.units import moved_name, part_of, stand_alone, stem_of, units_of
from schemas.names import MARK, decode_name, encode_name

if TYPE_CHECKING:
    from index.postgres import PostgresIndex

#: A date that is worth less than this is said to be uncertain.
CERTAIN = 60
#: Originals that are named where none of those that should go can go.
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    strategy: Strategy
    query: str = ""
    sources: tuple[str, ...] = ()
    into: str | None = None
    """SOURCE or SOURCE/FOLDER; None for each original's own source."""
    copy: bool = False
    on_collision: str = "rename"
    on_failure: str = "roll_back"
    name: str | None = None


@dataclass(slots=True)
class Proposal:
    """A plan without envelope, None where there is nothing to do; how many are in place, and what was left out.

    `listed` is what lay in the folders of each source, for those who look at the plan next.
    """

    plan: dict[str, Any] | None
    in_place: int
    notes: list[str] = field(default_factory=list)
    listed: dict[str, Listed] = field(default_factory=dict)


class Goal(NamedTuple):
    """The sources that are looked at, the one that all go into (None: each into its own), and the folder there."""

    sources: list[Source]
    target: Source | None
    base: str


def propose(
    catalog: Catalog, index: PostgresIndex, request: Request, *, cancel: threading.Event | None = None
) -> Proposal:
    """Propose a plan. Raises UsageError, Refused, SourceOffline; QueryError of a query becomes UsageError.

    KeyboardInterrupt once `cancel` is set: nothing was written.
    """
    goal = goal_of(catalog, request)
    try:
        compile_query(request.query, "s")
    except QueryError as error:
        raise UsageError(f"the query: {error}") from None
    proposer = _Proposer(catalog, request, goal, cancel or threading.Event())
    with contextlib.ExitStack() as stack:
        for source in {one.name: one for one in (*goal.sources, *([goal.target] if goal.target else []))}.values():
            catalog.require_online(source)
            proposer.open(source, stack.enter_context(Root.open(source.path)))
        proposer.read(index)
        proposal = proposer.proposal()
        proposal.listed = {name: ground.listed for name, ground in proposer.grounds.items()}
        return proposal


def goal_of(catalog: Catalog, request: Request) -> Goal:
    """From where to where. Raises UsageError with what to do where nothing may be moved."""
    present = {source.name: source for source in catalog.sources()}
    for name in request.sources:
        catalog.source(name)
    target, base = _target(catalog, request, present)
    named = [present[name] for name in request.sources]
    if request.copy:
        wanted = named or [source for source in present.values() if not source.managed]
        wanted = [source for source in wanted if target is None or source.name != target.name]
        if not wanted:
            raise UsageError("there is no other source to copy from; `lumina source add DIR` adds one")
        return Goal(wanted, target, base)
    fixed = [source for source in named if not source.managed]
    if fixed:
        raise UsageError(
            f"originals of {fixed[0].name} are referenced and stay where they are. `lumina source set {fixed[0].name} "
            "--managed yes` lets approved plans move them; --copy copies them into a managed source"
        )
    wanted = named or [source for source in present.values() if source.managed]
    if not wanted:
        name = next(iter(present), "main")
        raise UsageError(
            f"nothing here may be moved: no source is managed. `lumina source set {name} --managed yes`, or m in the "
            "list of catalogs, lets approved plans move what lies in it"
        )
    return Goal(wanted, target, base)


def _target(catalog: Catalog, request: Request, present: Mapping[str, Source]) -> tuple[Source | None, str]:
    """The source that all go into, and the folder in it. Raises UsageError."""
    managed = [source for source in present.values() if source.managed]
    if request.into is not None:
        name, _, base = request.into.partition("/")
        target = catalog.source(name)
        if not target.managed:
            raise UsageError(f"source {name} is not managed; `lumina source set {name} --managed yes` makes it so")
        if request.strategy.uses("source"):
            raise UsageError("{source} cannot be in the template of a plan that changes the source of an original")
        return target, base.strip("/")
    if request.copy:
        if len(managed) != 1:
            names = ", ".join(source.name for source in managed) or "none is"
            raise UsageError(f"--copy needs --into SOURCE, one that is managed ({names})")
        return managed[0], _managed_folder(catalog, managed[0])
    return None, ""


def _managed_folder(catalog: Catalog, source: Source) -> str:
    """The catalog's managed directory as a folder of this source, "" where it is not in it."""
    place = os.path.normpath(os.path.join(catalog.path, catalog.managed or "."))
    inside = place.startswith(source.path.rstrip("/") + "/")
    return os.path.relpath(place, source.path) if inside else ""


class _Proposer:
    def __init__(self, catalog: Catalog, request: Request, goal: Goal, cancel: threading.Event) -> None:
        self._catalog = catalog
        self._cancel = cancel
        self._request = request
        self._goal = goal
        self.grounds: dict[str, Ground] = {}
        """The sources by name."""
        self._trees: dict[str, str | None] = {}
        self._rows: dict[tuple[str, str], dict[str, Row]] = {}
        self._there: set[str] = set()
        self._left: Counter[str] = Counter()
        self._in_place = 0

    def open(self, source: Source, root: Root) -> None:
        """Take a source into account."""
        self.grounds[source.name] = Ground(root)
        sidecars = self._catalog.sidecars(source, root)
        self._trees[source.name] = None if sidecars.beside else sidecars.prefix

    def read(self, index: PostgresIndex) -> None:
        """Ask the index for every original."""
        from index.listing import originals

        wanted = {source.name for source in self._goal.sources}
        target = self._goal.target.name if self._goal.target is not None else None
        for row in originals(index, self._request.strategy.conditions(self._request.query)):
            self._go_on()
            if row.source == target and row.sha256 is not None:
                self._there.add(row.sha256)
            if row.source in wanted:
                if row.path.startswith(MARK):
                    row = row._replace(path=decode_name(row.path))
                folder, _, name = row.path.rpartition("/")
                rows = self._rows.get((row.source, folder))
                if rows is None:
                    rows = self._rows[row.source, folder] = {}
                rows[name] = row

    def proposal(self) -> Proposal:
        """The plan."""
        movers: list[Mover] = []
        while self._rows:
            self._go_on()
            (source, folder), rows = self._rows.popitem()
            movers += self._movers(source, folder, rows)
        movers.sort(key=lambda mover: (mover.leader.taken or "~", mover.source, mover.leader.path))
        targets = {self._goal.target.name} if self._goal.target else set(self.grounds)
        grounds = {name: ground for name, ground in self.grounds.items() if name in targets}
        naming = Naming(movers, grounds, self._request.on_collision)
        actions = [self._action(mover) for mover in naming.settled()]
        notes = [text.format(f"{count:,}") for text, count in sorted(self._left.items())]
        if any(action["do"] != "skip" for action in actions):
            return Proposal(self._plan(actions), self._in_place, notes)
        notes += [f"{action['path']} stays: {action['reason']}" for action in actions[:_NAMED]]
        notes += [f"... and {len(actions) - _NAMED:,} more stay"] if len(actions) > _NAMED else []
        return Proposal(None, self._in_place, notes)

    def _go_on(self) -> None:
        if self._cancel.is_set():
            raise KeyboardInterrupt

    # -- units

    def _movers(self, source: str, folder: str, rows: dict[str, Row]) -> Iterator[Mover]:
        """The units of one folder, each with where it should go."""
        copied = self._request.copy
        for mover in self._units(source, folder, rows):
            if mover.members is None:
                choice = mover.leader.choice
            else:
                choices = [row.choice for row in mover.members.originals.values() if row.choice is not None]
                choice = min(choices, default=None)
            if choice is not None:
                self._aim(mover, choice)
            if mover.wish is not None or not copied:
                yield mover

    def _units(self, source: str, folder: str, rows: dict[str, Row]) -> Iterator[Mover]:
        """The units of one folder that the index knows."""
        listing = self.grounds[source].listing(folder)
        here = listing.files if listing is not None else set()
        gone = rows.keys() - here
        if gone:
            self._left["{} originals are not where the index says; `lumina scan` finds out where they are"] += len(gone)
            for name in gone:
                del rows[name]
        sidecars, copied = self._sidecars(source, folder, here), self._request.copy
        if stand_alone(here) and all(map(may_be_alone, rows)):
            for name, row in rows.items():
                yield Mover(source, folder, name, row, name + SUFFIX in sidecars, None, copied)
            return
        others = (name for name in here - rows.keys() if not name.endswith(SUFFIX))
        known = {name for name in others if by_extension(name) is not None}
        ids = {name: row.content_id for name, row in rows.items() if row.content_id}
        for unit in units_of(known | rows.keys(), here, sidecars, ids):
            found = {name: rows[name] for name in unit.originals if name in rows}
            if not found:
                continue
            head = min(found, key=lambda name: _rank(name, found[name]))
            sidecar, members = (head + SUFFIX, head) in [one[1:3] for one in unit.travellers], None
            if len(unit.originals) > 1 or len(unit.travellers) > sidecar or not may_be_alone(head):
                members = Members({head: found[head], **found}, unit.travellers, len(found) == len(unit.originals))
            yield Mover(source, folder, head, found[head], sidecar, members, copied)

    def _sidecars(self, source: str, folder: str, here: set[str]) -> set[str]:
        """The names of the sidecars of what lies in a folder."""
        prefix = self._trees[source]
        if prefix is None:
            return here
        try:
            return set(os.listdir(self._catalog.root.directory(f"{prefix}{folder}".rstrip("/"))))
        except OSError:
            return set()

    def _aim(self, mover: Mover, choice: int) -> None:
        """Say where a unit is to go, unless it is there or cannot go."""
        leader, members = mover.leader, mover.members
        wish = self._request.strategy.place(leader, choice)
        if wish is None:
            self._in_place += 1
            return
        if self._goal.base:
            wish = wish._replace(folder=f"{self._goal.base}/{wish.folder}".rstrip("/"))
        if leader.sha256 is None or (members and any(row.sha256 is None for row in members.originals.values())):
            self._left["{} originals cannot be read and are left out; `lumina check` names them"] += 1
            return
        if mover.copied and leader.sha256 in self._there:
            self._in_place += 1
            return
        target = self._goal.target.name if self._goal.target is not None else mover.source
        if not mover.copied and target == mover.source and _is_there(mover, wish):
            self._in_place += 1
            return
        if members is not None and not members.complete:
            self._left[
                "{} originals belong to a file that was not scanned yet and are left out; run `lumina scan`"
            ] += 1
            return
        mover.target, mover.wish = target, wish

    # -- actions

    def _plan(self, actions: list[dict[str, Any]]) -> dict[str, Any]:
        request, strategy = self._request, self._request.strategy
        names = ", ".join(source.name for source in self._goal.sources)
        verb = "Copy" if request.copy else "Organise"
        chosen: dict[str, Any] = {"name": strategy.name, "fallback": strategy.fallback}
        options = {
            "query": request.query, "sources": [source.name for source in self._goal.sources], "into": request.into,
            "copy": request.copy, "doubtful": strategy.doubtful,
            "below": strategy.below if strategy.doubtful is not None else None,
        }  # fmt: skip
        chosen.update({name: value for name, value in options.items() if value})
        return {
            "name": request.name or f"{verb} {names}: {strategy.name}",
            "description": f"{verb} the originals of {names}" + (f" that fit {request.query}" if request.query else ""),
            "purpose": "import" if request.copy else "organise",
            "strategy": chosen,
            "rules": described(strategy),
            "on_failure": request.on_failure,
            "on_collision": request.on_collision,
            "actions": actions,
        }

    def _action(self, mover: Mover) -> dict[str, Any]:
        """The action of a settled mover."""
        leader, wish = mover.leader, mover.wish
        assert wish is not None
        here = encode_name(leader.path)
        action: dict[str, Any] = {
            "do": "copy" if mover.copied else "move",
            "source": mover.source,
            "path": here,
            "size": leader.size,
            "sha256": leader.sha256,
            "reason": _reason(leader, fallback=wish.fallback),
        }
        warnings = mover.warnings
        if leader.taken and leader.confidence < CERTAIN:
            warnings = (f"the date is uncertain: {leader.evidence}, {leader.confidence} of 100", *warnings)
        if warnings:
            action["warnings"] = list(warnings)
        names = mover.names
        if names is None:
            wished = {"source": mover.target, "path": encode_name(_join(wish.folder, mover.wished))}
            proposed = {"do": action["do"], "to": wished, "reason": action["reason"]}
            return {**action, "do": "skip", "reason": mover.refused or "refused", "proposed": proposed}
        to = encode_name(_join(wish.folder, names[mover.head]))
        action["to"] = {"source": mover.target, "path": to}
        mover.names = None
        if mover.members is None and len(to) - to.rfind("/") < MAY_BE_CUT:
            if mover.sidecar:
                action["companions"] = [{"part": "sidecar", "path": here + SUFFIX, "to": to + SUFFIX}]
        elif companions := list(self._companions(mover, names, wish.folder)):
            action["companions"] = companions
        return action

    def _companions(self, mover: Mover, names: Mapping[str, str], folder: str) -> Iterator[dict[str, Any]]:
        root = self.grounds[mover.source].root
        for number, (name, row) in enumerate(mover.originals.items()):
            if number:
                fixed = {"size": row.size, "sha256": row.sha256}
                yield {**_companion(part_of(name), mover, name, folder, names[name]), **fixed}
        for traveller in mover.travellers:
            found = _companion(traveller.part, mover, traveller.name, folder, moved_name(traveller, names))
            if traveller.part != "sidecar":
                found |= measured(root, _join(mover.folder, traveller.name))
            yield found


def _companion(part: str, mover: Mover, name: str, folder: str, new: str) -> dict[str, Any]:
    return {"part": part, "path": encode_name(_join(mover.folder, name)), "to": encode_name(_join(folder, new))}


def _rank(name: str, row: Row) -> tuple[bool, int, int, str]:
    """Which original of a unit leads it: a still, with the most certain and most exact date."""
    return (part_of(name) == "live_photo", -row.confidence, -len(row.taken or ""), name)


def _reason(row: Row, *, fallback: bool) -> str:
    if not row.taken:
        return "no date is known"
    said = f"taken {row.taken.replace('T', ' ')[:19]} ({row.evidence}, {row.confidence})"
    return f"no rule has a place for it; {said}" if fallback else said


def _is_there(mover: Mover, wish: Wish) -> bool:
    """True when a unit lies where it should, under a name that will do."""
    if fold(wish.folder) != fold(mover.folder):
        return False
    return wish.name is None or wish.name.fits(stem_of(mover.head))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
