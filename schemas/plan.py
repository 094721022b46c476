"""The plan: `.lumina/plans/<id>.json`, what should happen to originals. It holds content only, never its status.

A draft may be edited by hand. An approval (see `schemas.approval`) names the SHA-256 of its exact bytes, so an edit
after it voids it. Paths are encoded as in all documents and relative to their source.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.document import Block, Document

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

Purpose = Literal["organise", "resolve_duplicates", "edit", "import", "convert", "relocate", "restore", "undo"]
OnFailure = Literal["roll_back", "stop", "continue"]
OnCollision = Literal["rename", "skip"]
Part = Literal["sidecar", "xmp", "caption", "raw", "jpeg", "live_photo", "edits"]

#: The most bytes of a plan: 100,000 actions take about 60 MB.
MAX_PLAN_BYTES = 256 << 20

_SETS: dict[frozenset[str], set[str]] = {}


class Place(Block):
    """Where an original is, or is to be."""

    source: str
    """Name of the source."""
    path: str = Field(min_length=1)
    """Path in that source."""


class Companion(Block):
    """A file that travels with its original, because the two are one unit."""

    part: Part
    """What it is to the original."""
    path: str = Field(min_length=1)
    """Where it is, in the source of the original."""
    to: str | None = None
    """Where it goes, in the source of the target; absent for the trash."""
    size: int | None = Field(default=None, ge=0)
    """Bytes it must have; absent for our own sidecar, which may be edited until the plan is applied."""
    sha256: Digest | None = None
    """Digest it must have; absent for our own sidecar."""


class Action(Block):
    """What every action says: the original, how it must be, and why."""

    source: str
    """Name of the source that the original is in."""
    path: str = Field(min_length=1)
    """Where the original is, in its source."""
    size: int = Field(ge=0)
    """Bytes it must have, or the action is refused."""
    sha256: Digest
    """Digest it must have, or the action is refused."""
    reason: str = ""
    """Why."""
    warnings: list[str] = Field(default_factory=list)
    """What a person should look at before approving."""
    companions: list[Companion] = Field(default_factory=list)
    """The other files of the unit, which go where the original goes."""

    def model_post_init(self, context: Any, /) -> None:
        """Those that set the same fields share one set of their names, which else would be half of their memory."""
        names = self.model_fields_set
        object.__setattr__(self, "__pydantic_fields_set__", _SETS.setdefault(frozenset(names), names))


class Move(Action):
    """The original goes to a place that is free."""

    do: Literal["move"]
    """What is done."""
    to: Place
    """Where it goes."""


class Copy(Action):
    """A verified copy is made at a place that is free; the original stays."""

    do: Literal["copy"]
    """What is done."""
    to: Place
    """Where the copy goes."""


class Trash(Action):
    """The original goes to the trash of its own volume, from where it can be restored."""

    do: Literal["trash"]
    """What is done."""


class Restore(Action):
    """An original comes back from the trash; `path` is where it was and will be again."""

    do: Literal["restore"]
    """What is done."""
    trashed_by: str
    """Id of the plan that put it into the trash."""


class Skip(Action):
    """Nothing is done: refused by the proposer, or rejected by a person. What was proposed stays readable."""

    do: Literal["skip"]
    """What is done."""
    proposed: dict[str, Any] = Field(default_factory=dict)
    """The action that was proposed, without what is said here."""


class FieldChange(Block):
    """One field of the curation: what it is, what it becomes, and whom that comes from."""

    before: Any = None
    """The value now; the action is refused if it is another by then."""
    after: Any = None
    """The value to be; null takes the field away."""
    origins: list[Place] = Field(default_factory=list)
    """The originals whose sidecars said so."""


class Edit(Action):
    """Fields of the original's curation are changed."""

    do: Literal["edit"]
    """What is done."""
    fields: dict[str, FieldChange] = Field(min_length=1)
    """By the name of the field."""


AnyAction = Annotated[Move | Copy | Trash | Restore | Skip | Edit, Field(discriminator="do")]


class Plan(Document):
    """What should happen to originals, in this order. Nothing happens before a person approves it."""

    kind: Literal["plan"]
    version: Literal[1]
    name: str = Field(min_length=1)
    """A short name for people."""
    description: str = ""
    """What it is for."""
    created: str
    """When it was proposed, in UTC."""
    purpose: Purpose
    """What kind of plan it is."""
    strategy: dict[str, Any] = Field(default_factory=dict)
    """By which the actions were proposed: its name and options. For people; applying does not read it."""
    rules: list[dict[str, Any]] = Field(default_factory=list)
    """The rules of a strategy that has some. For people; applying does not read them."""
    on_failure: OnFailure = "roll_back"
    """What happens when an action fails: everything back, stop there, or go on with the others."""
    on_collision: OnCollision = "rename"
    """What the proposer did where two would have had one name: another name, or nothing."""
    undoes: str | None = None
    """Id of the plan that this one undoes."""
    actions: list[AnyAction] = Field(default_factory=list)
    """What is done, in this order."""
