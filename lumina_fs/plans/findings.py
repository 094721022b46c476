"""Everything that is wrong with a plan at this moment: with what it says, and with what the disk says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lumina_fs.catalog import Catalog
from lumina_fs.discover import Ignore
from lumina_fs.plans.deeds import Act, acts
from lumina_fs.plans.ground import Listed
from lumina_fs.plans.ground_check import check_ground
from lumina_fs.plans.roads import Road, roads
from lumina_fs.plans.validate import Finding, check_plan
from schemas.plan import Plan


def findings_of(
    catalog: Catalog,
    plan: Plan,
    found: Sequence[Act] | None = None,
    *,
    on_disk: bool = True,
    by_road: Sequence[Road] | None = None,
    listed: Mapping[str, Listed] | None = None,
) -> list[Finding]:
    """Why actions would be refused, in their order; empty for a plan that may be approved. Raises SourceOffline.

    `found` are the actions of the plan where the caller has taken them apart already, `by_road` the same by road;
    `listed` is what was seen in folders just now, by source.
    """
    sources = {source.name: source for source in catalog.sources()}
    found = acts(plan) if found is None else found
    by_road = roads(found) if by_road is None else by_road
    back = plan.purpose in ("undo", "restore")
    findings = check_plan(found, sources, Ignore(tuple(catalog.settings.ignore)), by_road, back=back)
    if not on_disk:
        return findings
    known = {(one.action, one.reason) for one in findings}
    ground = check_ground(catalog, by_road, sources, listed, back=back)
    findings += [one for one in ground if (one.action, one.reason) not in known]
    return sorted(findings, key=lambda one: one.action)
