"""The pictures of a grid: which are wished for, in what order, and which of those that are there is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.timer import Timer
from textual.widget import Widget

from tui.host import Host
from tui.photos.photo_cell import Form, GridCell
from tui.widgets import drawing
from tui.widgets.half_blocks import few_colours
from tui.widgets.picture_lines import Ground, Lines
from tui.widgets.thumbnails import Thumbnails, Wanted

#: Seconds without a move after which the best pictures are drawn.
_REST = 0.15
#: Seconds in which pictures by Sixel are gathered: with each of them all to the left of it are sent again.
_GATHER = 0.2


class GridPictures:
    """For a `grid`, which is told of a photo by number when something else is to be shown of it, by `anew` when that is
    so for all of them, and by `wish` when it shall want them again."""

    def __init__(
        self, grid: Widget, changed: Callable[[int], None], anew: Callable[[], None], wish: Callable[[], None]
    ) -> None:
        self._grid = grid
        self._changed = changed
        self._anew = anew
        self._wish = wish
        #: What is drawn of photos.
        self.thumbnails = Thumbnails(self._came, lambda text: self._app.tell(text))
        self._shown_as: dict[tuple[str, str], int] = {}
        self._moving: Timer | None = None
        self._gathered: set[int] | None = None

    @property
    def _app(self) -> Host:
        app: Host = self._grid.app  # type: ignore[assignment]
        return app

    def follow(self) -> None:
        """A terminal that is left forgets pictures, and it may come back with letters of another size."""
        self._app.leaving.subscribe(self._grid, lambda _: self.thumbnails.forget(), immediate=True)
        self._app.returned.subscribe(self._grid, lambda _: self._anew())

    def close(self) -> None:
        """Give up what was wished for."""
        self.thumbnails.close()

    def moved(self) -> None:
        """Others are in sight. The best pictures come when this was some time ago."""
        if self._moving is not None:
            self._moving.stop()
        elif drawing.slow():
            self._anew()
        self._moving = self._grid.set_timer(_REST, self._rested)

    def _rested(self) -> None:
        self._moving = None
        if drawing.slow():
            self._anew()
        else:
            self._wish()

    def want(self, form: Form, seen: Iterable[tuple[int, GridCell]]) -> None:
        """Pictures of photos that are in sight, with their numbers, and of nothing else."""
        session = self._app.session
        if not drawing.draws() or session is None:
            return
        ground = Ground(self._grid.background_colors[1].rgb, few_colours(self._app.console), drawing.cell())
        self._shown_as = {}
        stages: list[list[Wanted]] = []
        for number, cell in seen:
            source, path, _ = cell.thumbnail
            self._shown_as[source, path] = number
            stages.append(self._stages(form, cell, moving=self._moving is not None))
        # once there is something to see everywhere, better ones
        wanted = [wanted for stage in zip(*stages, strict=True) for wanted in stage]
        self.thumbnails.want(session.thumbnails, wanted, ground)

    def _stages(self, form: Form, cell: GridCell, *, moving: bool) -> list[Wanted]:
        columns = form.columns - 2
        return [
            Wanted(*cell.thumbnail, columns, form.picture, stage.large, stage.way)
            for stage in drawing.stages(columns, moving=moving)
        ]

    def of(self, form: Form, cell: GridCell) -> Lines | str | None:
        """The best that there is of a photo now, or why there is nothing; None while it is on its way."""
        best: Lines | str | None = None
        for wanted in self._stages(form, cell, moving=self._moving is not None and drawing.slow()):
            found = self.thumbnails.get(wanted)
            if best is None or (found is not None and not isinstance(found, str)):
                best = found
        return best

    def _came(self, wanted: Wanted) -> None:
        """A picture is there, or why there is none."""
        number = self._shown_as.get((wanted.source, wanted.path))
        if number is None:
            return
        if wanted.way != "sixel":
            self._changed(number)
        else:
            self._grid.call_later(self._gather, number)  # a timer of the app: this may be called from without

    def _gather(self, number: int) -> None:
        if self._gathered is None:
            self._gathered = set()
            self._grid.set_timer(_GATHER, self._show_gathered)
        self._gathered.add(number)

    def _show_gathered(self) -> None:
        numbers, self._gathered = self._gathered or set(), None
        for number in numbers:
            self._changed(number)
