"""Where Lumina keeps what belongs to no single catalog: the list of known catalogs, per user."""

from __future__ import annotations

import os

import platformdirs


def user_directory() -> str:
    """The directory for a person's list of catalogs; `LUMINA_HOME` overrides it. It may not exist yet."""
    return os.environ.get("LUMINA_HOME") or platformdirs.user_data_dir("lumina-fs")
