"""Everything that is wrong with a plan at this moment: with what it says, and with what the disk says."""

from __future__ import annotations

from lumina_fs.catalog import Catalog
from lumina_fs.discover import Ignore
from lumina_fs.plans.ground_check import check_ground
from lumina_fs.plans.validate import Finding, check_plan
from schemas.plan import Plan


def findings_of(catalog: Catalog, plan: Plan) -> list[Finding]:
    """Why actions would be refused, in their order; empty for a plan that may be approved. Raises SourceOffline."""
    sources = {source.name: source for source in catalog.sources()}
    found = check_plan(plan, sources, Ignore(tuple(catalog.settings.ignore)))
    known = {(one.action, one.reason) for one in found}
    found += [one for one in check_ground(catalog, plan, sources) if (one.action, one.reason) not in known]
    return sorted(found, key=lambda one: one.action)
