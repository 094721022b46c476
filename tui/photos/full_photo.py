"""One photo on the whole screen, with all about it; the list below goes along."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.foreign import named
from tui.photos.curating_screen import EDITING, CuratingScreen
from tui.photos.detail_view import DetailView, Facts
from tui.widgets.key_bar import KeyBar
from tui.windows import Window


class FullPhoto(Window[None]):
    """Its keys do what they do in the list, with the photo that is shown."""

    DEFAULT_CSS = """
    FullPhoto #where { height: 1; background: $panel; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Back"),
        Binding("right,pagedown,j", "step(1)", "Next"),
        Binding("left,pageup,k", "step(-1)", "Previous"),
        Binding("space", "mark", "Select", show=False),
        *EDITING,
    ]

    def __init__(self, owner: CuratingScreen) -> None:
        super().__init__()
        self._owner = owner

    def compose(self) -> ComposeResult:
        """Where one is, the photo, the keys."""
        yield Static("", id="where")
        yield DetailView()
        yield KeyBar()

    def on_mount(self) -> None:
        """Facts scroll with the arrows; the photo comes once there is something that shows it."""
        self.query_one(Facts).focus()
        self.on_resize()
        self.call_after_refresh(self._owner.moved)

    def on_resize(self) -> None:
        """Facts beside the picture where there is room."""
        self.view.set_class(self.app.size.width >= 100, "-beside")

    @property
    def view(self) -> DetailView:
        """What shows it."""
        return self.query_one(DetailView)

    def say(self, number: int, total: int, path: str) -> None:
        """Which one it is; the path is encoded."""
        self.query_one("#where", Static).update(Content(f"{number:,} of {total:,}  {named(path)}"))

    def action_close(self) -> None:
        """Back to the list."""
        self.dismiss(None)

    def action_step(self, by: int) -> None:
        """Another photo."""
        self._owner.step(by)

    def action_mark(self) -> None:
        """Select it, or no more."""
        self._owner.turn_current()

    # -- what the list does

    def action_curate(self, *words: str) -> None:
        """Change what is said of it."""
        self._owner.action_curate(*words)

    def action_rate(self) -> None:
        """Stars."""
        self._owner.action_rate()

    def action_label(self) -> None:
        """A colour."""
        self._owner.action_label()

    def action_tags(self) -> None:
        """Tags."""
        self._owner.action_tags()

    def action_caption(self) -> None:
        """A caption."""
        self._owner.action_caption()

    def action_title(self) -> None:
        """A title."""
        self._owner.action_title()

    def action_save(self) -> None:
        """Write all changes."""
        self._owner.action_save()

    def action_discard(self) -> None:
        """Forget changes."""
        self._owner.action_discard()

    def action_edit_sidecar(self) -> None:
        """In the person's editor."""
        self._owner.action_edit_sidecar()

    def action_open_original(self) -> None:
        """In the system's viewer."""
        self._owner.action_open_original()

    def action_copy_path(self) -> None:
        """Into the clipboard."""
        self._owner.action_copy_path()
