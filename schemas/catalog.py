"""The catalog document: `.lumina/catalog.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from schemas.document import Document


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
