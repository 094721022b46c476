"""Whether the packages that run models are installed, asked without loading one of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection

from lumina_fs.tagging.wishes import CLIP, OBJECTS

_PACKAGES = {CLIP: ("torch", "open_clip"), OBJECTS: ("torch", "ultralytics")}
REMEDY = 'pip install "lumina-fs[ai]"'


def hindrance(measurers: Collection[str] = (CLIP, OBJECTS)) -> str | None:
    """What to do before models can run here; None where nothing is missing."""
    wanted = dict.fromkeys(package for name in measurers for package in _PACKAGES[name])
    missing = [package for package in wanted if importlib.util.find_spec(package) is None]
    if not missing:
        return None
    there = "is" if len(missing) == 1 else "are"
    return f"tagging needs the extra lumina-fs[ai] ({', '.join(missing)} {there} not installed): {REMEDY}"
