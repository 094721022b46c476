"""The screen of photos on a real catalog: finding, selecting, saying what is to be said, and saving it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select, SelectionList, Static

from lumina_fs.viewing.detail import Detail
from tests.conftest import Library
from tests.tui.driving import app_on, settled, text, until
from tui.app import LuminaApp
from tui.asking import AskText, Choose, Confirm
from tui.photos.conflict import Conflict
from tui.photos.detail_view import DetailView
from tui.photos.filter_panel import FilterPanel
from tui.photos.full_photo import FullPhoto
from tui.photos.query_bar import QueryBar, QueryInput
from tui.screens.photos import PhotosScreen
from tui.widgets import drawing

LAST = 11


@pytest.fixture
def scanned(library: Library) -> Library:
    """Twelve photos, a day each; b00.jpg has the bytes of a11.jpg."""
    for number in range(LAST):
        name = f"2019/a{number:02}.jpg"
        library.photo(name, number, DateTimeOriginal=f"2019:07:{number + 1:02} 12:00:00", Make="Canon", Model="EOS 5D")
    twin = library.root / "copy" / "b00.jpg"
    twin.parent.mkdir()
    twin.write_bytes((library.root / "2019/a10.jpg").read_bytes())
    library.scan()
    return library


def photos(pilot: Pilot[Any]) -> PhotosScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, PhotosScreen)
    return screen


def shown(screen: PhotosScreen) -> list[str]:
    return [one.hit.path for _, one in sorted(screen.listing.kept(), key=lambda pair: pair[0])]


def status(pilot: Pilot[Any]) -> str:
    return str(photos(pilot).query_one("#status", Static).content)


async def ask_for(pilot: Pilot[Any], text: str) -> None:
    """Type a query."""
    photos(pilot).query_one(QueryInput).value = text
    await until(pilot, lambda: photos(pilot).query_text == text)
    await settled(pilot)


async def answer(pilot: Pilot[Any], text: str) -> None:
    """Type into the window that asks for a line."""
    await until(pilot, lambda: isinstance(pilot.app.screen, AskText))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")
    await settled(pilot)


async def test_the_newest_photos_come_first_and_the_status_counts_them(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        assert shown(screen)[0].endswith(("a10.jpg", "b00.jpg"))
        assert shown(screen)[-1] == "2019/a00.jpg"
        assert "1 of 12" in status(pilot)
        assert screen.view is screen.grid
        await pilot.press("v")
        await settled(pilot)
        assert screen.view.id == "table"
        assert screen.table.row(11)[2] == "2019/a00.jpg"  # type: ignore[index]


async def test_the_cursor_goes_everywhere_in_the_grid_and_in_the_table(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        for _ in range(2):
            await pilot.press("end")
            assert screen.at == LAST
            await pilot.press("home", "down")
            assert screen.at == (screen.grid.across if screen.view is screen.grid else 1)
            await pilot.press("home")
            await pilot.press("colon")
            await answer(pilot, "50%")
            assert screen.at == 6
            await pilot.press("colon")
            await answer(pilot, "2019-07-03")
            here = screen.current()
            assert here is not None
            assert here.hit.path == "2019/a02.jpg"
            await pilot.press("home", "v")
            await settled(pilot)


async def test_a_query_is_answered_as_one_types_and_what_is_wrong_is_told_with_its_place(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("slash")
        await ask_for(pilot, "date:2019-07-03")
        assert shown(photos(pilot)) == ["2019/a02.jpg"]
        await ask_for(pilot, "date:2019-07-03 kamera:x")
        wrong = photos(pilot).query_one("#wrong", Static)
        assert wrong.display
        assert "did you mean camera:" in str(wrong.content)
        assert str(wrong.content).index("^") == len("date:2019-07-03 ")
        assert shown(photos(pilot)) == ["2019/a02.jpg"]
        await ask_for(pilot, "camera:canon")
        assert not wrong.display
        assert len(shown(photos(pilot))) == 12


@pytest.mark.parametrize("key", ["enter", "escape", "down"])
async def test_from_the_query_one_goes_back_to_the_photos(scanned: Library, key: str) -> None:
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        await pilot.press("slash", *"camera:canon", key)
        await settled(pilot)
        assert screen.focused is screen.view
        assert screen.query_text == "camera:canon"


async def test_who_types_a_query_before_the_screen_is_ready_types_on(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = PhotosScreen.begin
    before: list[object] = []

    def late(self: PhotosScreen) -> None:
        before.append(self.focused)  # nobody chose anything yet
        self.set_focus(self.query_one(QueryInput))
        begin(self)

    monkeypatch.setattr(PhotosScreen, "begin", late)
    async with app_on(scanned) as pilot:
        await pilot.press(*"2019/a03")
        await until(pilot, lambda: photos(pilot).query_text == "2019/a03")
        await settled(pilot)
        assert before == [None]
        assert shown(photos(pilot)) == ["2019/a03.jpg"]


async def test_what_is_typed_while_a_query_is_on_its_way_stays(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("slash")
        bar, line = photos(pilot).query_one(QueryBar), photos(pilot).query_one(QueryInput)
        line.insert_text_at_cursor("c")
        bar._ask()  # as its timer does when a person pauses
        line.insert_text_at_cursor("amera:canon")
        await until(pilot, lambda: photos(pilot).query_text == "camera:canon")
        await settled(pilot)
        assert line.value == "camera:canon"
        assert status(pilot).startswith("1 of 12")


async def test_tab_completes_fields_and_values_that_the_catalog_has(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await until(pilot, lambda: photos(pilot).choices)
        await pilot.press("slash", *"cam", "tab")
        line = photos(pilot).query_one(QueryInput)
        assert line.value == "camera:"
        await pilot.press("tab")
        assert line.value == 'camera:"Canon EOS 5D"'
        await pilot.press("escape")
        assert pilot.app.focused is photos(pilot).grid


@pytest.mark.parametrize("key", ["f", "slash"])
async def test_who_walks_through_the_photos_goes_before_what_there_is_to_choose_from(
    scanned: Library, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Counting that keeps the server busy: it waits for a pause, or until a person wants to choose."""
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        monkeypatch.setattr("tui.screens.photos._PAUSE", 3600.0)
        screen.choices = {}
        screen.ask_for("type:jpeg")
        await until(pilot, lambda: screen.query_text == "type:jpeg" and screen.listing.complete)
        await pilot.press("down", "down")
        await pilot.pause(0.5)
        assert not screen.choices
        await pilot.press(key)
        await until(pilot, lambda: "Canon EOS 5D" in screen.choices.get("camera", {}))


