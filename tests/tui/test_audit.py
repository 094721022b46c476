"""The screen of the audit and of the problems."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, TabbedContent

from lumina_fs.audit import AUDIT, record
from lumina_fs.catalog import Catalog
from lumina_fs.editor import editor_words
from tests.conftest import Library
from tests.tui.driving import app_on, judged, settled, until
from tests.tui.snapshots import check
from tui.app import LuminaApp
from tui.asking import Choose
from tui.screens.audit import AuditScreen
from tui.screens.photos import PhotosScreen
from tui.widgets.virtual_table import VirtualTable


def told(number: int, **more: Any) -> dict[str, Any]:
    what = ("moved", "trashed", "edited")[number % 3]
    return {"when": f"2026-{1 + number % 3:02}-0{1 + number % 9}T10:00:00Z", "what": what, "source": "main",
            "path": f"in/{number}.jpg", "size": 1000 * number, "sha256": "ab" * 32, "plan": "0199", "action": number,
            "by": "me", **({"to": {"source": "main", "path": f"2026/{number}.jpg"}} if what == "moved" else {}),
            **more}  # fmt: skip


@pytest.fixture
def scanned(library: Library) -> Library:
    library.photo("2019/a.jpg", 1)
    library.photo("2019/b.jpg", 2)
    (library.root / "broken.jpg").write_bytes(b"nothing")
    library.scan()
    return library


@pytest.fixture
def audited(scanned: Library) -> Library:
    with Catalog.open(str(scanned.root)) as catalog:
        record(catalog, [told(number) for number in range(9)])
    return scanned


async def on_audit(pilot: Pilot[Any]) -> AuditScreen:
    await pilot.press("7")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, AuditScreen)
    return screen


def cells(pilot: Pilot[Any], which: str, number: int = 0) -> list[str]:
    found = pilot.app.screen.query_one(which, VirtualTable).row(number)
    assert found is not None
    return [cell if isinstance(cell, str) else cell.text for cell in found]


def total(pilot: Pilot[Any], which: str) -> int:
    return pilot.app.screen.query_one(which, VirtualTable).total


async def test_the_newest_lines_come_first_and_are_filtered(audited: Library) -> None:
    async with app_on(audited, size=(140, 32)) as pilot:
        screen = await on_audit(pilot)
        assert total(pilot, "#lines") == 9
        assert cells(pilot, "#lines")[1:3] == ["edited", "in/8.jpg"]
        screen.query_one("#type", Select).value = "moved"
        await settled(pilot)
        assert total(pilot, "#lines") == 3
        assert cells(pilot, "#lines")[1:4] == ["moved", "in/6.jpg", "2026/6.jpg"]
        screen.query_one("#about", Input).value = "/3.jpg"
        await settled(pilot)
        assert total(pilot, "#lines") == 1
        screen.query_one("#type", Select).value = "all"
        screen.query_one("#about", Input).value = ""
        screen.query_one("#since", Input).value = "2026-03"
        await settled(pilot)
        assert total(pilot, "#lines") == 3
        screen.query_one("#until", Input).value = "yesterday"
        await settled(pilot)
        assert "is no date" in str(screen.query_one("#count").render())


@pytest.mark.parametrize("size", [(140, 32), (80, 24)])
async def test_lines_that_a_person_edited_are_shown_as_far_as_they_make_sense(
    scanned: Library, size: tuple[int, int], tmp_path: Path
) -> None:
    edited = [
        told(0, to="x"), told(3, to={"path": ["y"], "source": 1}), told(2, fields=[1]), told(5, fields="x"),
        told(6, plan={}, action=[]), told(9, what=["moved"], path=7), told(12, when="0001-01-01T00:00:00+10:00"),
        told(15, when=["2026"], source=[], sha256={}, by=[1], size=True),
    ]  # fmt: skip
    folder = scanned.root / AUDIT
    folder.mkdir()
    (folder / "2026-01.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*edited, "x", [1], told(18)]))
    async with app_on(scanned, size=size) as pilot:
        screen = await on_audit(pilot)
        assert total(pilot, "#lines") == len(edited) + 1
        screen.query_one("#lines").focus()
        for number in range(total(pilot, "#lines")):
            assert cells(pilot, "#lines", number)
            await pilot.press("down")
            await settled(pilot)
        screen.query_one("#about", Input).value = "in/0.jpg"
        await settled(pilot)
        assert cells(pilot, "#lines")[2] == "in/0.jpg"
        screen.query_one("#lines").focus()
        await pilot.press("x")
        dialog = await judged(pilot)
        dialog.query_one("#field-file", Input).value = str(tmp_path / "out.csv")
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: (tmp_path / "out.csv").exists())
        await settled(pilot)
        screen.query_one("#lines").focus()
        await pilot.press("enter")
        await settled(pilot)
        place = pilot.app.place()  # type: ignore[attr-defined]
        assert place["rooms"]["photos"]["cursor"] == ["main", "in/0.jpg"]


async def test_a_new_line_appears_by_itself(audited: Library) -> None:
    async with app_on(audited, size=(140, 32)) as pilot:
        await on_audit(pilot)
        with Catalog.open(str(audited.root)) as catalog:
            record(catalog, [told(8, action=99, path="new.jpg", when="2026-12-01T00:00:00Z")])
        await until(pilot, lambda: total(pilot, "#lines") == 10)
        await settled(pilot)
        assert cells(pilot, "#lines")[2] == "new.jpg"


def cursor_on(pilot: Pilot[Any]) -> str:
    """The photo under the cursor in the room of photos."""
    screen = pilot.app.screen
    assert isinstance(screen, PhotosScreen)
    here = screen.current()
    assert here is not None
    return here.hit.path


async def test_enter_goes_to_where_the_photo_is_now(audited: Library) -> None:
    async with app_on(audited) as pilot:
        screen = await on_audit(pilot)
        screen.query_one("#type", Select).value = "trashed"
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert pilot.app.screen is screen  # it is in the trash
        screen.query_one("#type", Select).value = "moved"
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        place = pilot.app.place()  # type: ignore[attr-defined]
        assert place["rooms"]["photos"]["cursor"] == ["main", "2026/6.jpg"]


async def test_what_is_filtered_is_exported_to_a_new_file_only(audited: Library, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine")
    async with app_on(audited) as pilot:
        screen = await on_audit(pilot)
        screen.query_one("#type", Select).value = "moved"
        await settled(pilot)
        await pilot.press("x")
        dialog = await judged(pilot)
        dialog.query_one("#field-file", Input).value = str(target)
        await judged(pilot)
        assert dialog.query_one("#accept", Button).disabled
        other = tmp_path / "other.csv"
        dialog.query_one("#field-file", Input).value = str(other)
        await judged(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, other.exists)
        await settled(pilot)
    assert target.read_text() == "mine"
    assert len(other.read_text().splitlines()) == 4


async def test_a_million_lines_do_not_hold_anything_up(scanned: Library) -> None:
    folder = scanned.root / AUDIT
    folder.mkdir()
    some = b"\n".join(json.dumps(told(3 * number, when="2026-01-01T00:00:00Z")).encode() for number in range(10_000))
    with open(folder / "2026-01.jsonl", "wb") as file:
        for _ in range(100):
            file.write(some + b"\n")
    async with app_on(scanned) as pilot:
        screen = await on_audit(pilot)
        table = screen.query_one("#lines", VirtualTable)
        first = table.total
        assert 1000 <= first < 5000
        await pilot.press("end")
        await until(pilot, lambda: table.total > first)
        await settled(pilot)
        assert table.cursor == first - 1
        assert "End reads on" in str(screen.query_one("#count").render())


async def test_problems_are_counted_by_kind_filtered_and_sorted(scanned: Library) -> None:
    (scanned.root / "empty.jpg").write_bytes(b"")
    scanned.sidecar("2019/a.jpg").write_text('{\n  "kind": "sidecar",\n  oops\n}')
    scanned.scan()
    async with app_on(scanned, size=(140, 32)) as pilot:
        screen = await on_audit(pilot)
        await pilot.press("p")
        await settled(pilot)
        assert total(pilot, "#problem-rows") == 3
        kinds = screen.query_one("#kind", Select)
        assert {str(value) for _, value in kinds._options} == {"all", "corrupt_sidecar", "undecodable", "empty"}
        kinds.value = "corrupt_sidecar"
        await settled(pilot)
        assert total(pilot, "#problem-rows") == 1
        assert cells(pilot, "#problem-rows")[1] == "2019/a.jpg"
        assert cells(pilot, "#problem-rows")[3] == "3:3"
        kinds.value = "all"
        screen.query_one("#text", Input).value = "EMPTY"
        await settled(pilot)
        assert cells(pilot, "#problem-rows")[1] == "empty.jpg"
        screen.query_one("#text", Input).value = ""
        await settled(pilot)
        screen.query_one("#problem-rows").focus()
        await pilot.press("o")
        await settled(pilot)
        assert cells(pilot, "#problem-rows")[0] == "corrupt sidecar"
        await pilot.press("enter")
        await settled(pilot)
        assert cursor_on(pilot) == "2019/a.jpg"
    async with app_on(scanned) as pilot:
        await on_audit(pilot)
        assert pilot.app.screen.query_one(TabbedContent).active == "problems"


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An editor named vim that notes its words, and puts in place what `mended` holds."""
    script = tmp_path / "bin/vim"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/words\ncp {tmp_path}/mended "$2"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", str(script))
    monkeypatch.setattr(LuminaApp, "suspend", lambda self: contextlib.nullcontext())
    return tmp_path


