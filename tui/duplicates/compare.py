"""Two to four files of a group at the same scale, side by side or one in place of the other, with what differs."""

from __future__ import annotations

from typing import ClassVar, Protocol

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.errors import LuminaError
from lumina_fs.viewing.duplicates import How, photo_of, sureness
from lumina_fs.viewing.group_facts import describe, facts, fate
from lumina_fs.wording import twin_kind
from tui.duplicates.fact_table import FactTable
from tui.foreign import foreign, named
from tui.host import Host
from tui.widgets.key_bar import KeyBar
from tui.widgets.picture import Picture
from tui.windows import Window

#: Pictures that are shown at once, and the columns that each should have.
_MOST, _LEAST, _COLUMNS = 4, 2, 38


class Decider(Protocol):
    """Who shows groups one after the other, and writes decisions down."""

    def decide(self, how: How, copy: Copy | None = None) -> object:
        """Decide about the group that is shown."""

    def take_back(self) -> object:
        """Take decisions about it back, else the last one that was made."""

    def step(self, by: int) -> object:
        """Show the next or the last group."""


class Pane(Vertical):
    """One file of a group: its name, and its picture."""

    DEFAULT_CSS = """
    Pane { width: 1fr; height: 1fr; padding: 0 1 0 0; }
    Pane > .title { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; color: $foreground 80%; }
    Pane.-chosen > .title { text-style: bold reverse; }
    """

    class Clicked(Message):
        """A person points at this file."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def compose(self) -> ComposeResult:
        """A line, and the picture."""
        yield Static("", classes="title")
        yield Picture()

    def show(self, group: Standing, copy: Copy, *, chosen: bool) -> None:
        """Show a file."""
        self.set_class(chosen, "-chosen")
        name = named(copy.twin.path).rpartition("/")[2]
        self.query_one(".title", Static).update(foreign(f"{'▶' if chosen else ' '} {fate(group, copy)}: {name}"))
        photo = photo_of(copy.twin)
        picture = self.query_one(Picture)
        if picture.photo != photo:
            picture.photo = photo

    def on_click(self) -> None:
        """Choose this one."""
        self.post_message(self.Clicked(self._number))


class Compare(Window[None]):
    """A group, file beside file. It stays open while one group after the other is decided about."""

    CSS = """
    Compare #head { height: 1; padding: 0 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
    Compare #panes { height: 45%; }
    Compare.-flicker #panes { height: 65%; }
    Compare #note { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", "File to the left", show=False),
        Binding("right", "choose(1)", "File to the right", show=False),
        Binding("o", "decide('keep')", "Keep", tooltip="Keep this file, the others may go"),
        Binding("d", "decide('remove')", "Remove", tooltip="This file may go"),
        Binding("a", "decide('all')", "Keep all", tooltip="All stay, and are not asked about again"),
        Binding("n", "decide('strangers')", "No duplicate", tooltip="This file is no duplicate of the others"),
        Binding("u", "undo", "Undo", tooltip="Take the decision back, else the last one that was made"),
        Binding("f", "flicker", "Flicker", tooltip="Side by side, or one in place of the other"),
        Binding("space", "next_file", "Next file", tooltip="The next file in the place of this one"),
        Binding("pagedown", "page(1)", "More files", show=False),
        Binding("pageup", "page(-1)", "Files before", show=False),
        Binding("greater_than_sign,ctrl+right", "step(1)", "Next group", key_display=">"),
        Binding("less_than_sign,ctrl+left", "step(-1)", "Group before", key_display="<", show=False),
        Binding("escape,enter", "close", "Back"),
    ]

    app: Host

    def __init__(self, owner: Decider, group: Standing, place: str) -> None:
        super().__init__()
        self._owner = owner
        self._group = group
        self._place = place
        self._chosen = 0
        self._first = 1
        self._note = ""

    def compose(self) -> ComposeResult:
        """The group in a line, the pictures, the facts."""
        yield Static("", id="head")
        with Horizontal(id="panes"):
            for number in range(_MOST):
                yield Pane(number)
        yield Static("", id="note", classes="hint")
        yield FactTable()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the group."""
        self.query_one(FactTable).focus()
        self._draw()

    def on_resize(self) -> None:
        """There may be room for more pictures."""
        if self.is_mounted:
            self._draw()

    # -- what is shown

    def show(self, group: Standing, place: str, note: str = "") -> None:
        """Show a group as it stands now: another one from its keeper on."""
        if group.found != self._group.found:
            self._chosen, self._first = 0, 1
        self._group, self._place, self._note = group, place, note
        self._draw()

    @property
    def chosen(self) -> Copy:
        """The file that a key is about."""
        return self._page[min(self._chosen, len(self._page) - 1)]

    @property
    def flickers(self) -> bool:
        """True while one file is shown in the place of the other."""
        return self.has_class("-flicker")

    @property
    def _room(self) -> int:
        """Files that are shown at once."""
        return max(_LEAST, min(_MOST, self.size.width // _COLUMNS))

    @property
    def _page(self) -> list[Copy]:
        """The files that are looked at: the keeper always, and some of the others."""
        start = max(1, min(self._first, len(self._group.others))) - 1
        return [self._group.keeper, *self._group.others[start : start + self._room - 1]]

    def _draw(self) -> None:
        if not self.query("#head"):
            return  # it is about to be composed, and drawn then
        page = self._page
        self._chosen = min(self._chosen, len(page) - 1)
        each = self.size.width if self.flickers else self.size.width // len(page)
        for number, pane in enumerate(self.query(Pane)):
            pane.styles.width = each  # to the column, so that pictures are equally large
            pane.display = number < len(page) and (not self.flickers or number == self._chosen)
            if number < len(page):
                pane.show(self._group, page[number], chosen=number == self._chosen)
        group = self._group
        sure = "" if group.state == "related" else f" · {sureness(group.confidence)}, {group.confidence} %"
        files = f"{len(group.copies)} files{self._place}"
        self.query_one("#head", Static).update(
            foreign(f"Group {group.id} · {twin_kind(group.kind)}{sure} · {group.state} · {files}")
        )
        self.query_one("#note", Static).update(foreign(self._note or self._more()))
        self.query_one(FactTable).facts = tuple(facts(group, page, {}))
        self._describe(group, page)

    def _more(self) -> str:
        others, shown = len(self._group.others), self._room - 1
        what = "Space shows the next file in this place. " if self.flickers else ""
        if others <= shown:
            return what
        last = min(others, self._first + shown - 1)
        those = f"{self._first}" if last == self._first else f"{self._first} to {last}"
        return f"{what}The keeper, and {those} of {others} others. PageDown shows more."

    @work(exclusive=True, group="describe")
    async def _describe(self, group: Standing, page: list[Copy]) -> None:
        session = self.app.session
        if session is None:
            return
        try:
            said = await session.ask(describe, page)
        except (LuminaError, OSError):
            return  # what the index adds is missing; the bar says why
        self.query_one(FactTable).facts = tuple(facts(group, page, said))

    # -- what a person does

    @on(Pane.Clicked)
    def _clicked(self, event: Pane.Clicked) -> None:
        self._chosen = event.number
        self._draw()

    def action_choose(self, by: int) -> None:
        """Another file."""
        self._chosen = max(0, min(self._chosen + by, len(self._page) - 1))
        self._draw()

    def action_flicker(self) -> None:
        """Side by side, or one place for all."""
        self.toggle_class("-flicker")
        self._draw()

    def action_next_file(self) -> None:
        """The next file in the place of this one."""
        if not self.flickers:
            self.add_class("-flicker")
        self._chosen = (self._chosen + 1) % len(self._page)
        self._draw()

    def action_page(self, by: int) -> None:
        """Other files beside the keeper."""
        wanted = self._first + by * (self._room - 1)
        if 1 <= wanted <= len(self._group.others):
            self._first = wanted
        elif by < 0:
            self._first = 1
        self._draw()

    def action_decide(self, how: How) -> None:
        """Decide about this group, or this file of it."""
        self._owner.decide(how, self.chosen)

    def action_undo(self) -> None:
        """Take back."""
        self._owner.take_back()

    def action_step(self, by: int) -> None:
        """Another group."""
        self._owner.step(by)

    def action_close(self) -> None:
        """Back to the list."""
        self.dismiss(None)