async def test_the_filters_and_the_query_always_say_the_same(scanned: Library) -> None:
    scanned.curate("2019/a01.jpg", rating=4, tags=["people/anna"])
    scanned.curate("2019/a02.jpg", tags=["places/rome"])
    scanned.scan()
    async with app_on(scanned, size=(140, 50)) as pilot:
        screen = photos(pilot)
        await until(pilot, lambda: screen.choices)
        await pilot.press("f")
        await settled(pilot)
        panel = screen.query_one(FilterPanel)
        panel.query_one("#filter-rating", Select).value = ">=4"
        await until(pilot, lambda: screen.query_text == "rating:>=4")
        await settled(pilot)
        assert screen.query_one(QueryInput).value == "rating:>=4"
        assert shown(screen) == ["2019/a01.jpg"]
        panel.query_one("#date-from", Input).value = "2019-07-02"
        await until(pilot, lambda: screen.query_text == "rating:>=4 date:>=2019-07-02")
        await ask_for(pilot, "camera:canon tag:=people/anna quality:10..")
        assert panel.query_one("#filter-rating", Select).value is Select.NULL
        assert panel.query_one("#filter-tags").selected == ["=people/anna"]  # type: ignore[attr-defined]
        assert "▐✓▌ people/anna (1)" in text(pilot)
        assert panel.query_one("#filter-camera", Select).value == "canon"
        assert "canon and the like" in text(pilot)
        assert "▐ ▌ " in text(pilot)
        assert panel.query_one("#quality-from", Input).value == "10"


async def test_filters_that_are_still_being_made_show_what_they_are_told(scanned: Library) -> None:
    async with app_on(scanned, size=(140, 50)) as pilot:
        screen = photos(pilot)
        await until(pilot, lambda: screen.choices)
        panel = FilterPanel()
        panel.show("quality:10.. tag:=people/anna", screen.choices)
        await screen.query_one("#main").mount(panel, before=0)
        assert panel.query_one("#quality-from", Input).value == "10"
        assert panel.query_one("#filter-tags").selected == ["=people/anna"]  # type: ignore[attr-defined]
        assert screen.query_text == ""


