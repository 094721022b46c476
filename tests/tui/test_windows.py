"""Windows are answered once, and what goes on in them ends with the answer."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from textual.containers import Vertical
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Button

from lumina_fs.viewing.access import Photo
from lumina_fs.viewing.new_catalog import Opinion
from lumina_fs.viewing.thumbnail_desk import ThumbnailDesk
from tests.conftest import Library
from tests.tui.driving import app_on, settled, until
from tui.app import LuminaApp
from tui.asking import Confirm
from tui.forms import Field, Form
from tui.widgets.picture import Picture


def photo_under_cursor(pilot: Pilot[Any]) -> Photo:
    here = pilot.app.screen.current()  # type: ignore[attr-defined]
    assert here is not None
    found: Photo = here.hit
    return found


@pytest.mark.parametrize("button", ["#yes", "#no"])
async def test_two_clicks_on_a_button_are_one_answer(button: str) -> None:
    answers: list[bool | None] = []
    async with app_on(None) as pilot:
        below = Confirm("The one below?", ["stays"])
        pilot.app.push_screen(below)
        pilot.app.push_screen(Confirm("Sure?", ["it happens"]), answers.append)
        await pilot.pause(0.2)
        for _ in range(2):
            pilot.app.screen.query_one(button, Button).press()
        await settled(pilot)
        assert answers == [button == "#yes"]
        assert pilot.app.screen is below


async def test_a_form_is_accepted_once_however_often_that_is_said() -> None:
    answers: list[Any] = []
    async with app_on(None) as pilot:
        here = pilot.app.screen
        pilot.app.push_screen(Form("A form", [Field("name", "Name", value="x")], "Take it"), answers.append)
        await settled(pilot)
        for _ in range(3):
            pilot.app.screen.query_one("#accept", Button).press()
        await settled(pilot)
        assert answers == [{"name": "x"}]
        assert pilot.app.screen is here


async def test_an_answer_that_comes_while_a_window_goes_is_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, asked = threading.Event(), threading.Event()

    def judge(values: dict[str, Any]) -> Opinion:
        asked.set()
        go_on.wait(30)
        return Opinion()

    close = MessagePump._close_messages

    async def late(self: MessagePump, wait: bool = True) -> None:
        if isinstance(self, Form):  # its widgets are gone by now
            go_on.set()
            await asyncio.sleep(0.3)
        await close(self, wait)

    monkeypatch.setattr(MessagePump, "_close_messages", late)
    async with app_on(None) as pilot:
        here = pilot.app.screen
        form = Form("A form", [Field("name", "Name")], "Take it", judge=judge)
        pilot.app.push_screen(form)
        await until(pilot, asked.is_set)
        await pilot.press("escape")
        await until(pilot, go_on.is_set)
        form._think()  # a letter that was typed before
        await settled(pilot)
        assert pilot.app.screen is here


async def test_a_picture_comes_also_where_another_one_of_it_was_given_up(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.photo("a.jpg", 1, size=(300, 200))
    library.scan()
    go_on, make = threading.Event(), ThumbnailDesk._next
    monkeypatch.setattr(ThumbnailDesk, "_next", lambda self: (go_on.wait(30), make(self))[1])
    async with app_on(library) as pilot:
        app: LuminaApp = pilot.app  # type: ignore[assignment]
        await pilot.press("2")
        await until(pilot, lambda: pilot.app.screen.current() is not None)  # type: ignore[attr-defined]
        photo = photo_under_cursor(pilot)
        screen: Screen[Any] = Screen()
        await app.push_screen(screen)
        given_up, wanted = Picture(), Picture()
        await screen.mount(Vertical(given_up, wanted))
        given_up.photo = wanted.photo = photo
        await pilot.pause(0.3)
        await given_up.remove()
        await pilot.pause(0.1)
        go_on.set()
        await until(pilot, lambda: wanted.query_one(".canvas").display)
        await app.pop_screen()
