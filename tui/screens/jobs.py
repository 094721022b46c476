"""The screen of jobs."""

from __future__ import annotations

from tui.catalog_screen import CatalogScreen


class JobsScreen(CatalogScreen):
    """Being built."""

    NAME = "jobs"
