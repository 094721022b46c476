"""A grid of thumbnails of any length, drawn line by line: no widget per photo, and no work for what is out of sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from textual import events
from textual.binding import Binding, BindingType
from textual.filter import ANSIToTruecolor
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from tui.host import Host
from tui.photos.grid_line import DrawnCell, Looks, grid_line
from tui.photos.grid_pictures import GridPictures
from tui.photos.photo_cell import FORMS, Form, GridCell
from tui.widgets.paged_view import PagedView

#: Lines that are kept as they were drawn.
_KEPT_LINES = 500


class PhotoGrid(PagedView[GridCell | None]):
    """Photos side by side: what is a row to its base is a photo here."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--cursor", "grid--marked", "grid--dim"}
    DEFAULT_CSS = """
    PhotoGrid { height: 1fr; background: $surface; overflow-x: hidden; scrollbar-gutter: stable; }
    PhotoGrid > .grid--cursor { background: $primary 40%; text-style: bold; }
    PhotoGrid:focus > .grid--cursor { background: $primary; color: $background; text-style: bold; }
    PhotoGrid > .grid--marked { color: $accent; text-style: bold; }
    PhotoGrid > .grid--dim { color: $foreground 60%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Left", show=False),
        Binding("right", "move(1)", "Right", show=False),
        Binding("up,k", "move_lines(-1)", "Up", show=False),
        Binding("down,j", "move_lines(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G", "jump(-1)", "Last", show=False),
        Binding("shift+left", "stretch(-1)", "Select to the left", show=False),
        Binding("shift+right", "stretch(1)", "Select to the right", show=False),
        Binding("shift+up", "stretch_lines(-1)", "Select upwards", show=False),
        Binding("shift+down", "stretch_lines(1)", "Select downwards", show=False),
        Binding("enter", "select", "Open", show=False),
        Binding("space", "mark", "Select", show=False),
        Binding("plus,equals_sign", "zoom(1)", "Larger", show=False),
        Binding("minus", "zoom(-1)", "Smaller", show=False),
    ]

    app: Host
    #: Which of `FORMS` photos have.
    zoom: reactive[int] = reactive(1, repaint=False)

    class Marked(Message):
        """A person chose photos from `first` up to `last`: to turn their marks (one photo), or to set them."""

        def __init__(self, grid: PhotoGrid, first: int, last: int, *, turn: bool) -> None:
            super().__init__()
            self.grid = grid
            self.first = first
            self.last = last
            self.turn = turn

        @property
        def control(self) -> PhotoGrid:
            """The grid."""
            return self.grid

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.pictures = GridPictures(self, self.refresh_row, self._anew, self._want_soon)
        self._will_want = False
        #: Lines as they were drawn last, by their number from the top of all: who scrolls sees most of them again.
        self._lines: dict[int, Strip] = {}

    def on_mount(self) -> None:
        """Another theme has another colour around the pictures."""
        self.watch(self.app, "theme", self._want_soon, init=False)
        self.pictures.follow()

    def on_unmount(self) -> None:
        """Give up what was wished for."""
        self.pictures.close()

    # -- the owner's side

    @property
    def form(self) -> Form:
        """How large a photo is: as wide as the whole width, shared among those in a row, allows."""
        wanted = FORMS[max(0, min(self.zoom, len(FORMS) - 1))]
        return wanted._replace(columns=max(8, self._wide // self.across))

    @property
    def across(self) -> int:
        """Photos in a row."""
        return max(1, self._wide // FORMS[max(0, min(self.zoom, len(FORMS) - 1))].columns)

    @property
    def _wide(self) -> int:
        """Columns beside the scroll bar."""
        return self.scrollable_content_region.width

    def put(self, start: int, rows: Sequence[GridCell | None]) -> None:
        """Photos from `start` on, as asked for; their thumbnails are wished for."""
        super().put(start, rows)
        self._want_soon()

    # -- what a person does

    def action_move_lines(self, by: int) -> None:
        """To the photo above or below."""
        target = self.cursor + by * self.across
        if target >= self.total and target // self.across == (self.total - 1) // self.across:
            target = self.total - 1
        if 0 <= target < self.total:
            self.go(target)

    def action_page(self, by: int) -> None:
        """By a screen."""
        rows = max(1, self.size.height // self.form.lines)
        self.go(self.cursor + by * rows * self.across)

    def action_stretch(self, by: int) -> None:
        """Select from here to a neighbour."""
        self._stretch(self.cursor + by)

    def action_stretch_lines(self, by: int) -> None:
        """Select from here to the photo above or below."""
        self._stretch(self.cursor + by * self.across)

    def _stretch(self, target: int) -> None:
        start, target = self.cursor, max(0, min(target, self.total - 1))
        if self.total:
            self.post_message(self.Marked(self, min(start, target), max(start, target), turn=False))
            self.go(target)

    def action_mark(self) -> None:
        """Select the photo under the cursor, or no more; on to the next."""
        if self.total:
            self.post_message(self.Marked(self, self.cursor, self.cursor, turn=True))
            self.go(self.cursor + 1)

    def action_zoom(self, by: int) -> None:
        """Larger or smaller pictures."""
        self.zoom = max(0, min(self.zoom + by, len(FORMS) - 1))

    def watch_zoom(self) -> None:
        """Other lines."""
        if self.is_mounted:
            self.lay_out()
            self.show_cursor()
            self.refresh()
            self.need()

    def show_cursor(self) -> None:
        """Scroll to where all of the photo is seen."""
        top, lines = round(self.scroll_offset.y), self.form.lines
        line = self.cursor // self.across * lines
        if line < top:
            self.scroll_to(y=line, animate=False)
        elif line + lines > top + self.size.height:
            self.scroll_to(y=max(0, min(line, line + lines - self.size.height)), animate=False)

    def at(self, x: int, y: int) -> int | None:
        """The number of the photo at a place of the widget."""
        column = x // self.form.columns
        if column >= self.across:
            return None
        number = (round(self.scroll_offset.y) + y) // self.form.lines * self.across + column
        return number if number < self.total else None

    def on_click(self, event: events.Click) -> None:
        """Takes the cursor; with ctrl it selects, with shift up to here; a second click opens."""
        place = event.get_content_offset(self)
        number = self.at(place.x, place.y) if place is not None else None
        if number is None:
            return
        if event.shift:
            self._stretch(number)
        elif event.ctrl:
            self.cursor = number
            self.post_message(self.Marked(self, number, number, turn=True))
        elif number == self.cursor and event.chain > 1:
            self.action_select()
        self.cursor = number

    # -- what is in sight

    def lay_out(self) -> None:
        """As many lines as all photos take."""
        rows = -(-self.total // self.across)
        self.virtual_size = Size(self.size.width, rows * self.form.lines)

    def on_resize(self) -> None:
        """Other photos may be in sight, and others again while somebody pulls at the window."""
        self.pictures.moved()
        self.lay_out()
        self.show_cursor()
        self.refresh()
        self.need()

    def in_sight(self) -> range:
        """The numbers of the photos of which something is seen."""
        if not self.total or not self.size.height:
            return range(0)
        top = round(self.scroll_offset.y)
        first = top // self.form.lines * self.across
        last = ((top + self.size.height - 1) // self.form.lines + 1) * self.across
        return range(min(first, self.total), min(last, self.total))

    def need(self) -> None:
        """Ask for the pages in sight that are not there, and for thumbnails."""
        super().need()
        self._want_soon()

    def _want_soon(self) -> None:
        """Thumbnails after the next paint: what is known of the photos shall not wait for them."""
        if not self._will_want:
            self._will_want = True
            self.call_after_refresh(self._want)

    def _anew(self) -> None:
        self.refresh()
        self._want_soon()

    def _want(self) -> None:
        """Thumbnails of what is in sight, and of nothing else."""
        self._will_want = False
        cells = ((number, self.row(number)) for number in self.in_sight())
        self.pictures.want(self.form, [(at, cell) for at, cell in cells if cell is not None and not cell.absent])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other photos are in sight."""
        self.pictures.moved()
        super().watch_scroll_y(old_value, new_value)

    def refresh_row(self, number: int) -> None:
        """Draw one photo again."""
        form = self.form
        y = number // self.across * form.lines - round(self.scroll_offset.y)
        if -form.lines < y < self.size.height:
            first = number // self.across * form.lines
            for line in range(first, first + form.lines):
                self._lines.pop(line, None)
            top = max(0, y)
            left = number % self.across * form.columns
            self.refresh(Region(left, top, form.columns, min(y + form.lines, self.size.height) - top))

    # -- drawing

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """As its base; where no region is named, every photo may look different."""
        if not regions:
            self._lines.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines of the widget: those that were drawn before as they were, without a look at each of their colours."""
        if len(self._lines) > _KEPT_LINES:
            self._lines.clear()
        top, looks = round(self.scroll_offset.y), self._looks()
        found = []
        for at in range(top + crop.y, top + crop.bottom):
            line = self._lines.get(at)
            if line is None:
                line = self._lines[at] = self._line(looks, at)
            found.append(line)
        if crop.column_span != (0, self.size.width):
            return [line.crop(*crop.column_span) for line in found]
        return found

    def _looks(self) -> Looks:
        """What is the same for all lines is worked out once: it costs more than a line."""
        looks = {name: self.get_component_rich_style(f"grid--{name}") for name in ("cursor", "marked", "dim")}
        # colours of a theme and of pictures are never those that a terminal gives names to
        filters = [one for one in self.get_line_filters() if not isinstance(one, ANSIToTruecolor)]
        return Looks(
            self.form, self.across, self.size.width, filters, self.background_colors[1], self.rich_style, **looks
        )

    def _drawn(self, now: Looks, number: int) -> DrawnCell:
        """A photo with what is drawn of it so far."""
        cell = self.row(number)
        picture = self.pictures.of(now.form, cell) if cell is not None else None
        return DrawnCell(cell, picture, number == self.cursor, number in self.marks)

    def _line(self, now: Looks, at: int) -> Strip:
        row, line = divmod(at, now.form.lines)
        numbers = range(row * now.across, min((row + 1) * now.across, self.total))
        return grid_line(now, [self._drawn(now, number) for number in numbers], line)
