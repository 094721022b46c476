"""Fixtures that every test folder shares: the corpus of real photographs."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs with known truth; skips where it is absent. Never write to it."""
    folder = REPOSITORY.parent / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip("the photo corpus (../shared/photos) is not on this machine")
    return folder
