"""A picture in half blocks, in the middle of all the room that there is."""

from __future__ import annotations

from PIL import Image
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.half_blocks import BlockLine, few_colours, lines_of
from tui.widgets.picture_lines import Ground, JoinedLine


class BlocksCanvas(Widget):
    """Asks nothing of the terminal, unlike the canvases of textual-image."""

    image: reactive[Image.Image | None] = reactive(None)

    def __init__(self) -> None:
        super().__init__()
        self._drawn: list[BlockLine] = []
        self._drawn_from: tuple[Image.Image, Size, Ground] | None = None

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All of it."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All of it."""
        return container.height

    def render_line(self, y: int) -> Strip:
        """A line of the picture, which is drawn once for each size and each look of the app."""
        image, size = self.image, self.size
        if image is None or not size.area:
            return Strip.blank(size.width, self.rich_style)
        source = (image, size, Ground(self.background_colors[1].rgb, few_colours(self.app.console)))
        if self._drawn_from is None or self._drawn_from[0] is not image or self._drawn_from[1:] != source[1:]:
            self._drawn, self._drawn_from = lines_of(image, size.width, size.height, source[2]), source
        lines = self._drawn
        return JoinedLine([lines[y]], size.width) if y < len(lines) else Strip.blank(size.width, self.rich_style)
