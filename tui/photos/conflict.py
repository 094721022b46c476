"""Two versions of what is said of a photo, side by side, and one key for each way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from lumina_fs.curating.direct import Clash
from lumina_fs.viewing.detail import curated_text
from tui.foreign import foreign, named
from tui.windows import ModalWindow


class Conflict(ModalWindow[str | None]):
    """Asks which version stays: "mine", "theirs", "merged"; with "all " before it for the rest too; None: later."""

    DEFAULT_CSS = """
    Conflict .asking { width: 110; }
    Conflict .side { width: 1fr; height: auto; padding: 0 1; }
    Conflict .sides { height: auto; max-height: 20; }
    Conflict .row { height: auto; }
    Conflict .field { width: 12; text-style: bold; }
    Conflict .asking-buttons Button { min-width: 14; width: auto; margin-left: 1; }
    Conflict .clash { color: $warning; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "take('mine')", "Mine"),
        Binding("t", "take('theirs')", "Theirs"),
        Binding("g", "take('merged')", "Merged"),
        Binding("M", "take('all mine')", "Mine, for all", show=False),
        Binding("T", "take('all theirs')", "Theirs, for all", show=False),
        Binding("G", "take('all merged')", "Merged, for all", show=False),
        Binding("escape", "take('')", "Decide later"),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]

    def __init__(self, path: str, clash: Clash, others: int) -> None:
        super().__init__()
        self._path = path
        self._clash = clash
        self._others = others

    def compose(self) -> ComposeResult:
        """A table of three columns, and buttons."""
        clash = self._clash
        with Vertical(classes="asking"):
            yield Static(foreign(f"{named(self._path)} was changed by somebody else meanwhile"), classes="asking-title")
            with VerticalScroll(classes="sides", can_focus=False):
                yield _row("", ["mine", "theirs (on disk)", "merged"], "asking-title")
                for name in _names(clash):
                    look = "clash" if name in clash.fields else ""
                    sides = [_said(side, name) for side in (clash.wished, clash.live.curation, clash.merged)]
                    yield _row(f"{'! ' if look else '  '}{name}", sides, look)
            rest = f" With Shift: for the other {self._others} too." if self._others else ""
            yield Static(f"! marks what both changed; there merged has mine.{rest}", classes="hint")
            with Horizontal(classes="asking-buttons"):
                yield Button("Mine (m)", id="mine")
                yield Button("Theirs (t)", id="theirs")
                yield Button("Merged (g)", id="merged", variant="success")
                yield Button("Later (Esc)", id="later")

    def on_mount(self) -> None:
        """Later is what Enter says."""
        self.query_one("#later", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(None if event.button.id == "later" else event.button.id)

    def action_take(self, which: str) -> None:
        """Close with an answer."""
        self.dismiss(which or None)


def _names(clash: Clash) -> list[str]:
    return list(dict.fromkeys((*clash.fields, *clash.wished, *clash.live.curation)))


def _said(side: Mapping[str, Any], name: str) -> str:
    return curated_text(name, side.get(name))


def _row(field: str, texts: Sequence[str], look: str) -> Horizontal:
    sides = [Static(foreign(text), classes=f"side {look}") for text in texts]
    return Horizontal(Static(foreign(field), classes=f"field {look}"), *sides, classes="row")
