"""Everything that is wrong with a plan at this moment: with what it says, and with what the disk says."""

from __future__ import annotations

from collections.abc import Sequence

from lumina_fs.catalog import Catalog
from lumina_fs.discover import Ignore
from lumina_fs.plans.deeds import Act, acts
from lumina_fs.plans.ground_check import check_ground
from lumina_fs.plans.validate import Finding, check_plan
from schemas.plan import Plan


def findings_of(
    catalog: Catalog, plan: Plan, found: Sequence[Act] | None = None, *, on_disk: bool = True
) -> list[Finding]:
    """Why actions would be refused, in their order; empty for a plan that may be approved. Raises SourceOffline.

    `found` are the actions of the plan where the caller has taken them apart already.
    """
    sources = {source.name: source for source in catalog.sources()}
    found = acts(plan) if found is None else found
    findings = check_plan(found, sources, Ignore(tuple(catalog.settings.ignore)))
    if not on_disk:
        return findings
    known = {(one.action, one.reason) for one in findings}
    findings += [one for one in check_ground(catalog, found, sources) if (one.action, one.reason) not in known]
    return sorted(findings, key=lambda one: one.action)
