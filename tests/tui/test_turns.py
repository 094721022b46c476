"""Keys that arrive all at once go where those before them lead, as if a person had waited after each."""

from __future__ import annotations

import ast
import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tests.tui.pty_terminal import lumina_on_pty
from tui import turns
from tui.app import LuminaApp
from tui.host import Host
from tui.photos.query_bar import QueryInput
from tui.plans.creator import CreatePlan
from tui.screens.photos import PhotosScreen

#: Keys that a text cannot say plainly.
KEYS_BY_NAME = frozenset(("enter", "escape", "left", "right", "space", "alt+3", "ctrl+p", "ctrl+q", "ctrl+s"))


@pytest.fixture
def scanned(library: Library) -> Library:
    """Eleven photos, a day each."""
    for number in range(11):
        library.photo(f"2019/a{number:02}.jpg", number, DateTimeOriginal=f"2019:07:{number + 1:02} 12:00:00")
    library.scan()
    return library


def burst(pilot: Pilot[Any], *typed: str) -> None:
    """All at once, as a slow line or a paste delivers it: texts as a terminal sends them, and keys by their names."""
    for one in typed:
        if one in KEYS_BY_NAME:
            pilot.app.post_message(events.Key(one, None))
        else:
            for event in XTermParser().feed(one):
                pilot.app.post_message(event)


async def never(self: Host, screen: Any, **options: Any) -> Any:
    """In place of a question: it is never ready."""
    await asyncio.sleep(1000)


def photos(pilot: Pilot[Any]) -> PhotosScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, PhotosScreen)
    return screen


def curated(pilot: Pilot[Any]) -> dict[str, dict[str, Any]]:
    """What is to be said of which photo."""
    app: LuminaApp = pilot.app  # type: ignore[assignment]
    assert app.session is not None
    pending = app.session.pending
    return {key[1]: {name: new for name, (_, new) in pending.get(key).fields.items()} for key in pending}  # type: ignore[union-attr]


async def test_a_slash_and_a_word_at_once_are_a_query(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, "/holiday")
        await until(pilot, lambda: photos(pilot).query_one(QueryInput).value == "holiday")
        await settled(pilot)
        assert photos(pilot).query_text == "holiday"
        assert curated(pilot) == {}


@pytest.mark.parametrize("done", ["enter", "escape"])
async def test_what_follows_a_query_is_done_to_its_photos(scanned: Library, done: str) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, "/date:<2019-07-05", done, "right", "right", "p")
        await until(pilot, lambda: curated(pilot))
        await settled(pilot)
        assert photos(pilot).query_text == "date:<2019-07-05"
        assert curated(pilot) == {"2019/a01.jpg": {"pick": "pick"}}


async def test_a_text_that_is_pasted_after_a_slash_lands_in_the_query(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, "/\x1b[200~holiday 2019\x1b[201~!")
        await until(pilot, lambda: photos(pilot).query_one(QueryInput).value == "holiday 2019!")
        assert curated(pilot) == {}


async def test_letters_go_to_the_question_that_the_key_before_them_asks(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, ":5", "enter", "tbeach", "enter", "right", "r3", "right", "psn")
        await until(pilot, lambda: photos(pilot).sort_key == "name")
        await settled(pilot)
        assert curated(pilot) == {
            "2019/a06.jpg": {"tags": ["beach"]},
            "2019/a05.jpg": {"rating": 3},
            "2019/a04.jpg": {"pick": "pick"},
        }


