"""The pictures of the tutorial show what the program shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.screenshots import FOLDER, take, text_of


@pytest.mark.slow
async def test_the_pictures_of_the_tutorial_are_fresh(postgres: str, tmp_path: Path) -> None:
    found = await take(tmp_path)
    tutorial = (FOLDER.parent / "tutorial.md").read_text()
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(found)
    for name, svg in found.items():
        assert f"pictures/{name}.svg" in tutorial, name
        there = text_of((FOLDER / f"{name}.svg").read_text())
        assert text_of(svg) == there, f"{name} is out of date: python -m tests.tui.screenshots, and look at it"
