"""What all tests of the terminal UI start from."""

from __future__ import annotations

import pytest

from tui.widgets import drawing


@pytest.fixture(autouse=True)
def _pictures_as_blocks() -> None:
    drawing.choose("blocks")
