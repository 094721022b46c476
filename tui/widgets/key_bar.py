"""What the keys do here, in one line below everything: help and palette are always seen, the rest as far as it fits."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.active_keys import active_keys


class _Piece(NamedTuple):
    """A key as it is shown, what it does, and the key itself."""

    shown: str
    does: str
    key: str

    @property
    def cells(self) -> int:
        """Columns, with the blanks around."""
        return cell_len(self.shown) + cell_len(self.does) + 3


class KeyBar(Widget):
    """A line drawn at once: a widget for each key would be made anew whenever one of them comes or goes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-bar--key"}
    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; background: $panel; color: $foreground; }
    KeyBar > .key-bar--key { color: $accent; text-style: bold; }
    """
    #: Bindings that are seen however narrow it is, by their action.
    ALWAYS: ClassVar[tuple[str, ...]] = ("keys", "command_palette")

    def on_mount(self) -> None:
        """Follow what may be done."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def pieces(self) -> list[_Piece]:
        """What is shown in this width, from left to right."""
        found: dict[str, _Piece] = {}
        for active in active_keys(self.screen):
            binding = active.binding
            if binding.description and (binding.show or binding.action in self.ALWAYS):
                piece = _Piece(self.app.get_key_display(binding), binding.description, binding.key)
                found.setdefault(binding.action, piece)
        fixed = [found.pop(action) for action in self.ALWAYS if action in found]
        left = self.size.width - sum(piece.cells for piece in fixed)
        shown = []
        for piece in found.values():
            left -= piece.cells
            if left < 0:
                break
            shown.append(piece)
        return [*shown, *fixed]

    def render_line(self, y: int) -> Strip:
        """The line."""
        plain, bold = self.rich_style, self.get_component_rich_style("key-bar--key")
        segments = []
        for piece in self.pieces():
            segments += [Segment(f" {piece.shown} ", bold), Segment(f"{piece.does} ", plain)]
        return Strip(segments).adjust_cell_length(self.size.width, plain)

    def on_click(self, event: events.Click) -> None:
        """As the key does."""
        place = event.get_content_offset(self)
        start = 0
        for piece in self.pieces() if place is not None else ():
            start += piece.cells
            if place is not None and place.x < start:
                self.app.simulate_key(piece.key)
                return