async def test_a_broken_sidecar_is_mended_in_the_editor_at_its_line(scanned: Library, editor: Path) -> None:
    sidecar = scanned.sidecar("2019/a.jpg")
    whole = sidecar.read_bytes()
    sidecar.write_bytes(whole.replace(b'"curation": {}', b'"curation": {oops}'))
    line = whole[: whole.index(b'"curation"')].count(b"\n") + 1
    scanned.scan()
    (editor / "mended").write_bytes(b'{"kind": oops}')
    async with app_on(scanned) as pilot:
        screen = await on_audit(pilot)
        await pilot.press("p")
        screen.query_one("#kind", Select).value = "corrupt_sidecar"
        await settled(pilot)
        await pilot.press("escape", "e")
        await until(pilot, lambda: isinstance(pilot.app.screen, Choose))
        words = (editor / "words").read_text().splitlines()
        assert words[0].startswith(f"+call cursor({line},")
        assert words[1] == str(sidecar)
        (editor / "mended").write_bytes(whole.replace(b'"curation": {}', b'"curation": {"rating": 4}'))
        await pilot.press("enter")  # edit it again
        await until(pilot, lambda: total(pilot, "#problem-rows") == 0)
        await settled(pilot)
        again = (editor / "words").read_text().splitlines()
        assert again[2].startswith("+call cursor(1,10")
    assert scanned.value("2019/a.jpg")["curation"] == {"rating": 4}
    assert scanned.search("rating:4") == ["2019/a.jpg"]