async def test_a_choice_finds_as_many_photos_as_its_number_says(scanned: Library) -> None:
    scanned.photo("more.jpg", 77, Make="Canon", Model="Canon EOS 5D Mark II")
    scanned.curate("2019/a01.jpg", tags=["anna"])
    scanned.curate("2019/a02.jpg", tags=["people/anna"])
    scanned.curate("2019/a03.jpg", tags=["anna karenina"])
    scanned.scan()
    async with app_on(scanned, size=(140, 50)) as pilot:
        screen = photos(pilot)
        await until(pilot, lambda: screen.choices)
        count = screen.choices["camera"]["Canon EOS 5D"]
        await pilot.press("f")
        await settled(pilot)
        panel = screen.query_one(FilterPanel)
        panel.query_one("#filter-camera", Select).value = "=Canon EOS 5D"
        await until(pilot, lambda: screen.query_text == 'camera:="Canon EOS 5D"')
        await settled(pilot)
        assert f"Canon EOS 5D ({count})" in text(pilot)
        assert len(shown(screen)) == count
        await ask_for(pilot, "")
        panel.query_one("#filter-tags", SelectionList).select("=anna")
        await until(pilot, lambda: screen.query_text == "tag:=anna")
        await settled(pilot)
        assert shown(screen) == ["2019/a01.jpg"]


