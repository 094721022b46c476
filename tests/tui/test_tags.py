"""The room of tags: a tree, the photos of a tag, and changes everywhere that can be taken back."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Tree

from lumina_fs.catalog import Catalog
from lumina_fs.progress import Progress
from lumina_fs.viewing import tags as asked
from tests.conftest import Library
from tests.tui import snapshots
from tests.tui.driving import app_on, settled, text, until
from tui.asking import AskText, Confirm
from tui.screens.tags import TagsScreen
from tui.waiting import WaitingWindow
from tui.widgets.virtual_table import VirtualTable

TAGS = {
    "a.jpg": ["people/anna", "beach"],
    "b.jpg": ["people/ana", {"category": "people", "value": "anna"}],
    "c.jpg": ["people/ana"],
    "d.jpg": ["[/x] [bold]odd[/bold]"],
}


@pytest.fixture
def tagged(postgres: str) -> Iterator[Library]:
    with tempfile.TemporaryDirectory(prefix="lumina-snap-") as folder:
        root = Path(folder) / "photos"
        root.mkdir()
        library = Library(root)
        for seed, path in enumerate(TAGS):
            library.photo(path, seed, DateTimeOriginal=f"2019:07:1{seed} 12:00:00")
        library.scan()
        for path, tags in TAGS.items():
            library.curate(path, tags=tags)
        library.scan()
        yield library


def tags_of(library: Library) -> dict[str, Any]:
    return {path: library.value(path).get("curation", {}).get("tags", []) for path in TAGS}


async def go(pilot: Pilot[Any], to: str) -> None:
    """The cursor to a line of the tree that starts so."""
    await pilot.press("5")
    await settled(pilot)
    tree: Tree[Any] = pilot.app.screen.query_one("#tags", Tree)
    tree.focus()
    nodes = [node for top in tree.root.children for node in (top, *top.children)]
    tree.move_cursor(next(node for node in nodes if str(node.label).startswith(to)))
    await settled(pilot)


def under_cursor(pilot: Pilot[Any]) -> str:
    """The line of the tree."""
    node = pilot.app.screen.query_one("#tags", Tree).cursor_node
    return str(node.label) if node is not None else ""


async def answer(pilot: Pilot[Any], text: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, AskText))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


async def agree(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    await pilot.press("y")


async def test_the_tree_counts_and_the_table_lists_the_photos_of_a_tag(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "anna")
        table = pilot.app.screen.query_one(VirtualTable)
        await until(pilot, lambda: table.row(1) is not None)
        assert [table.row(at)[0] for at in range(table.total)] == ["a.jpg", "b.jpg"]  # type: ignore[index]


async def test_a_tag_renamed_to_an_existing_one_becomes_one_with_it_and_can_be_taken_back(tagged: Library) -> None:
    before = {path: tagged.sidecar(path).read_bytes() for path in TAGS}
    async with app_on(tagged) as pilot:
        await go(pilot, "ana")
        await pilot.press("r")
        await answer(pilot, "people/anna")
        await agree(pilot)
        await until(pilot, lambda: tags_of(tagged)["c.jpg"] == ["people/anna"])
        assert len(tags_of(tagged)["b.jpg"]) == 1
        await until(pilot, lambda: not [w for w in pilot.app.workers if w.group == "processes" and not w.is_finished])
        await settled(pilot)
        await pilot.press("u")
        await agree(pilot)
        await until(pilot, lambda: {p: tagged.sidecar(p).read_bytes() for p in TAGS} == before)
        await until(pilot, lambda: not [w for w in pilot.app.workers if w.group == "processes" and not w.is_finished])


async def test_a_category_is_renamed_as_a_whole(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "people")
        await pilot.press("r")
        await answer(pilot, "family")
        await agree(pilot)
        await until(pilot, lambda: tags_of(tagged)["c.jpg"] == ["family/ana"])
        await until(pilot, lambda: not [w for w in pilot.app.workers if w.group == "processes" and not w.is_finished])
        assert tags_of(tagged)["a.jpg"] == ["family/anna", "beach"]
        await until(pilot, lambda: under_cursor(pilot).startswith("family"))


async def test_the_cursor_is_where_it_is_wanted_as_soon_as_the_tree_is_made(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "anna")
        screen = pilot.app.screen
        assert isinstance(screen, TagsScreen)
        screen._grow()
        assert under_cursor(pilot).startswith("anna")
        screen._wanted = "people/"
        screen._grow()  # a letter in the field, before the tags are read
        assert under_cursor(pilot).startswith("people")
        await settled(pilot)
        assert under_cursor(pilot).startswith("people")
        assert "people: 3 photos" in text(pilot)
        screen.load()
        await settled(pilot)
        await pilot.press("down")
        screen.load()  # the wish was for once
        await settled(pilot)
        assert under_cursor(pilot).startswith("ana ")


async def test_the_cursor_can_be_seen_after_a_restart_in_a_low_terminal(tagged: Library) -> None:
    async with app_on(tagged, size=(100, 7)) as pilot:
        await go(pilot, "anna")
        assert "anna (2)" in text(pilot)
    async with app_on(tagged, size=(100, 7)) as pilot:
        assert under_cursor(pilot) == "anna (2)"
        assert "anna (2)" in text(pilot)
        assert "(no category)" not in text(pilot)


async def test_what_is_looked_for_in_vain_leaves_nothing_to_change(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "anna")
        screen = pilot.app.screen
        await pilot.press("slash", *"no such tag")
        await settled(pilot)
        assert screen.check_action("rename", ()) is False
        pilot.app.screen.query_one(Input).value = ""
        await settled(pilot)
        assert under_cursor(pilot) == "(no category) (1)"


def without_cache(library: Library) -> dict[str, tuple[int, int, int]]:
    """Every file but thumbnails, which come when they are made."""
    return {path: found for path, found in library.tree().items() if not path.startswith(".lumina/cache/")}


async def test_no_leaves_everything_as_it_is(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "beach")
        before = without_cache(tagged)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("enter")
        await settled(pilot)
        assert without_cache(tagged) == before


async def test_after_a_no_to_a_new_name_the_cursor_stays_where_it_is(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "anna")
        await pilot.press("r")
        await answer(pilot, "elsewhere")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("n", "f5")
        await settled(pilot)
        assert under_cursor(pilot).startswith("anna")


async def test_a_category_that_is_deleted_is_called_by_all_its_tags(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "people")
        await pilot.press("d")
        await until(pilot, lambda: "Delete the tags people/ana, people/anna: 3 photos" in text(pilot))
        await pilot.press("n")


async def test_a_tag_is_added_to_marked_photos_only(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "ana")
        table = pilot.app.screen.query_one(VirtualTable)
        await until(pilot, lambda: table.row(1) is not None)
        table.focus()
        await pilot.press("down", "space", "a")
        await answer(pilot, "places/rome")
        await until(pilot, lambda: "Add the tag places/rome: 1 photo" in text(pilot))
        await agree(pilot)
        await until(pilot, lambda: tags_of(tagged)["c.jpg"] == ["people/ana", "places/rome"])
        await until(pilot, lambda: not [w for w in pilot.app.workers if w.group == "processes" and not w.is_finished])
        assert "places/rome" not in tags_of(tagged)["b.jpg"]


async def test_a_tag_is_taken_away_from_marked_photos_only(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "ana")
        table = pilot.app.screen.query_one(VirtualTable)
        await until(pilot, lambda: table.row(1) is not None)
        table.focus()
        await pilot.press("down", "space", "x")
        await until(pilot, lambda: "Take away the tag people/ana: 1 photo" in text(pilot))
        await agree(pilot)
        await until(pilot, lambda: not tags_of(tagged)["c.jpg"])
        await until(pilot, lambda: not [w for w in pilot.app.workers if w.group == "processes" and not w.is_finished])
        assert "people/ana" in tags_of(tagged)["b.jpg"]


async def test_a_wrong_name_is_refused_with_its_reason(tagged: Library) -> None:
    async with app_on(tagged) as pilot:
        await go(pilot, "beach")
        await pilot.press("r")
        await answer(pilot, "/")
        await settled(pilot)
        assert not isinstance(pilot.app.screen, Confirm)
        assert any("tag" in note.message for note in pilot.app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_the_room_looks_as_it_did(tagged: Library, size: tuple[int, int]) -> None:
    async with app_on(tagged, size=size) as pilot:
        await go(pilot, "anna")
        table = pilot.app.screen.query_one(VirtualTable)
        await until(pilot, lambda: table.row(0) is not None)
        await settled(pilot)
        await snapshots.check(pilot, "tags")


async def test_what_takes_long_says_how_far_it_is_and_can_be_stopped(
    tagged: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def proposed(catalog: Catalog, wish: asked.Wish, *, cancel: threading.Event) -> Iterator[Any]:
        yield Progress("reading sidecars", 12_000, 100_000, "sidecars")
        begun.set()
        while not cancel.wait(0.01) and not go_on.is_set():
            pass
        yield from real(catalog, wish, cancel=cancel)

    real = asked.proposed
    monkeypatch.setattr(asked, "proposed", proposed)
    before = {path: tagged.sidecar(path).read_bytes() for path in TAGS}
    async with app_on(tagged) as pilot:
        await go(pilot, "ana")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, WaitingWindow))
        await until(pilot, lambda: "reading sidecars: 12,000 of 100,000" in text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, WaitingWindow))
        await settled(pilot)
        assert not isinstance(pilot.app.screen, Confirm)
        assert any("nothing was changed" in toast.message for toast in pilot.app._notifications)
        go_on.clear()
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, WaitingWindow))
        go_on.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("escape")
        await settled(pilot)
        go_on.clear()
        begun.clear()
        await pilot.press("d")
        await until(pilot, begun.is_set)  # the app leaves in the midst of it
    assert {path: tagged.sidecar(path).read_bytes() for path in TAGS} == before


async def test_without_a_tag_only_what_makes_sense_is_offered(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    async with app_on(library, size=(200, 60)) as pilot:
        await pilot.press("5")
        await settled(pilot)
        assert "No photo has a tag yet" in text(pilot)
        offered = {active.binding.description for active in pilot.app.screen.active_bindings.values() if active.enabled}
        assert not offered & {"Rename", "Merge", "Delete", "Add tag", "Remove", "In Photos", "Undo"}
        assert "Find" in offered


async def test_a_question_about_many_photos_shows_its_answers_in_a_small_terminal_and_is_read_by_keys(
    library: Library,
) -> None:
    for number in range(30):
        library.photo(f"IMG_{number:02}.jpg", number)
    library.scan()
    for number in range(30):
        library.curate(f"IMG_{number:02}.jpg", tags=["people/anna"])
    library.scan()
    async with app_on(library, size=(80, 24)) as pilot:
        await go(pilot, "anna")
        await pilot.press("r")
        await answer(pilot, "people/anna maria, the second")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.pause()
        assert "Change them (y)" in text(pilot)
        assert "No (n)" in text(pilot)
        assert "Only sidecars are written" not in text(pilot)
        await pilot.press(*["pagedown"] * 20)
        await pilot.pause()
        assert "Only sidecars are written" in text(pilot)
