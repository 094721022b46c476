"""How pictures are drawn in this terminal: by its own graphics, in half blocks, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from PIL import Image
    from textual.widget import Widget


class Canvas(Protocol):
    """What a widget that draws pictures offers."""

    image: Image.Image | None


Way = Literal["auto", "kitty", "sixel", "blocks", "none"]

_chosen: Way = "blocks"


def choose(way: Way) -> None:
    """Settle the way for this process. All but blocks and none ask the terminal: only before the app runs."""
    global _chosen
    _chosen = way if way in ("blocks", "none") else _asked(way)


def _asked(way: Way) -> Way:
    """What the terminal says that it can, and how large its characters are, which is kept for later."""
    from textual_image import renderable  # asks when it is loaded
    from textual_image._terminal import get_cell_size

    get_cell_size()
    ways: dict[type, Way] = {renderable.SixelImage: "sixel", renderable.TGPImage: "kitty"}
    return ways.get(renderable.Image, "blocks") if way == "auto" else way


def draws() -> bool:
    """False when pictures are shown as text only."""
    return _chosen != "none"


def canvas() -> Widget:
    """A fresh widget whose `image` can be set to a PIL image or None."""
    if _chosen not in ("kitty", "sixel"):
        from tui.widgets.blocks_canvas import BlocksCanvas

        return BlocksCanvas()
    from textual_image import widget

    return widget.SixelImage() if _chosen == "sixel" else widget.TGPImage()