async def test_photos_are_sorted_by_key_and_by_a_click_on_a_title(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        await pilot.press("s", "n")
        await settled(pilot)
        assert shown(screen) == sorted(shown(screen))
        assert shown(screen)[0] == "2019/a00.jpg"
        await pilot.press("S")
        await settled(pilot)
        assert shown(screen)[0] == "copy/b00.jpg"
        await pilot.press("v")
        await settled(pilot)
        await pilot.click("#table", offset=(5, 0))
        await settled(pilot)
        assert (screen.sort_key, screen.descending) == ("date", True)
        await pilot.click("#table", offset=(5, 0))
        await settled(pilot)
        assert shown(screen)[0] == "2019/a00.jpg"


async def test_a_selection_survives_another_query_and_the_end_of_the_app(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("space", "shift+right", "shift+right")
        await settled(pilot)
        chosen = set(photos(pilot).selection)
        assert len(chosen) == 4
        await ask_for(pilot, "date:2019-07-01")
        assert "4 selected" in status(pilot)
        await pilot.press("ctrl+a")
        await settled(pilot)
        assert len(photos(pilot).selection) == 5
        await pilot.press("v")
        await settled(pilot)
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        assert (screen.query_text, screen.view) == ("date:2019-07-01", screen.table)
        assert chosen < set(screen.selection)
        assert screen.table.marks == {0}
        await pilot.press("n")
        assert not screen.selection
        assert not screen.table.marks


async def test_the_place_in_the_list_is_taken_up_at_the_next_start(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("colon")
        await answer(pilot, "9")
        here = photos(pilot).current()
    async with app_on(scanned) as pilot:
        assert photos(pilot).current() == here
        assert photos(pilot).at == 8


async def test_another_room_leads_to_a_photo_and_the_order_stays_as_it_was(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        await pilot.press("v")
        screen.sort_by("name", descending=False)
        await ask_for(pilot, "2019/a03")
        await pilot.press("6")
        await settled(pilot)
        pilot.app.show_photos("", ("main", "2019/a07.jpg"))  # type: ignore[attr-defined]
        await until(pilot, lambda: pilot.app.screen is screen)
        await settled(pilot)
        here = screen.current()
        assert here is not None
        assert here.hit.path == "2019/a07.jpg"
        assert (screen.query_text, screen.sort_key, screen.descending) == ("", "name", False)
        assert screen.view is screen.table


async def test_where_nothing_fits_the_way_out_is_told(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await ask_for(pilot, "rating:5")
        assert "no photo fits: / changes the query" in status(pilot)


async def test_a_change_is_marked_until_it_is_saved_on_the_disk_and_in_the_index(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        screen = photos(pilot)
        await pilot.press("end")
        before = scanned.sidecar("2019/a00.jpg").read_bytes()
        await pilot.press("r")
        await pilot.press("4")
        await settled(pilot)
        await pilot.press("p", "l")
        await pilot.press("g")
        await settled(pilot)
        await pilot.press("c")
        await answer(pilot, "Two herons")
        await pilot.press("t")
        await answer(pilot, "birds/heron, lake")
        cell = screen.grid.row(LAST)
        assert cell is not None
        assert cell.changed
        assert "1 not saved" in status(pilot)
        assert scanned.sidecar("2019/a00.jpg").read_bytes() == before
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert scanned.value("2019/a00.jpg")["curation"] == {
            "caption": "Two herons", "rating": 4, "label": "green", "pick": "pick", "tags": ["birds/heron", "lake"],
        }  # fmt: skip
        assert "not saved" not in status(pilot)
        await ask_for(pilot, "tag:birds/heron rating:4 herons")
        assert shown(screen) == ["2019/a00.jpg"]
        cell = screen.grid.row(0)
        assert cell is not None
        assert not cell.changed
        assert "★★★★" in cell.facts


async def test_all_that_are_selected_are_changed_together_and_can_be_discarded(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("ctrl+a")
        await settled(pilot)
        await pilot.press("alt+3")
        await settled(pilot)
        assert len(photos(pilot).open_session.pending) == 12
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("n")
        await settled(pilot)
        assert len(photos(pilot).open_session.pending) == 12
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await settled(pilot)
        assert len(photos(pilot).open_session.pending) == 0
        await pilot.press("alt+2")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "not saved" not in status(pilot))
    assert scanned.search("rating:2") == scanned.search("")


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("m", {"rating": 2, "caption": "mine"}),
        ("t", {"rating": 5, "label": "red"}),
        ("g", {"caption": "mine", "rating": 2, "label": "red"}),
    ],
)
async def test_a_hand_edit_made_meanwhile_is_shown_beside_mine(
    scanned: Library, key: str, kept: dict[str, Any]
) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("end", "alt+2", "c")
        await answer(pilot, "mine")
        scanned.curate("2019/a00.jpg", rating=5, label="red")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Conflict))
        words = ("theirs", "mine", "merged", "rating", "label")
        await until(pilot, lambda: all(word in text(pilot) for word in words))
        await pilot.press(key)
        await until(pilot, lambda: "not saved" not in status(pilot))
        await settled(pilot)
        # the list tells what lies on the disk by now, so that the next change of it is no conflict
        here = photos(pilot).current()
        assert here is not None
        assert here.hit.rating == kept["rating"]
        await pilot.press("alt+3", "ctrl+s")
        await until(pilot, lambda: scanned.value("2019/a00.jpg")["curation"]["rating"] == 3)
    assert scanned.value("2019/a00.jpg")["curation"] == {**kept, "rating": 3}


async def test_a_catalog_that_is_closed_while_changes_are_saved_ends_the_saving(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def shown_late(self: PhotosScreen, keys: Any) -> None:
        while self.session is not None:
            await asyncio.sleep(0)

    monkeypatch.setattr(PhotosScreen, "_show_saved", shown_late)
    async with app_on(scanned) as pilot:
        await pilot.press("end", "alt+2", "ctrl+s")
        await until(pilot, lambda: scanned.value("2019/a00.jpg").get("curation"))
        app: LuminaApp = pilot.app  # type: ignore[assignment]
        await app.close_session()
        await settled(pilot)
    assert scanned.value("2019/a00.jpg")["curation"] == {"rating": 2}


async def test_leaving_with_changes_asks_and_can_save_them(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("end", "alt+1")
        await settled(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        await pilot.press("escape")
        await settled(pilot)
        assert len(photos(pilot).open_session.pending) == 1
        await pilot.press("4")
        await settled(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.return_code == 0 or not photos(pilot).session)
    assert scanned.value("2019/a00.jpg")["curation"] == {"rating": 1}


async def test_details_tell_dates_with_their_evidence_and_the_duplicates(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[Detail, list[str]]] = []
    real = DetailView.show

    def show(self: DetailView, detail: Detail, related: Any, edit: Any, sources: int) -> None:
        said.append((detail, [one.listed.hit.path for one in related]))
        real(self, detail, related, edit, sources)

    monkeypatch.setattr(DetailView, "show", show)
    async with app_on(scanned, size=(140, 40)) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: said)
        detail, others = said[-1]
        assert {detail.path, *others} == {"2019/a10.jpg", "copy/b00.jpg"}
        dates = next(section for section in detail.sections if section.title == "Dates")
        assert dates.facts[0].value.startswith("2019-07-11 12:00:00")
        assert "EXIF:DateTimeOriginal" in dates.facts[1].value
        assert {fact.name for fact in dates.facts} >= {"● EXIF:DateTimeOriginal", "○ mtime"}
        assert detail.sidecar == f"{detail.original}.lumina.json"
        count = len(said)
        await pilot.press("end")
        await until(pilot, lambda: len(said) > count)
        assert said[-1][0].path == "2019/a00.jpg"


async def test_what_models_saw_is_asked_for_completed_and_told_in_the_details(scanned: Library) -> None:
    value = scanned.value("2019/a02.jpg")
    seen = (("animals", "dog", 0.931), ("scene", "lake", 0.8), ("x", "[b]\x1b", 0.5))
    tags = [dict(zip(("category", "value", "confidence"), one, strict=True)) for one in seen]
    value["measurements"]["clip_tags"] = {"version": 1, "model": "m", "vocabulary": "v", "tags": tags}
    value["curation"] = {"rejected_tags": ["lake"]}
    scanned.sidecar("2019/a02.jpg").write_text(json.dumps(value))
    scanned.scan()
    async with app_on(scanned, size=(140, 40)) as pilot:
        screen = photos(pilot)
        await until(pilot, lambda: bool(screen.choices.get("auto")))
        await pilot.press("slash", *"auto:d", "tab")
        assert screen.query_one(QueryInput).value == "auto:animals/dog"
        await until(pilot, lambda: screen.query_text == "auto:animals/dog")
        await settled(pilot)
        assert shown(screen) == ["2019/a02.jpg"]
        await pilot.press("escape", "enter")
        await until(pilot, lambda: "Seen by the machine" in str(screen.query_one(".facts", Static).content))
        told = str(screen.query_one(".facts", Static).content)
        assert re.search(r"93 % +animals/dog\n", told)
        assert "lake" not in told.partition("Seen by the machine")[2].partition("Dates")[0]
        assert "x/[b]\\x1b" in told  # foreign text stays text


async def test_in_a_narrow_window_every_way_out_of_a_conflict_is_seen(scanned: Library) -> None:
    async with app_on(scanned, size=(80, 24)) as pilot:
        await pilot.press("end", "alt+2")
        await settled(pilot)
        scanned.curate("2019/a00.jpg", rating=5)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Later (Esc)" in text(pilot))
        assert all(word in text(pilot) for word in ("Mine (m)", "Theirs (t)", "Merged (g)"))


@pytest.mark.parametrize("key", ["enter", "i"])
async def test_in_a_narrow_window_a_photo_has_the_screen_for_itself(scanned: Library, key: str) -> None:
    async with app_on(scanned, size=(80, 24)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, FullPhoto))
        await pilot.press("right", "right", "alt+5")
        await settled(pilot)
        assert photos(pilot).at == 2
        await until(pilot, lambda: "- → 5 ★" in str(pilot.app.screen.query_one(".facts", Static).content))
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.screen is photos(pilot)
        assert pilot.app.focused is photos(pilot).grid


async def test_what_changes_under_the_screen_is_shown_with_the_cursor_where_it_was(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await pilot.press("end", "left")
        assert photos(pilot).listing.row(photos(pilot).at).hit.path == "2019/a01.jpg"  # type: ignore[union-attr]
        scanned.photo("new.jpg", 99, DateTimeOriginal="2020:01:01 12:00:00")
        scanned.scan()
        await until(pilot, lambda: photos(pilot).listing.total == 13)
        await settled(pilot)
        assert photos(pilot).current().hit.path == "2019/a01.jpg"  # type: ignore[union-attr]
        assert photos(pilot).at == 11


async def test_without_an_index_the_screen_says_so_and_offers_to_make_one(scanned: Library) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.index_session import connect

    with Catalog.open(str(scanned.root)) as catalog, connect(catalog) as index:
        index.drop()
    async with app_on(scanned) as pilot:
        assert photos(pilot).query_one("#missing").display
        await pilot.press("R")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: photos(pilot).listing.total == 12)
        await until(pilot, lambda: not photos(pilot).query_one("#missing").display)


async def test_without_pictures_cells_show_words(scanned: Library) -> None:
    drawing.choose("none")
    async with app_on(scanned) as pilot:
        text = pilot.app.export_screenshot()
        assert "96&#160;x&#160;64" in text
        assert "▀" not in text


async def test_a_picture_is_drawn_as_soon_as_it_is_made(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        await until(pilot, lambda: "▀" in pilot.app.export_screenshot())


async def test_hostile_names_stay_text(library: Library) -> None:
    name = "\x1b[31mred[bold]\u202e.jpg"
    library.photo(name, 1)
    library.scan()
    for size in ((80, 24), (140, 40)):
        async with app_on(library, size=size) as pilot:
            await pilot.press("enter", "v", "v")
            await settled(pilot)
            text = pilot.app.export_screenshot()
            assert "\x1b" not in text
            assert "\u202e" not in text
