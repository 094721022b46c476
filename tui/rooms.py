"""The screens that there are, in the order of their keys."""

from __future__ import annotations

from typing import NamedTuple


class Room(NamedTuple):
    """A screen that is reached by a key of its own: its title, and where its class is."""

    title: str
    module: str
    screen: str


#: By the name of the mode.
ROOMS = {
    "catalogs": Room("Catalogs", "tui.screens.catalogs", "CatalogsScreen"),
    "photos": Room("Photos", "tui.screens.photos", "PhotosScreen"),
    "duplicates": Room("Duplicates", "tui.screens.duplicates", "DuplicatesScreen"),
    "plans": Room("Plans", "tui.screens.plans", "PlansScreen"),
    "tags": Room("Tags", "tui.screens.tags", "TagsScreen"),
    "jobs": Room("Jobs", "tui.screens.jobs", "JobsScreen"),
    "audit": Room("Audit", "tui.screens.audit", "AuditScreen"),
}
KEYS = dict(zip(ROOMS, "123456789", strict=False))
