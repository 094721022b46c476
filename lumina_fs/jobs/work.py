"""What is to be done, as a value: the kind of work, its arguments, and how its result is told in the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Told(NamedTuple):
    """What a record says of a result. `changed`: it did something that is worth a record of its own."""

    result: dict[str, Any] | None
    changed: bool


def tell_plainly(result: Any) -> Told:
    """For work whose result is a mapping, or nothing that a record could hold."""
    return Told(result if isinstance(result, dict) else None, changed=True)


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work that is to be run as a job.

    `uses_index`: it needs the index for itself, and waits for others that do. `again`: the id of the record that it
    goes on with. `chain` is the block of that name in the record.
    """

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)
    tell: Callable[[Any], Told] = tell_plainly
    uses_index: bool = False
    again: str | None = None
    chain: dict[str, Any] | None = None
    schedule: str | None = None
