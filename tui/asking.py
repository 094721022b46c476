"""Questions in a window of their own: yes or no with what will happen, a line of text, one of a list; and help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tui.active_keys import active_keys
from tui.foreign import foreign
from tui.windows import ModalWindow


class Confirm(ModalWindow[bool]):
    """Says what will happen and asks. Enter alone says no: yes has to be chosen, or typed as `y`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
        Binding("left,right", "other", "Other button", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-8)", "Page up", show=False),
        Binding("pagedown", "scroll(8)", "Page down", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[str], yes: str = "Yes", *, dangerous: bool = False) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._yes = yes
        self._dangerous = dangerous

    def compose(self) -> ComposeResult:
        """A box with text and two buttons."""
        with Vertical(classes="asking"):
            yield Static(foreign(self._title), classes="asking-title")
            with VerticalScroll(classes="asking-text", can_focus=False):
                for line in self._lines:
                    yield Static(foreign(line))
            with Horizontal(classes="asking-buttons"):
                yield Button(f"{self._yes} (y)", variant="error" if self._dangerous else "success", id="yes")
                yield Button("No (n)", id="no")

    def on_mount(self) -> None:
        """No is what Enter says."""
        self.query_one("#no", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Close with an answer."""
        self.dismiss(answer)

    def action_scroll(self, by: int) -> None:
        """Show more of what will happen."""
        self.query_one(".asking-text").scroll_relative(y=by, animate=False)

    def action_other(self) -> None:
        """To the other button."""
        self.focus_next(Button)


class AskText(ModalWindow[str | None]):
    """Asks for a line of text; None where it was given up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, title: str, value: str = "", *, hint: str = "") -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._hint = hint

    def compose(self) -> ComposeResult:
        """A box with a field."""
        with Vertical(classes="asking"):
            yield Static(foreign(self._title), classes="asking-title")
            yield Input(self._value, id="answer")
            yield Static(foreign(self._hint or "Enter takes it, Escape gives up"), classes="hint")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class Choose(ModalWindow[str | None]):
    """Asks for one of a list of (value, what it says); None where it was given up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, title: str, options: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._options = list(options)

    def compose(self) -> ComposeResult:
        """A box with a list."""
        with Vertical(classes="asking"):
            yield Static(foreign(self._title), classes="asking-title")
            yield OptionList(*(Option(foreign(text)) for _, text in self._options))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._options[event.option_index][0])

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


class Keys(ModalWindow[None]):
    """All keys that do something on a screen, made from its bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "close", "Close")]

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """A box with a line a key."""
        with Vertical(classes="asking keys"):
            yield Static("Keys", classes="asking-title")
            with VerticalScroll(classes="asking-text"):
                for keys, what, _ in actions_of(self._about):
                    with Horizontal(classes="key"):
                        yield Static(foreign(keys))
                        yield Static(foreign(what))
            yield Static("Escape closes. Ctrl+P finds every action by name.", classes="hint")

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def actions_of(screen: Screen[object]) -> list[tuple[str, str, str]]:
    """(keys, what they do, action) of all that is active on a screen: its own, then how to move, then the app's."""
    found: dict[tuple[str, str], list[str]] = {}
    for active in sorted(active_keys(screen), key=lambda active: _rank(active, screen)):
        what = active.binding.tooltip or active.binding.description
        if what:
            keys = found.setdefault((what, active.binding.action), [])
            key = screen.app.get_key_display(active.binding)
            if key not in keys:
                keys.append(key)
    return [(" ".join(keys), what, action) for (what, action), keys in found.items()]


#: What every screen has from Textual, besides what it says itself.
_EVERYWHERE = frozenset(binding.action for binding in Screen.BINDINGS if isinstance(binding, Binding))


def _rank(active: ActiveBinding, screen: Screen[object]) -> int:
    if active.node is screen.app or active.binding.action in (*_EVERYWHERE, "reload"):
        return 2
    return 0 if active.node is screen else 1