async def test_a_yes_waits_for_its_question_while_it_is_made_ready(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Host.push_screen_wait

    async def late(self: Host, screen: Any, **options: Any) -> Any:
        await asyncio.sleep(0.2)  # as if the catalog had to be read first
        return await wait(self, screen, **options)

    monkeypatch.setattr(Host, "push_screen_wait", late)
    async with app_on(scanned) as pilot:
        burst(pilot, "alt+3", "D", "y", "right", "p")
        await until(pilot, lambda: curated(pilot) == {"2019/a09.jpg": {"pick": "pick"}})


async def test_work_that_takes_its_time_keeps_keys_waiting_once_and_not_for_ever(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_PATIENCE", 0.3)
    monkeypatch.setattr(Host, "push_screen_wait", never)
    async with app_on(scanned) as pilot:
        begun = time.monotonic()
        burst(pilot, "s", "right")
        await until(pilot, lambda: photos(pilot).at == 1)
        assert time.monotonic() - begun >= 0.3
        monkeypatch.setattr(turns, "_PATIENCE", 1000)
        burst(pilot, *["right", "left"] * 20, "right")
        await until(pilot, lambda: photos(pilot).at == 2)


async def test_who_wants_to_leave_does_not_wait_for_all_that_was_typed_before(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_PATIENCE", 1000)
    monkeypatch.setattr(Host, "push_screen_wait", never)
    async with app_on(scanned) as pilot:
        burst(pilot, "s", "right", "r", "right", "t", "right", "ctrl+q")
        await until(pilot, lambda: pilot.app._exit)


@pytest.mark.parametrize("later", range(8))
async def test_a_time_limit_holds_also_when_it_ends_just_as_what_was_waited_for_comes(later: int) -> None:
    arrived = asyncio.Event()

    async def waits() -> None:
        async with asyncio.timeout(None) as limit:
            asyncio.get_running_loop().call_soon(_set_and_end, arrived, limit, later)
            await turns._set_within(arrived, 10)
            await asyncio.sleep(10)

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        await waits()
    assert time.monotonic() - begun < 5


def _set_and_end(arrived: asyncio.Event, limit: asyncio.Timeout, later: int) -> None:
    """Set it now, and end the limit so many rounds of the loop later."""
    arrived.set()
    loop = asyncio.get_running_loop()

    def count(rounds: int) -> None:
        if rounds:
            loop.call_soon(count, rounds - 1)
        else:
            limit.reschedule(loop.time())

    count(later)


async def test_a_key_whose_turn_comes_when_the_app_has_ended_goes_nowhere(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        app = pilot.app
        assert isinstance(app, Host)
    assert not app.screen_stack
    await app.on_event(events.Key("right", None))


async def test_the_program_ends_though_a_message_is_still_on_its_way(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0

    async with app_on(scanned) as pilot:
        app = pilot.app

        def busy(node: Any) -> bool:
            nonlocal looked
            looked += app.return_code is not None
            assert looked < 100, "looked for it again and again, and nothing else could go on meanwhile"
            return True

        monkeypatch.setattr(turns, "_busy", busy)
        burst(pilot, "ctrl+q")
        await until(pilot, lambda: app.return_code is not None)
        await asyncio.sleep(0.2)
    assert app.return_code == 0


async def test_all_else_goes_on_while_a_key_waits_at_what_is_taken_away(
    scanned: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = 0

    def counted(self: turns.Behind) -> None:
        nonlocal posted
        posted += 1
        assert posted < 100, "asked again and again, and nothing else could go on meanwhile"
        super(turns.Behind, self).__init__()
        self.arrived = asyncio.Event()

    async with app_on(scanned) as pilot:
        gone = Input()  # never mounted: Textual takes the focus from what goes only when it has gone
        monkeypatch.setattr(turns, "_PATIENCE", 0.3)
        monkeypatch.setattr(turns, "_busy", lambda node: True)
        monkeypatch.setattr(turns.Turns, "_here", lambda self: gone)
        monkeypatch.setattr(turns.Behind, "__init__", counted)
        burst(pilot, "right")
        await asyncio.sleep(0.2)
        burst(pilot, "right")
        await until(pilot, lambda: photos(pilot).at == 2)


async def test_help_and_its_end_at_once_leave_everything_as_it_was(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, "?", "escape", "right")
        await until(pilot, lambda: photos(pilot).at == 1)
        assert pilot.app.screen is photos(pilot)


async def test_a_command_of_the_palette_is_found_before_it_is_chosen(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        app, look = pilot.app, pilot.app.theme
        burst(pilot, "ctrl+p", "Theme: dark", "enter", "right")
        await until(pilot, lambda: app.theme != look)
        await until(pilot, lambda: photos(pilot).at == 1)
        assert app.screen is photos(pilot)
        assert curated(pilot) == {}
    assert CommandPalette._GATHER_COMMANDS_GROUP in turns._LEADING


async def test_keys_for_another_room_wait_until_it_is_there(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, "4n")
        await until(pilot, lambda: isinstance(pilot.app.screen, CreatePlan))


async def test_many_steps_at_once_are_all_made_and_in_order(scanned: Library) -> None:
    async with app_on(scanned) as pilot:
        burst(pilot, *["right"] * 7, "space", *["left"] * 3, *["right", "left"] * 20, "space", "/", *"a" * 200)
        await until(pilot, lambda: photos(pilot).query_one(QueryInput).value == "a" * 200)
        assert sorted(key[1] for key in photos(pilot).selection) == ["2019/a03.jpg", "2019/a05.jpg"]


#: What a person types next may be meant for what these show.
LEADS = frozenset(("push_screen", "push_screen_wait", "action_go", "go_and", "switch_mode", "show_photos", "focus",
                   "confirm_then", "open_catalog", "leave_catalog", "exit", "suspend"))  # fmt: skip


def test_keys_wait_for_all_work_that_leads_elsewhere() -> None:
    leading = {
        f"{path.name}: {function.name}": group
        for path in Path(turns.__file__).parent.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and (group := _work_group(function)) is not None
        and any(isinstance(one, ast.Attribute) and one.attr in LEADS for one in ast.walk(function))
    }
    assert len(leading) > 30
    assert {name: group for name, group in leading.items() if group not in turns._LEADING} == {}


def _work_group(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """The group that the decorator names; "" for none, None where the function is no work."""
    for one in function.decorator_list:
        call = one.func if isinstance(one, ast.Call) else one
        if isinstance(call, ast.Name) and call.id == "work":
            keywords = one.keywords if isinstance(one, ast.Call) else []
            groups = [word.value for word in keywords if word.arg == "group"]
            return str(groups[0].value) if groups and isinstance(groups[0], ast.Constant) else ""
    return None


def test_a_slash_and_a_word_in_one_piece_from_a_real_terminal(scanned: Library, tmp_path: Path) -> None:
    home = {"LUMINA_HOME": str(tmp_path / "home")}
    with lumina_on_pty("ui", "--catalog", str(scanned.root), "--pictures", "none", environment=home) as terminal:
        terminal.until("1 of 11")
        terminal.press("/holiday")
        terminal.until("no photo fits")
        assert "holiday" in terminal.shown.splitlines()[1]
        assert "not saved" not in terminal.shown
