"""A plan in numbers, as a person looks at it before saying yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lumina_fs.plans.files import StoredPlan, weigh
from lumina_fs.plans.preview import Crossing, Warned, collisions, uncertain, warned
from lumina_fs.plans.validate import Finding


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan says of itself, what it does by kind, and what is to be looked at."""

    plan: str
    name: str
    description: str
    status: str
    digest: str
    purpose: str
    created: str
    strategy: dict[str, Any]
    on_failure: str
    on_collision: str
    counts: dict[str, int]
    size: int
    refused: int
    """Actions that could not be done as things are now."""
    warned: int
    uncertain: int
    collisions: int
    crossing: Crossing

    def value(self) -> dict[str, Any]:
        """For `--json`."""
        volumes = [{"path": one.path, "arriving": one.arriving, "free": one.free} for one in self.crossing.volumes]
        return {
            "plan": self.plan, "name": self.name, "status": self.status, "digest": self.digest,
            "purpose": self.purpose, "created": self.created, "strategy": self.strategy,
            "on_failure": self.on_failure, "on_collision": self.on_collision, "counts": self.counts,
            "size": self.size, "refused": self.refused, "warned": self.warned, "uncertain_dates": self.uncertain,
            "collisions": self.collisions, "volumes": volumes,
            "crossing": {"moves": self.crossing.moves, "size": self.crossing.size},
        }  # fmt: skip


def facts_of(
    stored: StoredPlan, status: str, findings: Sequence[Finding], crossing: Crossing, marked: Warned | None = None
) -> Facts:
    """The numbers of a plan. `marked` are its actions with warnings, where the caller has looked for them already."""
    plan, weight = stored.plan, weigh(stored.plan)
    marked = warned(plan) if marked is None else marked
    return Facts(
        plan=stored.id,
        name=plan.name,
        description=plan.description,
        status=status,
        digest=stored.digest,
        purpose=plan.purpose,
        created=plan.created,
        strategy=plan.strategy,
        on_failure=plan.on_failure,
        on_collision=plan.on_collision,
        counts=weight.counts,
        size=weight.size,
        refused=len({one.action for one in findings}),
        warned=len(marked),
        uncertain=uncertain(marked),
        collisions=collisions(marked),
        crossing=crossing,
    )
