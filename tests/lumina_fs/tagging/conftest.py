"""A scanned library of plain colours."""

from __future__ import annotations

import pytest

from tests.conftest import Library
from tests.lumina_fs.tagging.fakes import Tagging


@pytest.fixture
def tagging(library: Library) -> Tagging:
    """Three photos in two colours, two of them the same file; the words are colours."""
    made = Tagging(library)
    made.colour("a/red.jpg", "red")
    made.colour("a/green.jpg", "green")
    made.colour("b/red too.jpg", "red")
    library.scan()
    made.words()
    return made
