"""Carry a plan out, finish one that was interrupted, or bring everything back: generators of events, as all jobs.

A plan runs exactly as it was approved or not at all. Nothing is touched before all of it was checked.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Refused
from lumina_fs.index_session import LOCKS, exclusive
from lumina_fs.locks import lock
from lumina_fs.photo_lock import at_photos
from lumina_fs.plans.edits import is_of_edits
from lumina_fs.plans.execution import Execution, Failure
from lumina_fs.plans.files import StoredPlan, plan_path, read_approval, size_of
from lumina_fs.plans.journal import History, Journal, read_history
from lumina_fs.plans.places import Places
from lumina_fs.plans.precheck import Precheck, Problem
from lumina_fs.plans.rows import following
from lumina_fs.progress import Event, Finished, Note, Trouble
from lumina_fs.stamps import utc_now, who
from schemas.approval import Approval
from schemas.names import encode_name
from schemas.plan import Skip

#: Problems of a refused plan that its message names; events tell them all.
_NAMED = 5

RunOutcome = Literal["complete", "failed", "rolled_back", "interrupted"]


class PlanRefused(Refused):
    """A plan that cannot be carried out as it stands; nothing was touched."""

    def __init__(self, message: str, problems: list[Problem]) -> None:
        super().__init__(message)
        self.problems = problems


@dataclass(slots=True)
class Applied:
    """What a run did. `outcome` interrupted: stopped between two actions, to be resumed or rolled back."""

    plan: str
    outcome: RunOutcome
    done: int
    skipped: int
    left: int
    counts: dict[str, int]
    size: int
    index: str
    seconds: float
    failures: list[Failure] = field(default_factory=list)
    gave_way: list[Failure] = field(default_factory=list)
    """Edits that were done but for fields that a person changed meanwhile."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        value = asdict(self)
        for failure in [*value["failures"], *value["gave_way"]]:
            failure["path"] = encode_name(failure["path"])
        return value


def apply(
    catalog: Catalog, plan: StoredPlan, *, cancel: threading.Event | None = None, joins: bool = False
) -> Iterator[Event | Finished[Applied]]:
    """Carry out an approved plan. Raises Refused and PlanRefused with nothing touched; Locked, Halted.

    `joins`: it was proposed and approved this moment, so edits join what somebody writes meanwhile.
    """
    with _at_work(catalog, plan, "carrying out the plan") as history:
        approval = require_approval(catalog, plan, history)
        yield from _Run(catalog, plan, history, cancel or threading.Event(), joins).forward(approval)


def resume(
    catalog: Catalog, plan: StoredPlan, *, cancel: threading.Event | None = None
) -> Iterator[Event | Finished[Applied]]:
    """Finish what a run had begun: the plan, or its rolling back. Raises Refused, PlanRefused, Locked, Halted."""
    with _at_work(catalog, plan, "carrying out the plan") as history:
        _require_begun(plan, history)
        if history.outcome in ("complete", "rolled_back"):
            raise Refused(f"has ended ({history.outcome.replace('_', ' ')}); there is nothing to resume", path=plan.id)
        run = _Run(catalog, plan, history, cancel or threading.Event())
        yield from run.backward("") if history.going_back else run.forward(None)


def rollback(catalog: Catalog, plan: StoredPlan) -> Iterator[Event | Finished[Applied]]:
    """Bring everything back where it was before an interrupted or failed run. Raises Refused, Locked, Halted."""
    with _at_work(catalog, plan, "rolling the plan back") as history:
        _require_begun(plan, history)
        if history.outcome == "complete":
            raise Refused(f"is complete; to take it back: lumina plan undo {plan.id}", path=plan.id)
        if history.outcome == "rolled_back":
            raise Refused("was rolled back already; everything is where it was", path=plan.id)
        yield from _Run(catalog, plan, history, threading.Event()).backward("a person asked for it")


