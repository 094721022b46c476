"""What has to be so before a person may say yes to a plan, change it or remove it."""

from __future__ import annotations

from lumina_fs.catalog import Catalog
from lumina_fs.errors import Refused
from lumina_fs.plans.files import StoredPlan, Weight, weigh
from lumina_fs.plans.findings import findings_of
from lumina_fs.plans.status import OPEN, status_of
from lumina_fs.plans.validate import Finding


class Unfit(Refused):
    """A plan with actions that could not be done; `findings` says which, and why."""

    def __init__(self, message: str, findings: list[Finding]) -> None:
        super().__init__(message)
        self.findings = findings


def require_open(catalog: Catalog, plan: StoredPlan) -> None:
    """Raise Refused for a plan that is approved or was run: those stay as they are."""
    status = status_of(catalog, plan)
    if status == "approved":
        raise Refused("is approved and stays as it is; an edit of its file makes the approval void", path=plan.path)
    if status not in OPEN:
        raise Refused(f"is {status} and stays as a record of what was done", path=plan.path)


def require_fit(catalog: Catalog, plan: StoredPlan) -> Weight:
    """What the plan does, without what it skips, where it may be approved. Raises Refused, Unfit, SourceOffline."""
    require_open(catalog, plan)
    findings = findings_of(catalog, plan.plan)
    if findings:
        count = len({one.action for one in findings})
        raise Unfit(
            f"{count:,} {'action' if count == 1 else 'actions'} cannot be done; `lumina plan reject {plan.id[-8:]} "
            "--refused` takes them out, or propose again",
            findings,
        )
    weight = weigh(plan.plan)
    acting = {do: count for do, count in weight.counts.items() if do != "skip"}
    if not acting:
        raise Refused("the plan does nothing: there is nothing to approve")
    return Weight(acting, weight.size)
