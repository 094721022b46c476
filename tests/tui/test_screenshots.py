"""The pictures of the tutorial show what the program shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.screenshots import FOLDER, take, text_of


@pytest.mark.slow
async def test_the_pictures_of_the_tutorial_are_fresh(postgres: str, tmp_path: Path) -> None:
    expected = {path.stem: text_of(path.read_text()) for path in FOLDER.glob("*.svg")}
    found = await take(tmp_path, expected)
    tutorial = (FOLDER.parent / "tutorial.md").read_text()
    assert set(expected) == set(found)
    for name, svg in found.items():
        assert f"pictures/{name}.svg" in tutorial, name
        assert text_of(svg) == expected[name], f"{name} is out of date: python -m tests.tui.screenshots, look at it"
