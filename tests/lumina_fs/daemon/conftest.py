"""The daemon that tests watch with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Library
    from tests.lumina_fs.daemon.watched import Watched


@pytest.fixture
def watched(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A library whose daemon is not started yet."""
    from tests.lumina_fs.daemon.watched import watching

    monkeypatch.setenv("LUMINA_WORKERS", "2")
    with watching(library, tmp_path / "daemon.log") as watched:
        yield watched
