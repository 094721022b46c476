"""The screen of photos."""

from __future__ import annotations

from tui.catalog_screen import CatalogScreen


class PhotosScreen(CatalogScreen):
    """Being built."""

    NAME = "photos"
