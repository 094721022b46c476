"""Where Lumina keeps what belongs to no single catalog: the list of known catalogs, weights of models, per user."""

from __future__ import annotations

import os

import platformdirs


def user_directory() -> str:
    """The directory for a person's list of catalogs; `LUMINA_HOME` overrides it. It may not exist yet."""
    return os.environ.get("LUMINA_HOME") or platformdirs.user_data_dir("lumina-fs")


def models_directory() -> str:
    """Where weights lie that ultralytics fetched; `LUMINA_MODELS` overrides it. It may not exist yet."""
    return os.environ.get("LUMINA_MODELS") or os.path.join(platformdirs.user_cache_dir("lumina-fs"), "models")
