"""The status of a plan, derived from its files and never stored."""

from __future__ import annotations

from lumina_fs.catalog import Catalog
from lumina_fs.plans.files import StoredPlan, read_approval

DRAFT, APPROVED, VOID = "draft", "approved", "void"
#: What may still be edited, rejected in and deleted. Void: approved, and changed since.
OPEN = (DRAFT, VOID)


def status_of(catalog: Catalog, plan: StoredPlan) -> str:
    """draft, approved, or void (it was approved and then changed)."""
    # plug: a plan that has a journal is executing, complete, failed or undone
    approval = read_approval(catalog, plan.id)
    if approval is None:
        return DRAFT
    return APPROVED if approval.plan == plan.id and approval.plan_sha256 == plan.digest else VOID
