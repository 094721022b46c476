"""The screen of tags."""

from __future__ import annotations

from tui.catalog_screen import CatalogScreen


class TagsScreen(CatalogScreen):
    """Being built."""

    NAME = "tags"
