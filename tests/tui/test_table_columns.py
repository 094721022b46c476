"""Where the columns of a table lie, and where words stand that take the place of a picture."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from lumina_fs.viewing.detail import Fact, Section
from tests.tui.driving import text
from tui.photos.detail_view import section_lines
from tui.photos.photo_cell import worded
from tui.widgets.virtual_table import Column, VirtualTable


class OneTable(App[None]):
    """A table of so many rows."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        yield VirtualTable([Column("name", "Name"), Column("end", "End", 4, "right")])

    def on_mount(self) -> None:
        self.query_one(VirtualTable).fill([("n" * 100, "last")] * self._rows)


@pytest.mark.parametrize("rows", [3, 100])
async def test_the_last_column_is_whole_also_beside_a_scroll_bar(rows: int) -> None:
    async with OneTable(rows).run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        lines = text(pilot).splitlines()
        assert " End" in lines[0]
        assert "… last" in lines[1]


def test_words_in_place_of_a_picture_are_broken_between_words() -> None:
    said = "CR3\nRAW data is not decoded, and no preview is inside"
    lines = [worded(said, line, 24, 6).strip() for line in range(6)]
    assert lines == ["", "CR3", "RAW data is not", "decoded, and no", "preview is inside", ""]
    assert {len(worded(said, line, 24, 6)) for line in range(6)} == {24}


@pytest.mark.parametrize(
    ("name", "value", "lines"),
    [
        ("because", "it has high confidence", ["  because       it has high", "                confidence"]),
        (
            "EXIF:DateTimeOriginal", "2019:07:13 12:00:00",
            ["  EXIF:DateTimeOriginal  2019:07:13", "                12:00:00"],
        ),
    ],
)  # fmt: skip
def test_a_value_is_broken_beside_its_name(name: str, value: str, lines: list[str]) -> None:
    section = Section("Dates", (Fact(name, value),))
    assert [line.plain for line in section_lines(section, 19 if name == "because" else 26)] == ["Dates", *lines, ""]


async def test_paths_that_differ_in_an_early_folder_do_not_look_alike() -> None:
    paths = [f"archive/{folder}/2019/07/IMG_0001.JPG" for folder in ("camera", "phone")]

    class Paths(App[None]):
        def compose(self) -> ComposeResult:
            yield VirtualTable([Column("one", "One", 22, "middle"), Column("other", "Other", 22, "middle")])

        def on_mount(self) -> None:
            self.query_one(VirtualTable).fill([(path, "archive/old/2019/07/IMG_0001.JPG") for path in paths])

    async with Paths().run_test(size=(50, 6)) as pilot:
        await pilot.pause()
        rows = [line.strip("› ").split() for line in text(pilot).splitlines()[1:3]]
        old = "…/old/2…7/IMG_0001.JPG"
        assert rows == [["…/camer…7/IMG_0001.JPG", old], ["…/phone…7/IMG_0001.JPG", old]]
