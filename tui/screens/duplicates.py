"""The screen of duplicates."""

from __future__ import annotations

from tui.catalog_screen import CatalogScreen


class DuplicatesScreen(CatalogScreen):
    """Being built."""

    NAME = "duplicates"