def require_approval(catalog: Catalog, plan: StoredPlan, history: History) -> Approval:
    """The approval of exactly these bytes, which has not run yet. Raises Refused."""
    if history.begin is not None:
        end = history.outcome
        if end in ("complete", "rolled_back"):
            raise Refused(
                f"was carried out already ({end.replace('_', ' ')}), and an approval is for one run; propose it anew",
                path=plan.id,
            )
        raise Refused("was begun before; lumina plan resume finishes it, lumina plan rollback undoes it", path=plan.id)
    approval = read_approval(catalog, plan.id)
    if approval is None:
        raise Refused(f"is not approved; look at it and say yes: lumina plan approve {plan.id}", path=plan.id)
    if approval.plan != plan.id:
        raise Refused(f"its approval is one of another plan, {approval.plan}; nothing was touched", path=plan.id)
    if approval.plan_sha256 != plan.digest:
        raise Refused(
            "was changed after it was approved, so the approval is void and nothing was touched. Look at it again; "
            f"then remove the old approval and give a new one: lumina plan approve {plan.id}",
            path=plan.id,
        )
    return approval


def plan_lock(plan_id: str) -> str:
    """The file whose lock a run of the plan holds."""
    return f"{LOCKS}/plan-{plan_id}"


@contextlib.contextmanager
def _at_work(catalog: Catalog, plan: StoredPlan, what: str) -> Iterator[History]:
    """The plan's own lock, and that of the index: no scan gives a moving photo a second sidecar.

    Edits of the curation need no more than their plan's.
    """
    catalog.disk.make_directory(catalog.root, LOCKS)
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock(catalog.root, plan_lock(plan.id), wait=0.5, what=f"{what} {plan.id}"))
        if not is_of_edits(plan.plan):
            stack.enter_context(exclusive(catalog, what, wait=5.0))
            stack.enter_context(at_photos(catalog, what, moves=True))
        yield read_history(catalog, plan.id)


def _require_begun(plan: StoredPlan, history: History) -> None:
    if history.begin is None:
        raise Refused(f"was not begun; to carry it out: lumina plan apply {plan.id}", path=plan.id)
    if history.begin["plan_sha256"] != plan.digest:
        raise Refused(
            "was changed after it was begun, so nobody can say any more what it did. Nothing was touched. Put the "
            f"bytes back whose SHA-256 is {history.begin['plan_sha256']}",
            path=plan_path(plan.id),
        )


