"""The plan that a person looks at, held open: its rows in an order, some of them, and what is done with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.errors import EtagMismatch, Refused, SourceOffline
from lumina_fs.plans.approving import require_fit, require_open
from lumina_fs.plans.deeds import Act, acts
from lumina_fs.plans.facts import Facts, facts_of
from lumina_fs.plans.files import StoredPlan, read_approval, read_plan, remove_plan, write_approval
from lumina_fs.plans.findings import findings_of
from lumina_fs.plans.journal import History, read_history, read_on
from lumina_fs.plans.listing import Listing
from lumina_fs.plans.preview import Folders, Line, chosen, crossing, lines, tree
from lumina_fs.plans.reject import reject
from lumina_fs.plans.roads import roads
from lumina_fs.plans.status import OPEN, status_of
from lumina_fs.viewing.plan_values import PICKS, facts_value
from schemas.document import collector_paused
from schemas.names import decode_name
from schemas.plan import Edit, Skip

Value = dict[str, Any]

#: Reasons and warnings that are told on top.
_TROUBLES = 50
#: The most bytes of a plan that is judged before its rows are shown.
_AT_ONCE = 2 << 20


@dataclass(slots=True)
class _Held:
    stored: StoredPlan
    acts: list[Act]
    facts: Facts
    lines: list[Line]
    tree: Folders
    history: History
    fates: dict[int, tuple[str, str]]
    judged: bool
    """False until it is known what would be refused."""
    refused: set[int] = field(default_factory=set)
    note: str = ""


class OpenPlans:
    """The list of plans, and one plan that is open."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._listing = Listing(catalog)
        self._held: _Held | None = None
        self._view: list[Line] = []
        self._views = count(1)
        self._number = 0

    # -- looking

    def list(self, seconds: float) -> Value:
        """All plans, as far as they were read in so many seconds."""
        plans, left = self._listing.look(seconds)
        return {"plans": [asdict(one) for one in plans], "left": left}

    def open(self, plan: str, **choice: Any) -> Value:
        """Read a plan, and choose rows of it. A large one is not judged yet. Raises CorruptDocument, UsageError."""
        self._held, self._view = None, []
        with collector_paused(1 << 30):
            self._held = self._read(plan)
            if not self._held.judged and len(self._held.stored.stored.data) <= _AT_ONCE:
                self._judge(self._held)
        return self._opened(**choice)

    def judge(self, **choice: Any) -> Value:
        """Find out which actions of the open plan would be refused, and choose rows anew."""
        with collector_paused(1 << 30):
            self._judge(self._open)
        return self._opened(**choice)

    def again(self) -> bool:
        """Take up what became of actions of the open plan since; True where there is news."""
        held = self._open
        news = read_on(self._catalog, held.stored.id, held.history)
        if news:
            held.fates = _fates(held.history)
        return news

    def _opened(self, **choice: Any) -> Value:
        held = self._open
        approval = read_approval(self._catalog, held.stored.id)
        return {
            "facts": facts_value(held.facts), "picks": self._picks(held), "note": held.note,
            "folders": len(held.tree.rows), "arriving": held.tree.arriving, "undoes": held.stored.plan.undoes,
            "judged": held.judged,
            "by": approval.by if approval is not None else "", "troubles": _troubles(held.lines, held.fates),
            "chosen": self.choose(**choice),
        }  # fmt: skip

    def _read(self, plan_id: str) -> _Held:
        stored = read_plan(self._catalog, plan_id)
        status, found = status_of(self._catalog, stored), acts(stored.plan)
        sources = {source.name: source for source in self._catalog.sources()}
        facts = facts_of(stored, status, [], crossing(roads(found), sources))
        waits = status in (*OPEN, "approved")
        history = History() if waits else read_history(self._catalog, plan_id)
        shown, folders = list(lines(stored.plan, [])), tree(stored.plan)
        return _Held(stored, found, facts, shown, folders, history, _fates(history), judged=not waits)

    def _judge(self, held: _Held) -> None:
        plan = held.stored.plan
        try:
            findings = findings_of(self._catalog, plan, held.acts)
        except SourceOffline as error:
            held.note = str(error)
            findings = findings_of(self._catalog, plan, held.acts, on_disk=False)
        held.refused = {one.action for one in findings}
        held.facts = replace(held.facts, refused=len(held.refused))
        held.lines = list(lines(plan, findings)) if findings else held.lines
        held.judged = True

    @staticmethod
    def _picks(held: _Held) -> dict[str, int]:
        found = Counter(line.do for line in held.lines)
        failed = sum(fate == "failed" for fate, _ in held.fates.values())
        marks = zip(PICKS, (held.facts.warned, held.facts.refused, failed), strict=True)
        return {name: number for name, number in [*marks, *sorted(found.items())] if number}

    def choose(self, *, only: str = "", match: str = "", sort: str = "order", turned: bool = False) -> Value:
        """Choose rows of the open plan."""
        held = self._open
        found = held.lines
        if only == "failed":
            found = [line for line in found if held.fates.get(line.number - 1, ("",))[0] == "failed"]
        kinds = (only,) if only and only != "failed" else ()
        self._view = chosen(found, only=kinds, match=match, sort=sort, turned=turned)
        self._number = next(self._views)
        return {"view": self._number, "total": len(self._view)}

    def rows(self, view: int, first: int, end: int) -> Value:
        """Rows of a choice; none where another was made since."""
        rows = [self._row(line) for line in self._view[first:end]] if view == self._number else []
        return {"view": view, "first": first, "rows": rows}

    def _row(self, line: Line) -> Sequence[Any]:
        return [line, *self._open.fates.get(line.number - 1, ("", ""))]

    def folders(self, first: int, end: int) -> Value:
        """Folders that originals come to, or lie in."""
        return {"first": first, "rows": self._open.tree.rows[first:end]}

    def detail(self, view: int, row: int) -> Value | None:
        """All about the action of a row; None where another choice was made since."""
        if view != self._number or row >= len(self._view):
            return None
        line = self._view[row]
        action = self._open.stored.plan.actions[line.number - 1]
        companions = [
            (one.part, decode_name(one.path), decode_name(one.to) if one.to else "") for one in action.companions
        ]
        fields: list[tuple[str, str, str]] = []
        if isinstance(action, Edit):
            fields = [(name, _said(change.before), _said(change.after)) for name, change in action.fields.items()]
        if isinstance(action, Skip) and isinstance(to := action.proposed.get("to"), dict):
            fields = [("proposed", str(action.proposed.get("do", "")), str(to.get("path", "")))]
        return {"row": self._row(line), "sha256": action.sha256, "companions": companions, "fields": fields}

    def forget(self) -> None:
        """Nobody looks at the plan any more."""
        self._held, self._view, self._number = None, [], 0

    # -- doing

    def reject(self, view: int, rows: Sequence[int], reason: str, *, refused: bool = False) -> int:
        """Take the actions of rows, or all that would be refused, out of the draft; how many. Raises Refused."""
        held = self._open
        if view != self._number:
            raise EtagMismatch("the plan was changed or sorted meanwhile; nothing was rejected, look at it again")
        require_open(self._catalog, held.stored)
        numbers = {self._view[row].number - 1 for row in rows if row < len(self._view)}
        return reject(self._catalog, held.stored, (), reason, also=numbers | (held.refused if refused else set()))

    def check(self, plan: str, digest: str) -> Value:
        """What a plan would do that is to be approved. Raises Refused, Unfit."""
        weight = require_fit(self._catalog, self._same(plan, digest))
        return {"counts": weight.counts, "size": weight.size}

    def approve(self, plan: str, digest: str) -> Value:
        """Approve exactly these bytes. Raises Refused, Unfit."""
        stored = self._same(plan, digest)
        require_fit(self._catalog, stored)
        approval = write_approval(self._catalog, stored)
        return {"by": approval.by}

    def delete(self, plan: str, digest: str) -> Value:
        """Remove a draft. Raises Refused."""
        stored = self._same(plan, digest)
        require_open(self._catalog, stored)
        remove_plan(self._catalog, stored)
        return {"name": stored.plan.name}

    def _same(self, plan_id: str, digest: str) -> StoredPlan:
        """The plan as a person saw it. Raises Refused where it is another by now."""
        with collector_paused(1 << 30):
            stored = read_plan(self._catalog, plan_id)
        if stored.digest != digest:
            raise Refused("the plan was changed since you saw it; look at it again", path=stored.path)
        return stored

    @property
    def _open(self) -> _Held:
        if self._held is None:
            raise Refused("no plan is open")
        return self._held


def _fates(history: History) -> dict[int, tuple[str, str]]:
    """What became of each action that was begun."""
    found = dict.fromkeys(history.done, ("done", ""))
    found |= dict.fromkeys(history.rolled_back, ("back", ""))
    return found | {number: ("failed", why) for number, why in history.failed.items()}


def _troubles(every: Sequence[Line], fates: dict[int, tuple[str, str]]) -> list[str]:
    """What a person should look at first: failures, refusals, then warnings."""
    failed = [
        f"failed: {every[number].path}: {why}" for number, (fate, why) in sorted(fates.items()) if fate == "failed"
    ]
    refused = [f"refused: {line.path}: {text}" for line in every for text in line.refused]
    warned = [f"warning: {line.path}: {text}" for line in every for text in line.warnings]
    return [*failed, *refused, *warned][:_TROUBLES]


def _said(value: object) -> str:
    return "nothing" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