def test_editors_are_told_the_line_in_their_own_way() -> None:
    def words(command: str) -> list[str]:
        return editor_words(command.split(), "/p/a {line}.json", 3, 7)

    assert words("vi") == ["vi", "+3", "/p/a {line}.json"]
    assert words("/usr/bin/nano -w") == ["/usr/bin/nano", "-w", "+3,7", "/p/a {line}.json"]
    assert words("emacs -nw") == ["emacs", "-nw", "+3:7", "/p/a {line}.json"]
    assert words("code") == ["code", "--wait", "--goto", "/p/a {line}.json:3:7"]
    assert words("code -w") == ["code", "-w", "--goto", "/p/a {line}.json:3:7"]
    assert words("my-editor") == ["my-editor", "/p/a {line}.json"]
    assert editor_words(["nvim"], "/a", None, None) == ["nvim", "/a"]


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_it_looks_as_it_should(steady_library: Library, size: tuple[int, int]) -> None:
    library = steady_library
    library.photo("2019/a.jpg", 1)
    (library.root / "broken.jpg").write_bytes(b"nothing")
    library.scan()
    library.sidecar("2019/a.jpg").write_text('{\n  "kind": "sidecar",\n  oops\n}')
    library.scan()
    with Catalog.open(str(library.root)) as catalog:
        record(catalog, [told(number) for number in range(9)])
    async with app_on(library, size=size) as pilot:
        await on_audit(pilot)
        await check(pilot, "audit")
        await pilot.press("p")
        await settled(pilot)
        await check(pilot, "audit-problems")
    assert os.path.exists(library.root / "2019/a.jpg")
