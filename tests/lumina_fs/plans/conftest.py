"""What tests of plans share: a catalog with two sources, and no index."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lumina_fs.plans.scenes import NO_INDEX, Scene, other_volume


@pytest.fixture
def without_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_DATABASE_URL", NO_INDEX)


@pytest.fixture
def scene(tmp_path: Path, without_index: None) -> Scene:
    """Two managed sources on one volume."""
    return Scene.make(tmp_path, tmp_path)


@pytest.fixture
def far_scene(tmp_path: Path, without_index: None) -> Iterator[Scene]:
    """Two managed sources on two volumes."""
    volume = other_volume()
    if volume is None:
        pytest.skip("there is no second volume on this machine that can be written to")
    with tempfile.TemporaryDirectory(prefix="lumina-far-", dir=volume) as far:
        yield Scene.make(tmp_path, Path(far))
