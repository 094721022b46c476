"""A question that one key answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.foreign import foreign
from tui.windows import ModalWindow


class OneKey(ModalWindow[str | None]):
    """Asks for one of (key, answer, what it says); None where it was given up. Arrows and the mouse do as well."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel")]

    def __init__(self, title: str, answers: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._title = title
        self._answers = answers

    def compose(self) -> ComposeResult:
        """A box with a line an answer."""
        with Vertical(classes="asking"):
            yield Static(foreign(self._title), classes="asking-title")
            yield OptionList(*(Option(foreign(f"{key}   {text}")) for key, _, text in self._answers))

    def on_key(self, event: events.Key) -> None:
        """The key of an answer."""
        for key, answer, _ in self._answers:
            if key in (event.character, event.key):
                event.stop()
                self.dismiss(answer)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._answers[event.option_index][1])

    def action_give_up(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
