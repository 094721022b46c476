"""The screen of audit."""

from __future__ import annotations

from tui.catalog_screen import CatalogScreen


class AuditScreen(CatalogScreen):
    """Being built."""

    NAME = "audit"
