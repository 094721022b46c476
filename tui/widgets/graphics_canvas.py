"""A picture by the terminal's own graphics, in the middle of all the room that there is, drawn in a thread."""

from __future__ import annotations

import asyncio

from PIL import Image
from textual import work
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.host import Host
from tui.widgets import drawing
from tui.widgets.half_blocks import few_colours
from tui.widgets.picture_lines import Drawn, Ground, JoinedLine


class GraphicsCanvas(Widget):
    """Tells the terminal of a picture through the app, in order with all else: two that write would mix theirs."""

    app: Host
    image: reactive[Image.Image | None] = reactive(None)

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Drawn | None = None
        self._drawn_from: tuple[Image.Image, Size, Ground] | None = None

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All of it."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All of it."""
        return container.height

    def on_mount(self) -> None:
        """A terminal that is left forgets the picture, and another theme has another colour around it."""
        self.watch(self.app, "theme", self._draw_soon, init=False)
        self.app.leaving.subscribe(self, lambda _: self._show(None), immediate=True)
        self.app.returned.subscribe(self, lambda _: self._draw())

    def on_unmount(self) -> None:
        """It is seen no more."""
        self._show(None)

    def watch_image(self) -> None:
        """Nothing is better than the picture of another photo."""
        self._show(None)
        self._draw()

    def on_resize(self) -> None:
        """As large as may be."""
        self._draw()

    def _draw_soon(self) -> None:
        self.call_after_refresh(self._draw)

    @work(exclusive=True)
    async def _draw(self) -> None:
        image, size = self.image, self.size
        if image is None or not size.area:
            return
        ground = Ground(self.background_colors[1].rgb, few_colours(self.app.console), drawing.cell())
        source = (image, size, ground)
        if self._drawn is not None and source == self._drawn_from:  # it was hidden, and comes to light again
            return
        self._show(await asyncio.to_thread(drawing.drawn, drawing.chosen(), image, size.width, size.height, ground))
        self._drawn_from = source

    def _show(self, drawn: Drawn | None) -> None:
        old, self._drawn = self._drawn, drawn
        if old is not None:
            self.app.tell(old.leaves)
        if drawn is not None:
            self.app.tell(drawn.arrives)
        if self.is_mounted:
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines of the widget, as they are sent."""
        lines = self._drawn.lines if self._drawn is not None else ()
        blank = Strip.blank(self.size.width, self.rich_style)
        found = [JoinedLine([lines[y]], lines[y].cells) if y < len(lines) else blank for y in crop.line_range]
        return [line.crop_extend(*crop.column_span, self.rich_style) for line in found]
