"""A line of words to choose one from, by click; the chosen one stands in brackets, not in colour alone."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from lumina_fs.terminal import visible


class Chips(Widget):
    """(key, text) each; the owner hears `Picked`. Keys of the keyboard are the owner's."""

    DEFAULT_CSS = """
    Chips { height: 1; width: 1fr; color: $foreground 80%; padding: 0 1; }
    """

    class Picked(Message):
        """A word was clicked."""

        def __init__(self, chips: Chips, key: str) -> None:
            super().__init__()
            self.chips = chips
            self.key = key

        @property
        def control(self) -> Chips:
            """The line."""
            return self.chips

    def __init__(self, items: Sequence[tuple[str, str]] = (), active: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.items = list(items)
        self.active = active

    def show(self, items: Sequence[tuple[str, str]], active: str) -> None:
        """Show these words."""
        self.items, self.active = list(items), active
        self.refresh()

    def after(self, by: int = 1) -> str:
        """The key that follows the active one, the first after the last."""
        keys = [key for key, _ in self.items]
        at = keys.index(self.active) if self.active in keys else -1
        return keys[(at + by) % len(keys)] if keys else ""

    def _shown(self) -> list[tuple[str, str]]:
        return [(key, f"[{visible(text)}]" if key == self.active else f" {visible(text)} ") for key, text in self.items]

    def render(self) -> Content:
        """One line."""
        parts = [Content.styled(text, "bold" if key == self.active else "") for key, text in self._shown()]
        return Content("").join(parts)

    def on_click(self, event: events.Click) -> None:
        """Tell which one."""
        place = event.get_content_offset(self)
        at = 0
        for key, text in self._shown():
            if place is not None and at <= place.x < at + Content(text).cell_length:
                self.post_message(self.Picked(self, key))
            at += Content(text).cell_length
