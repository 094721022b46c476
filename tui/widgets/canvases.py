"""The widget that shows one picture, as the terminal can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tui.widgets import drawing

if TYPE_CHECKING:
    from PIL import Image
    from textual.widget import Widget


class Canvas(Protocol):
    """What a widget that draws pictures offers."""

    image: Image.Image | None


def canvas() -> Widget:
    """A fresh widget whose `image` can be set to a PIL image or None."""
    if drawing.chosen() in ("kitty", "sixel"):
        from tui.widgets.graphics_canvas import GraphicsCanvas

        return GraphicsCanvas()
    from tui.widgets.blocks_canvas import BlocksCanvas

    return BlocksCanvas()
