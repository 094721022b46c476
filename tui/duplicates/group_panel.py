"""All about one group of duplicates beside the list: the picture, and its files to choose from."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.reactive import reactive
from textual.widgets import Static

from lumina_fs.duplicates.standing import Copy, Standing
from lumina_fs.viewing.duplicates import photo_of, sureness
from lumina_fs.viewing.group_facts import fate
from lumina_fs.wording import size, twin_kind
from tui.foreign import foreign
from tui.widgets.picture import Picture
from tui.widgets.virtual_table import Cell, Column, Row, VirtualTable

_COLUMNS = (
    Column("fate", "", 9),
    Column("name", "File", 0, "middle"),
    Column("pixels", "Pixels", 9, "right"),
    Column("size", "Size", 8, "right"),
)
_LOOKS = {"keeper": "good", "may go": "bad", "undecided": "", "stays": "good"}


class GroupPanel(Container):
    """The keeper's picture, or that of the file under the cursor of its table."""

    DEFAULT_CSS = """
    GroupPanel { layout: horizontal; background: $surface; }
    GroupPanel Picture { width: 30%; height: 1fr; }
    GroupPanel #files-side { width: 1fr; height: 1fr; }
    GroupPanel #about { height: auto; max-height: 2; color: $foreground 80%; padding: 0 1; }
    """

    group: reactive[Standing | None] = reactive(None, layout=False)

    def compose(self) -> ComposeResult:
        """The picture, a line about it, the files."""
        yield Picture()
        with Vertical(id="files-side"):
            yield Static("", id="about")
            yield VirtualTable(_COLUMNS, id="files")

    @property
    def chosen(self) -> Copy | None:
        """The file under the cursor, while a person is here to choose one; None while they are in the list."""
        table = self.query_one(VirtualTable)
        if self.group is None or not table.has_focus or table.cursor >= len(self.group.copies):
            return None
        return self.group.copies[table.cursor]

    def watch_group(self, before: Standing | None, group: Standing | None) -> None:
        """Show another group, or how the same one stands now."""
        table = self.query_one(VirtualTable)
        same = before is not None and group is not None and before.found == group.found
        at = table.cursor if same else 0
        with self.prevent(VirtualTable.Moved):
            table.fill([_row(group, copy) for copy in group.copies] if group is not None else [], cursor=at)
        self.query_one("#about", Static).update(foreign(_about(group) if group is not None else ""))
        self._picture()

    def _picture(self) -> None:
        table, picture = self.query_one(VirtualTable), self.query_one(Picture)
        copies = self.group.copies if self.group is not None else ()
        picture.photo = photo_of(copies[table.cursor].twin) if table.cursor < len(copies) else None

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        if not isinstance(event, VirtualTable.Chosen):
            event.stop()
            self._picture()

    @on(VirtualTable.Marked)
    def _marked(self, event: VirtualTable.Marked) -> None:
        """Files are decided about one by one; marks are for groups."""
        event.stop()
        event.view.marks.clear()


def _about(group: Standing) -> str:
    sure = sureness(group.confidence)
    other = min(group.others, key=lambda copy: copy.confidence)
    return f"{group.id} · {twin_kind(group.kind)} · {sure} {group.confidence} · {'; '.join(other.reasons)}"


def _row(group: Standing, copy: Copy) -> Row:
    twin = copy.twin
    word = fate(group, copy)
    pixels = f"{twin.width}x{twin.height}" if twin.width else ""
    path = f"{twin.source}:{twin.path}" if len(group.sources) > 1 else twin.path
    return Cell(word, _LOOKS.get(word, "dim")), path, pixels, size(twin.size)
