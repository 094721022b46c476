"""The screen of plans."""

from __future__ import annotations

from tui.catalog_screen import CatalogScreen


class PlansScreen(CatalogScreen):
    """Being built."""

    NAME = "plans"
