"""The chain that lifts an older document to the present version, one pure step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.errors import DocumentError, UnsupportedVersion

Step = Callable[[dict[str, Any]], dict[str, Any]]

#: The version that this program writes, by kind.
CURRENT: dict[str, int] = {"approval": 1, "catalog": 1, "job": 1, "plan": 1, "sidecar": 1, "source": 1, "verdict": 1}

#: (kind, n) -> the step from version n to n + 1. It must not change its argument.
STEPS: dict[tuple[str, int], Step] = {}


def upgrade(value: dict[str, Any]) -> dict[str, Any]:
    """`value` at the current version of its kind; itself where it is already there.

    Raises UnsupportedVersion for a document of a newer program, DocumentError where kind or version are missing.
    """
    kind, version = value.get("kind"), value.get("version")
    if not isinstance(kind, str) or kind not in CURRENT:
        raise DocumentError(f"kind: must be one of {', '.join(sorted(CURRENT))}")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError("version: must be a whole number from 1")
    if version > CURRENT[kind]:
        raise UnsupportedVersion(
            f"version {version} of a {kind} is newer than this Lumina knows ({CURRENT[kind]}): update Lumina to use it"
        )
    for step in range(version, CURRENT[kind]):
        value = STEPS[kind, step](value)
    return value
