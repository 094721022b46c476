"""The screen of duplicates: groups are listed, compared, decided about one by one or many at once, and planned."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.decisions import keep_only
from lumina_fs.duplicates.standing import Standing, Standings
from lumina_fs.duplicates.verdicts import Verdicts, decide, withdraw
from lumina_fs.viewing import duplicates as questions
from lumina_fs.viewing.duplicates import Board, Changed, Deciding, Wanted
from lumina_fs.viewing.group_list import GroupList, from_state, make_list
from tests.conftest import Library
from tests.lumina_fs.duplicates.searching import decisions, opened, searched, standings
from tests.tui.driving import app_on, settled, text, until
from tests.tui.snapshots import check
from tui.duplicates import group_listing
from tui.duplicates.compare import Compare, Pane
from tui.duplicates.fact_table import FactTable, fact_lines
from tui.duplicates.group_batch import GroupBatch, GroupWriting
from tui.duplicates.group_panel import GroupPanel
from tui.screens.duplicates import DuplicatesScreen
from tui.widgets.picture import Picture
from tui.widgets.virtual_table import VirtualTable


def fill(library: Library) -> Library:
    """Three pictures: one as three files, one as two, and one as a file, its copy and a small version."""
    for name, seed, size in (("lake", 1, (192, 128)), ("tree", 2, (96, 64))):
        library.photo(f"2019/{name}.jpg", seed, size, Make="Canon", DateTimeOriginal="2019:07:14 12:00:00")
        library.photo(f"2020/{name} copy.jpg", seed, size)
    library.photo("2019/house.jpg", 3, size=(640, 480), Make="Canon", DateTimeOriginal="2019:07:15 12:00:00")
    shutil.copy2(library.root / "2019/house.jpg", library.root / "2019/house (1).jpg")
    with Image.open(library.root / "2019/house.jpg") as image:
        image.resize((320, 240), Image.Resampling.LANCZOS).save(library.root / "2019/house small.jpg", quality=80)
    library.photo("2020/alone.jpg", 9)
    library.scan()
    return library


@pytest.fixture
def searched_library(library: Library) -> Library:
    fill(library)
    assert searched(library) is not None
    return library


@pytest.fixture
def steady_library(postgres: str) -> Iterator[Library]:
    """The same in a folder whose name has one length, for pictures."""
    root = Path(tempfile.mkdtemp(prefix="lumina-snap-"))
    try:
        library = Library(root)
        fill(library)
        assert searched(library) is not None
        yield library
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def at_duplicates(pilot: Pilot[Any]) -> DuplicatesScreen:
    await pilot.press("3")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, DuplicatesScreen)
    return screen


def text_of(pilot: Pilot[Any], which: str) -> str:
    return str(pilot.app.screen_stack[0].query_one(which, Static).content)


def listed(screen: DuplicatesScreen) -> list[str]:
    """The keepers of the groups in the list, in order."""
    table = screen.query_one("#groups", VirtualTable)
    rows = [table.row(number) for number in range(table.total)]
    return [str(row[5]) for row in rows if row is not None]


async def test_groups_are_listed_with_their_numbers_and_the_keeper_is_shown(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        assert listed(screen) == ["2019/house.jpg", "2019/lake.jpg", "2019/tree.jpg"]
        assert "7 pictures analysed, 3 groups" in text_of(pilot, "#numbers")
        row = screen.query_one("#groups", VirtualTable).row(0)
        assert row is not None
        assert row[0] == "resized"
        assert "certain" in str(row[1])
        assert row[2] == "3"
        photo = screen.query_one(GroupPanel).query_one(Picture).photo
        assert photo is not None
        assert photo.path == "2019/house.jpg"


async def test_before_the_first_search_the_screen_says_so_and_a_key_searches(library: Library) -> None:
    fill(library)
    async with app_on(library, size=(80, 24)) as pilot:
        screen = await at_duplicates(pilot)
        assert "No search for duplicates was made yet. Press f" in text_of(pilot, "#said")
        assert "f Find" in text(pilot).splitlines()[-1]
        assert "Keep" not in text(pilot).splitlines()[-1]
        await pilot.press("f")
        await until(pilot, lambda: len(listed(screen)) == 3)
        await until(pilot, lambda: "search" not in text_of(pilot, "#said"))


async def test_a_search_that_is_behind_the_catalog_is_said_to_be(searched_library: Library) -> None:
    searched_library.photo("2021/new.jpg", 12)
    searched_library.scan()
    async with app_on(searched_library) as pilot:
        await at_duplicates(pilot)
        assert "The catalog changed since the last search" in text_of(pilot, "#said")


async def test_keeping_the_keeper_is_written_down_and_the_next_group_follows(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("o")
        await settled(pilot)
        assert listed(screen) == ["2019/lake.jpg", "2019/tree.jpg"]
        assert "2 files may go" in text_of(pilot, "#said")
        await pilot.press("a")
        await settled(pilot)
        assert listed(screen) == ["2019/tree.jpg"]
    assert decisions(searched_library) == {
        "2019/house (1).jpg": "remove", "2019/house small.jpg": "remove",
        "2020/lake copy.jpg": "keep_both", "2020/tree copy.jpg": None,
    }  # fmt: skip


@pytest.mark.parametrize("key", ["o", "u"])
async def test_what_somebody_took_up_before_is_told_all_the_same(
    searched_library: Library, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """The files are watched: they may be read between a decision of our own and the look at what came of it."""
    boards: list[Board] = []

    def beaten(write: Any) -> Any:
        def written(catalog: Catalog, *some: Any, **how: Any) -> None:
            write(catalog, *some, **how)
            assert boards[0].follow(catalog)

        return written

    monkeypatch.setattr(group_listing, "_QUIET", 3600)  # only what is done here takes it up
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        if key == "u":
            await pilot.press("o")
            await settled(pilot)
        shown = screen._list
        assert shown is not None
        boards.append(shown.board)
        monkeypatch.setattr("lumina_fs.viewing.duplicates.decide", beaten(decide))
        monkeypatch.setattr("lumina_fs.viewing.duplicates.withdraw", beaten(withdraw))
        await pilot.press(key)
        await settled(pilot)
        if key == "o":
            assert listed(screen) == ["2019/lake.jpg", "2019/tree.jpg"]
            assert "2 files may go" in text_of(pilot, "#said")
        else:
            assert listed(screen) == ["2019/house.jpg", "2019/lake.jpg", "2019/tree.jpg"]
            assert "Taken back: 1 group" in text_of(pilot, "#said")


@pytest.mark.parametrize("key", ["o", "u", "b"])
async def test_groups_loaded_while_a_decision_is_written_hear_of_it(
    searched_library: Library, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """The catalog changed meanwhile: another list is shown after the decision than the one it was made in."""
    with opened(searched_library.root) as (catalog, index):
        async with app_on(searched_library) as pilot:
            screen = await at_duplicates(pilot)
            if key == "u":
                await pilot.press("o")
                await settled(pilot)
            late = Board(Standings.load(catalog, index))
            list_again = screen._relist

            async def loaded_meanwhile(ask: Any, *some: Any) -> Any:
                answer = await type(screen).read(screen, ask, *some)
                if ask in (questions.write_choices, questions.take_back) or isinstance(
                    getattr(ask, "__self__", None), Deciding
                ):
                    await list_again(late)
                return answer

            monkeypatch.setattr(screen, "read", loaded_meanwhile)
            await pilot.press(key)
            await settled(pilot)
            if key == "b":
                await pilot.press("ctrl+y")
                await settled(pilot)
            assert screen._list is not None
            assert screen._list.board is late
            assert screen._list.keys == [group.found for group in late.groups if group.state == "pending"]
            rest = ["2019/lake.jpg", "2019/tree.jpg"]
            assert listed(screen) == {"o": rest, "u": ["2019/house.jpg", *rest], "b": []}[key]
            said = {"o": "2 files may go", "u": "Taken back", "b": "3 groups decided"}[key]
            assert said in text_of(pilot, "#said")


async def test_groups_loaded_while_others_are_listed_are_shown(
    searched_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(searched_library.root) as (catalog, index):
        async with app_on(searched_library) as pilot:
            screen = await at_duplicates(pilot)
            late = Board(Standings.load(catalog, index))

            def listed_late(board: Board, wanted: Wanted, before: GroupList | None) -> GroupList:
                made = make_list(board, wanted, before)
                screen._list = make_list(late, wanted, before)
                return made

            monkeypatch.setattr("tui.duplicates.group_listing.make_list", listed_late)
            await pilot.press("t")
            await settled(pilot)
            assert screen._list is not None
            assert screen._list.board is late


async def test_undo_takes_back_the_last_decision_and_goes_to_its_group(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("u")
        await settled(pilot)
        assert listed(screen) == ["2019/house.jpg", "2019/lake.jpg", "2019/tree.jpg"]
        assert screen.query_one("#groups", VirtualTable).cursor == 0
        assert set(decisions(searched_library).values()) == {None}


async def test_marked_groups_are_decided_about_together(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("down", "space", "space")
        await settled(pilot)
        assert "2 marked" in text_of(pilot, "#said")
        await pilot.press("a")
        await settled(pilot)
        assert listed(screen) == ["2019/house.jpg"]


async def test_what_is_no_duplicate_is_no_group_any_more_until_it_is_undone(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("down", "n")
        await settled(pilot)
        assert listed(screen) == ["2019/house.jpg", "2019/tree.jpg"]
        assert "2 groups" in text_of(pilot, "#numbers")
        await pilot.press("u")
        await settled(pilot)
        assert "2019/lake.jpg" in listed(screen)


async def test_files_are_compared_and_what_differs_is_marked_by_a_sign(searched_library: Library) -> None:
    async with app_on(searched_library, size=(130, 40)) as pilot:
        await at_duplicates(pilot)
        await pilot.press("enter")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, Compare)
        facts = {fact.name: fact for fact in screen.query_one(FactTable).facts}
        assert facts["pixels"].values == ("640 x 480", "640 x 480", "320 x 240")
        assert facts["pixels"].differ
        assert not facts["format"].differ
        assert facts["evidence"].values[0] == "EXIF:DateTimeOriginal, 95 %"
        assert all(f"of {most}" in facts[f"· {name}"].values[0]
                   for name, most in (("format", 40), ("resolution", 30), ("size", 20), ("metadata", 10)))  # fmt: skip
        lines = [line.plain for line in fact_lines(tuple(facts.values()), 100)]
        assert next(line for line in lines if " pixels" in line).startswith("≠")
        assert next(line for line in lines if " format" in line).startswith(" ")
        shown = [pane for pane in screen.query(Pane) if pane.display]
        assert len({pane.query(".canvas").first().size for pane in shown}) == 1  # half the pixels, the same size


async def test_one_file_of_several_is_chosen_beside_the_list_and_may_go(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("d")  # which of the two others?
        await settled(pilot)
        assert set(decisions(searched_library).values()) == {None}
        await pilot.press("tab", "down", "down", "d")
        await settled(pilot)
        found = decisions(searched_library)
        assert (found["2019/house small.jpg"], found["2019/house (1).jpg"]) == ("remove", None)
        assert listed(screen)[0] == "2019/house.jpg"  # still pending: one is undecided


async def test_flicker_shows_one_file_in_the_place_of_the_other(searched_library: Library) -> None:
    async with app_on(searched_library, size=(130, 40)) as pilot:
        await at_duplicates(pilot)
        await pilot.press("enter", "f")
        await settled(pilot)
        regions = []
        for _ in range(3):
            [pane] = [pane for pane in pilot.app.screen.query(Pane) if pane.display]
            regions.append((pane.query_one(Picture).photo, pane.query(".canvas").first().region))
            await pilot.press("space")
            await settled(pilot)
        assert len({photo.path for photo, _ in regions if photo is not None}) == 3
        assert len({region for _, region in regions}) == 1


async def test_a_person_makes_another_file_the_keeper_where_files_are_compared(searched_library: Library) -> None:
    async with app_on(searched_library, size=(130, 40)) as pilot:
        await at_duplicates(pilot)
        await pilot.press("down", "enter", "right", "o")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Compare)  # the next group by itself
        assert pilot.app.screen.chosen.twin.path == "2019/tree.jpg"
        group = next(one for one in standings(searched_library).groups if "lake" in one.keeper.twin.path)
        assert group.keeper.twin.path == "2020/lake copy.jpg"
        assert [copy.decision for copy in group.others] == ["remove"]
        await pilot.press("d")  # the keeper itself may go
        await settled(pilot)
        group = next(one for one in standings(searched_library).groups if "tree" in one.keeper.twin.path)
        assert group.keeper.twin.path == "2020/tree copy.jpg"
        await pilot.press("u", "escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DuplicatesScreen)


async def test_more_files_than_there_is_room_for_are_paged(library: Library) -> None:
    library.photo("a.jpg", 1, Make="Canon")
    for number in range(6):
        shutil.copy2(library.root / "a.jpg", library.root / f"a ({number}).jpg")
    library.scan()
    searched(library)
    async with app_on(library, size=(160, 40)) as pilot:
        await at_duplicates(pilot)
        await pilot.press("enter")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, Compare)
        names = [fact.values for fact in screen.query_one(FactTable).facts if fact.name == "name"]
        assert names == [("a.jpg", "a (0).jpg", "a (1).jpg", "a (2).jpg")]
        await pilot.press("pagedown")
        await settled(pilot)
        names = [fact.values for fact in screen.query_one(FactTable).facts if fact.name == "name"]
        assert names == [("a.jpg", "a (3).jpg", "a (4).jpg", "a (5).jpg")]


async def test_a_batch_is_shown_first_and_decides_only_when_a_person_agrees(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("b")
        await settled(pilot)
        assert isinstance(pilot.app.screen, GroupBatch)
        said = pilot.app.screen.query_one("#means", Static)
        assert "3 groups: 4 files may go" in str(said.content)
        assert pilot.app.screen.query_one(VirtualTable).total == 4
        pilot.app.screen.query_one("#above", Input).value = "99"
        await settled(pilot)
        assert "2 groups: 2 files may go" in str(said.content)
        await pilot.press("escape")
        await settled(pilot)
        assert set(decisions(searched_library).values()) == {None}
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert listed(screen) == []
        assert "p proposes a plan" in text_of(pilot, "#said")
    assert set(decisions(searched_library).values()) == {"remove"}
    with Catalog.open(str(searched_library.root)) as catalog:
        assert {one.by.endswith("--certain 95") for one in Verdicts.load(catalog).rulings.values()} == {True}


async def test_a_batch_tells_of_as_many_groups_as_it_showed(
    searched_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Deciding.run

    def run(self: Deciding, catalog: Catalog, board: Board) -> Changed:
        real(self, catalog, board)
        return set()  # the list heard of all of them while they were written

    monkeypatch.setattr(Deciding, "run", run)
    async with app_on(searched_library) as pilot:
        await at_duplicates(pilot)
        await pilot.press("b")
        await settled(pilot)
        pilot.app.screen.query_one("#above", Input).value = "99"
        await settled(pilot)
        await pilot.press("ctrl+y")
        await settled(pilot)
        assert "2 groups decided" in text_of(pilot, "#said")


async def test_a_batch_is_written_however_long_its_window_takes_to_be_made(
    searched_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = GroupWriting._pre_process

    async def late(self: GroupWriting) -> bool:
        await asyncio.sleep(0.5)  # a slow machine; by now all is written
        return await make(self)

    monkeypatch.setattr(GroupWriting, "_pre_process", late)
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("b")
        await settled(pilot)
        await pilot.press("ctrl+y")
        await until(pilot, lambda: pilot.app.screen is screen and listed(screen) == [])
        assert "3 groups decided" in text_of(pilot, "#said")


async def test_filters_narrow_the_list_and_are_there_at_the_next_start(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("t")
        await settled(pilot)
        assert listed(screen) == ["2019/house.jpg"]
        assert "Shown: reviewed" in text_of(pilot, "#wanted")
    async with app_on(searched_library) as pilot:
        again = pilot.app.screen
        assert isinstance(again, DuplicatesScreen)
        assert listed(again) == ["2019/house.jpg"]
        await pilot.press("slash")
        await settled(pilot)
        await pilot.click("#all")
        await settled(pilot)
        await pilot.press("S", "s")
        await settled(pilot)
        assert len(listed(again)) == 3


async def test_kinds_are_told_in_words_and_are_filtered_by_as_ever(searched_library: Library) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        assert "same pixels" in text(pilot)
        await pilot.press("slash")
        await settled(pilot)
        pilot.app.screen.query_one("#kind", Select).value = "same_pixels"
        await pilot.click("#show")
        await until(pilot, lambda: listed(screen) == ["2019/lake.jpg", "2019/tree.jpg"])
        assert "kind same pixels" in text_of(pilot, "#wanted")
        await pilot.press("enter")
        await until(pilot, lambda: "· same pixels ·" in text(pilot))
        assert "same_pixels" not in text(pilot)


async def test_decisions_made_elsewhere_are_taken_up_and_the_cursor_stays_with_its_group(
    searched_library: Library,
) -> None:
    async with app_on(searched_library) as pilot:
        screen = await at_duplicates(pilot)
        await pilot.press("down", "down")
        await settled(pilot)
        group = next(one for one in standings(searched_library).groups if "house" in one.keeper.twin.path)
        with Catalog.open(str(searched_library.root)) as catalog:
            decide(catalog, keep_only(group, group.keeper), by="another", now="2026-01-01T00:00:00Z")
        await until(pilot, lambda: len(listed(screen)) == 2)
        table = screen.query_one("#groups", VirtualTable)
        assert listed(screen)[table.cursor] == "2019/tree.jpg"


async def test_related_pictures_are_listed_and_nothing_is_decided_about_them(library: Library) -> None:
    for number, seconds in enumerate(("00", "01")):
        taken = f"2019:07:14 12:00:{seconds}"
        photo = library.photo(f"IMG_000{number}.jpg", 5, Make="Canon", Model="M", DateTimeOriginal=taken)
        with Image.open(photo) as image:  # a frame is not to the pixel what the last one was
            shown, said = image.point(lambda level, more=2 * number: min(255, level + more)), image.getexif()
        shown.save(photo, exif=said, quality=95)
    library.photo("other.jpg", 7)
    library.scan()
    result = searched(library)
    assert result is not None
    assert [relation.kind for relation in result.relations] == ["burst"]
    async with app_on(library) as pilot:
        screen = await at_duplicates(pilot)
        pilot.app.action_go("duplicates", {"kinds": ["burst"], "states": []})  # type: ignore[attr-defined]
        await until(pilot, lambda: len(listed(screen)) == 1)
        await pilot.press("o")
        await settled(pilot)
        assert "nothing to decide" in text_of(pilot, "#said")
    assert not (library.root / ".lumina/verdicts").exists()


async def test_the_groups_that_are_shown_are_exported_and_no_file_is_written_over(
    searched_library: Library, tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    async with app_on(searched_library) as pilot:
        await at_duplicates(pilot)
        for _ in range(2):
            await pilot.press("e")
            await settled(pilot)
            pilot.app.screen.query_one("#answer", Input).value = str(target)
            await pilot.press("enter")
            await settled(pilot)
            before = target.read_text()
        assert before.count("\n") == 8
        assert before.startswith("group,state,role")
        assert any("is there already" in note.message for note in pilot.app._notifications)


async def test_without_an_index_the_screen_says_why(searched_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    async with app_on(searched_library) as pilot:
        await at_duplicates(pilot)
        assert "The groups cannot be shown" in text_of(pilot, "#said")
        assert "files are unaffected" in text_of(pilot, "#said")


async def test_without_a_catalog_no_key_does_anything() -> None:
    async with app_on(None) as pilot:
        await pilot.press("3", "f", "t", "slash", "b", "f5", "o", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DuplicatesScreen)


def test_a_memory_that_makes_no_sense_is_left_out() -> None:
    wanted = from_state(
        {"kinds": ["exact", "nonsense"], "states": 3, "least": "a", "most": 400, "sort": [], "across": 1}
    )
    assert wanted.filter.kinds == ("exact",)
    assert wanted.filter.states == ("pending",)
    assert (wanted.filter.least, wanted.filter.most, wanted.filter.across, wanted.sort) == (0, 100, None, "savings")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_pictures_of_the_screen(steady_library: Library, size: tuple[int, int]) -> None:
    async with app_on(steady_library, size=size) as pilot:
        await at_duplicates(pilot)
        await check(pilot, "duplicates")
        await pilot.press("enter")
        await settled(pilot)
        await check(pilot, "duplicates-compare")
        await pilot.press("space")
        await settled(pilot)
        await check(pilot, "duplicates-flicker")
        await pilot.press("escape", "b")
        await settled(pilot)
        await check(pilot, "duplicates-batch")
        await pilot.press("escape", "slash")
        await settled(pilot)
        await check(pilot, "duplicates-filter")


@pytest.mark.parametrize("reverse", [False, True])
def test_the_list_holds_what_fits_however_late_it_hears_of_it(searched_library: Library, reverse: bool) -> None:
    """One group is no more and another one fits again, both at once, and in whatever order that is heard."""
    with opened(searched_library.root) as (catalog, index):
        board = Board(Standings.load(catalog, index))
        wanted = Wanted(reverse=reverse)
        house, lake, tree = board.listed(Wanted())
        resolved = [choice for key in (house, tree) for choice in questions.choices("keep", group_at(board, key))]
        questions.write_choices(catalog, board, resolved)
        shown = make_list(board, wanted)
        assert shown.keys == [lake]
        late = board.follow(catalog)
        questions.write_choices(catalog, board, questions.choices("strangers", group_at(board, lake)))
        questions.take_back(catalog, board, [questions.contents_of(group_at(board, key)) for key in (house, tree)])
        assert late == set()
        shown.follow({lake, house, tree})
        assert shown.keys == ([tree, house] if reverse else [house, tree])


def group_at(board: Board, key: str) -> Standing:
    group = board.get(key)
    assert group is not None
    return group


def test_a_decision_reads_only_the_documents_it_changed(searched_library: Library) -> None:
    """What `follow` makes of a decision is what a fresh load makes of all."""
    with opened(searched_library.root) as (catalog, index):
        kept = Standings.load(catalog, index)
        for group in list(kept.groups):
            decide(catalog, keep_only(group, group.others[0]), by="a test", now="2026-01-01T00:00:00Z")
            changed = kept.follow(catalog, {copy.twin.sha256 for copy in group.copies})
            assert list(changed) == [group.found]
            assert {one.found: one for one in kept.groups} == {
                one.found: one for one in Standings.load(catalog, index).groups
            }
