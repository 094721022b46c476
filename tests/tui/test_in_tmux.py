"""The real program in tmux, by keys and a mouse: from a folder of photos to a plan that was applied and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Library
from tests.tui.tmux import Terminal, lumina_in_tmux


def originals(library: Library) -> dict[str, bytes]:
    found = {str(path.relative_to(library.root)): path for path in library.root.rglob("*.jpg")}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".lumina/")}


@pytest.mark.slow
def test_from_a_folder_to_a_plan_that_was_applied_and_undone(library: Library, tmp_path: Path) -> None:
    for number in range(1, 6):
        library.photo(f"unsorted/IMG_{number}.jpg", number, DateTimeOriginal=f"2019:0{number}:14 12:00:00")
    before = originals(library)
    with lumina_in_tmux(library.root, environment={"LUMINA_HOME": str(tmp_path / "home")}) as terminal:
        _make_the_catalog(library, terminal)
        terminal.press("2")
        terminal.until("[2 Photos]", "IMG_5.jpg")
        terminal.press("?")
        terminal.until("Escape closes", "Colour label")
        terminal.press("Escape")
        terminal.until_gone("Escape closes")

        terminal.press("4")
        terminal.until("[4 Plans]", "New plan")
        terminal.press("n")
        terminal.until("2019/05/IMG_5.jpg")  # the example follows the form
        terminal.press("C-s")
        terminal.until("draft", "5 move")
        _carry_out(terminal)
        assert set(originals(library)) == {f"2019/0{number}/IMG_{number}.jpg" for number in range(1, 6)}

        terminal.press("u")
        terminal.until("Propose the undo of this plan?")
        terminal.press("y")
        terminal.until("draft", "5 move")
        _carry_out(terminal)
        assert originals(library) == before

        terminal.press("7")
        terminal.until("[7 Audit]", "moved")
        terminal.press("q")
        terminal.until_ended()
    assert all(library.sidecar(path).exists() for path in before)


def _make_the_catalog(library: Library, terminal: Terminal) -> None:
    terminal.until("No catalog yet")
    terminal.press("n")
    terminal.until("New catalog", "only looked at")
    terminal.click("Managed: plans")
    terminal.until("that you approve may move")
    assert not (library.root / ".lumina").exists()
    terminal.press("C-s")
    terminal.until("5 added")


def _carry_out(terminal: Terminal) -> None:
    """Approve and apply the plan that is shown, and see that nothing happens before each yes."""
    terminal.until("a Approve")
    terminal.press("a")
    terminal.until("Approve this plan?", "5 originals moved")
    terminal.press("Enter")  # alone it says no
    terminal.until_gone("Approve this plan?")
    terminal.until("draft", "a Approve")
    terminal.press("a")
    terminal.until("Approve this plan?")
    terminal.press("y")
    terminal.until("approved by", "x Apply")
    terminal.press("x")
    terminal.until("Carry this plan out now?", "5 originals moved")
    terminal.press("y")
    terminal.until("complete by", "u Undo")


def test_the_editor_gets_the_terminal_and_gives_it_back(library: Library, tmp_path: Path) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\nprintf "EDITING %s\\n" "${1##*/}"\nread answer\nsed -i "s/$answer/" "$1"\nprintf "SAVED\\n"\n'
    )
    editor.chmod(0o755)
    environment = {"LUMINA_HOME": str(tmp_path / "home"), "VISUAL": str(editor)}
    with lumina_in_tmux(library.root, environment=environment) as terminal:
        terminal.until("[2 Photos]", "a.jpg")
        terminal.press("E")
        assert "Photos" not in terminal.until("EDITING a.jpg.lumina.json")
        terminal.type('"curation": {}/"curation": {"rating": 9}')  # more than there are
        terminal.press("Enter")
        terminal.until("[2 Photos]", "It cannot be used so", "edit it again")
        terminal.press("Enter")
        terminal.until("EDITING a.jpg.lumina.json")
        terminal.type('"rating": 9/"rating": 4')
        terminal.press("Enter")
        terminal.until("[2 Photos]", "Taken in: 1 field of yours changed")
        terminal.until("★★★★")
        terminal.press("C-q")
        terminal.until_ended()
    assert library.value("a.jpg")["curation"] == {"rating": 4}


def test_without_an_editor_the_screen_is_there_and_says_so(library: Library, tmp_path: Path) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    environment = {"LUMINA_HOME": str(tmp_path / "home"), "VISUAL": "", "EDITOR": ""}
    with lumina_in_tmux(library.root, environment=environment) as terminal:
        terminal.until("[2 Photos]", "a.jpg")
        terminal.press("E")
        terminal.until("[2 Photos]", "That did not work")
        terminal.press("1")
        terminal.until("[1 Catalogs]")
        terminal.press("C-q")
        terminal.until_ended()


def test_at_80_columns_the_help_and_every_room_are_readable(library: Library, tmp_path: Path) -> None:
    library.photo("2019/a.jpg", 1, DateTimeOriginal="2019:07:14 12:00:00")
    library.scan()
    home = {"LUMINA_HOME": str(tmp_path / "home")}
    with lumina_in_tmux(library.root, "ui", size=(80, 24), environment=home) as terminal:
        terminal.until("[2 Photos]", "a.jpg")
        for key, name in (("1", "Catalogs"), ("3", "Duplicates"), ("4", "Plans"), ("5", "Tags"), ("6", "Jobs")):
            terminal.press(key)
            terminal.until(f"[{key} {name}]", "Palette")
            assert all(len(line) <= 80 for line in terminal.shown.splitlines())
        terminal.press("?")
        terminal.until("Escape closes")
        terminal.press("Escape")
        terminal.until_gone("Escape closes")
        terminal.press("C-q")
        terminal.until_ended()