@dataclass(slots=True)
class _Run:
    catalog: Catalog
    plan: StoredPlan
    history: History
    cancel: threading.Event
    joins: bool = False
    _begun: float = field(default_factory=time.monotonic)

    def forward(self, approval: Approval | None) -> Generator[Event | Finished[Applied], None, None]:
        """Check, then do. `approval` None: the run was begun before."""
        with Places(self.catalog, self.plan.id) as places:
            history = self.history
            check = Precheck(
                places, self.plan.plan, frozenset(history.done), frozenset(history.open_actions), self.joins
            )
            yield from check.run(self.cancel)
            if self.cancel.is_set():
                return
            for problem in check.problems:
                yield Trouble(problem.source, problem.path, "refused", problem.why)
            if check.problems:
                raise self._refusal(check.problems)
            with self._open(places, check) as execution:
                execution.record([self._first(approval)])
                yield from execution.forward(stop_at_failure=self.plan.plan.on_failure != "continue")
                yield from self._after(execution)

    def backward(self, why: str) -> Generator[Event | Finished[Applied], None, None]:
        """Roll back, or go on with that."""
        with Places(self.catalog, self.plan.id) as places, self._open(places, None) as execution:
            yield from self._roll_back(execution, why)
            yield self._finished(execution)

    @contextlib.contextmanager
    def _open(self, places: Places, check: Precheck | None) -> Iterator[Execution]:
        seen = check.seen if check is not None else {}
        with (
            Journal(self.catalog, self.plan.id, self.history) as journal,
            following(self.catalog, places, alone=not is_of_edits(self.plan.plan)) as rows,
        ):
            yield Execution(self.plan.plan, places, journal, rows, seen, self.cancel)

    def _first(self, approval: Approval | None) -> dict[str, Any]:
        who_and_when = {"when": utc_now(), "by": who()}
        if approval is None:
            return {"record": "resume", **who_and_when}
        begin = {"record": "begin", "plan": self.plan.id, "plan_sha256": self.plan.digest, "approval": approval.id}
        return {**begin, "actions": len(self.plan.plan.actions), **who_and_when}

    def _after(self, execution: Execution) -> Iterator[Event | Finished[Applied]]:
        """The policy on failure; then the end."""
        failures = execution.failures
        if failures and self.plan.plan.on_failure == "roll_back":
            first = failures[0]
            for failure in failures:
                yield Trouble(failure.source, failure.path, "failed", failure.why)
            yield Note(f"action {first.action + 1} failed; everything goes back where it was")
            yield from self._roll_back(execution, first.why)
        elif failures or not self._left():
            self._end(execution)
        for failure in failures if self.plan.plan.on_failure != "roll_back" else ():
            yield Trouble(failure.source, failure.path, "failed", failure.why)
        yield self._finished(execution)

    def _roll_back(self, execution: Execution, why: str) -> Iterator[Event]:
        if not self.history.going_back:
            execution.record([{"record": "roll_back", "why": why, "when": utc_now(), "by": who()}])
        before = len(execution.failures)
        yield from execution.back()
        for failure in execution.failures[before:]:
            yield Trouble(failure.source, failure.path, "not_rolled_back", failure.why)
        outcome = "failed" if len(execution.failures) > before else "rolled_back"
        execution.record([{"record": "end", "outcome": outcome, "when": utc_now()}])

    def _end(self, execution: Execution) -> None:
        """All was done, or as much as could be."""
        outcome = "failed" if execution.failures else "complete"
        undone = self.plan.plan.undoes
        if outcome == "complete" and undone is not None:
            made = read_history(self.catalog, undone)
            execution.remove_folders(made.made)
            with Journal(self.catalog, undone, made) as other:
                other.append([{"record": "undone", "by": self.plan.id, "when": utc_now()}])
        counts = {"done": len(self.history.done), "failed": len(self.history.failed)}
        execution.record([{"record": "end", "outcome": outcome, **counts, "when": utc_now()}])

    def _left(self) -> int:
        """Actions that were neither done nor skipped."""
        actions = self.plan.plan.actions
        return sum(number not in self.history.done for number, a in enumerate(actions) if not isinstance(a, Skip))

    def _finished(self, execution: Execution) -> Finished[Applied]:
        actions, history = self.plan.plan.actions, self.history
        did = [actions[number] for number in sorted(history.done - history.rolled_back)]
        skipped = sum(isinstance(action, Skip) for action in actions)
        return Finished(
            Applied(
                plan=self.plan.id,
                outcome=history.outcome or "interrupted",
                done=len(did),
                skipped=skipped,
                left=len(actions) - skipped - len(did),
                counts=dict(sorted(Counter(action.do for action in did).items())),
                size=sum(size_of(action) for action in did if action.do != "edit"),
                index=execution.rows.finish(),
                seconds=round(time.monotonic() - self._begun, 2),
                failures=execution.failures,
                gave_way=execution.gave_way,
            )
        )

    def _refusal(self, problems: list[Problem]) -> PlanRefused:
        begun = self.history.begin is not None
        so = "No further file was touched" if begun else "Nothing was touched"
        lines = [f"  {_shown(problem)}{problem.why}" for problem in problems[:_NAMED]]
        if len(problems) > _NAMED:
            lines.append(f"  ... and {len(problems) - _NAMED:,} more")
        and_back = ", or take back what was done: lumina plan rollback" if begun else ""
        return PlanRefused(
            f"the plan cannot be carried out as it stands. {so}. Propose it anew{and_back}.\n" + "\n".join(lines),
            problems,
        )


def _shown(problem: Problem) -> str:
    return f"action {problem.action + 1}: " if problem.action >= 0 else f"{os.path.join(problem.path)}: "
