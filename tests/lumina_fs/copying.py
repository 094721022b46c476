"""Photos that are copied with their sidecars: within a source, and to a card that is another one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Library


def copied_along(library: Library, old: str, new: str) -> None:
    """A person copies a photo with its sidecar."""
    (library.root / new).parent.mkdir(exist_ok=True, parents=True)
    shutil.copy2(library.root / old, library.root / new)
    shutil.copy2(library.sidecar(old), library.sidecar(new))


def with_card(library: Library, tmp_path: Path) -> Library:
    """A second source of the catalog, outside its folder."""
    from lumina_fs.catalog import Catalog
    from tests.conftest import Library

    card = Library(tmp_path / "card")
    card.root.mkdir()
    library.photo("here.jpg", 90)
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(card.root), name="card")
    return card


def copy_to(card: Library, library: Library, name: str) -> None:
    """A person copies a photo with its sidecar to another source."""
    shutil.copy2(library.root / name, card.root / name)
    shutil.copy2(library.sidecar(name), card.sidecar(name))
