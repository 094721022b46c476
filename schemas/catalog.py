"""The catalog document: `.lumina/catalog.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from schemas.document import Block, Document


class Schedule(Block):
    """Work that is done again and again: after some time, or at a time of day."""

    name: str = Field(min_length=1)
    """What you call it; no two have the same name."""
    work: Literal["scan", "rehash", "duplicates", "thumbnails", "rebuild", "verify", "tag", "analyze"]
    """What is done."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """With which arguments."""
    every: str | None = Field(default=None, pattern=r"^[1-9][0-9]{0,4}[mhdw]$")
    """How long after its last start it starts again: 30m, 6h, 1d, 2w."""
    at: str | None = Field(default=None, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """The time of each day at which it starts, as the clock of this machine shows it: 03:00."""
    created: str
    """Since when it is wanted, in UTC."""


class Catalog(Document):
    """A collection of photos."""

    kind: Literal["catalog"]
    version: Literal[1]
    name: str = Field(min_length=1)
    """What you call it."""
    managed: str | None = None
    """The directory in which plans may put and move originals, relative to the catalog; null for none."""
    layout: str = "YYYY/MM"
    """The layout that plans propose first."""
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Settings that differ from the defaults; `docs/settings.md` lists them."""
    schedules: list[Schedule] = Field(default_factory=list)
    """Work that is done again and again; `lumina jobs schedule` edits this."""
