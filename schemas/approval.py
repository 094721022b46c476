"""The approval: `.lumina/plans/<id>.approval.json`, who said yes to exactly which bytes. One approval, one run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.document import Document
from schemas.plan import Digest


class Approval(Document):
    """A person's yes to the plan with this digest. `id` is its own."""

    kind: Literal["approval"]
    version: Literal[1]
    plan: str
    """Id of the plan."""
    plan_sha256: Digest
    """SHA-256 of the exact bytes of the plan that the person saw."""
    approved: str
    """When, in UTC."""
    by: str
    """Who: user and host."""
    counts: dict[str, int] = Field(default_factory=dict)
    """Actions by what is done, as the person was shown."""
    size: int = Field(ge=0)
    """Bytes that are moved, copied or trashed, as the person was shown."""
