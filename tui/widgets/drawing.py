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
    """Settle the way for this process. `auto` asks the terminal: only before the app runs."""
    global _chosen
    _chosen = _asked() if way == "auto" else way


def _asked() -> Way:
    """What the terminal says that it can."""
    from textual_image import renderable

    ways: dict[type, Way] = {renderable.SixelImage: "sixel", renderable.TGPImage: "kitty"}
    return ways.get(renderable.Image, "blocks")


def draws() -> bool:
    """False when pictures are shown as text only."""
    return _chosen != "none"


def canvas() -> Widget:
    """A fresh widget whose `image` can be set to a PIL image or None."""
    from textual_image import widget

    kinds: dict[Way, type[Widget]] = {"sixel": widget.SixelImage, "kitty": widget.TGPImage}
    return kinds.get(_chosen, widget.HalfcellImage)()
