"""All about one photo: a large picture, and below or beside it sections of facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lumina_fs.viewing.access import Photo
from lumina_fs.viewing.detail import Detail, Fact, Related, Section, curated_text
from lumina_fs.viewing.pending import Edit
from tui.foreign import foreign, named
from tui.widgets.picture import Picture

_LOOKS = {"good": "$success", "warn": "$warning", "bad": "$error", "dim": "$foreground 60%"}
_NAMES = 14


class Facts(VerticalScroll, inherit_bindings=False):
    """Sections of facts, to scroll in; keys to the left and right are left to who shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Bottom", show=False),
    ]


class DetailView(Container):
    """Shows what it is given."""

    DEFAULT_CSS = """
    DetailView { height: 1fr; layout: vertical; }
    DetailView Picture { height: 2fr; min-height: 6; }
    DetailView Facts { height: 3fr; padding: 0 1; scrollbar-size-vertical: 1; }
    DetailView .facts { height: auto; }
    DetailView.-beside { layout: horizontal; }
    DetailView.-beside Picture { width: 3fr; height: 1fr; }
    DetailView.-beside Facts { width: 2fr; height: 1fr; min-width: 44; }
    """

    photo: reactive[Photo | None] = reactive(None)

    def compose(self) -> ComposeResult:
        """The picture and the facts."""
        yield Picture(classes="large")
        with Facts():
            yield Static("", classes="facts")

    def watch_photo(self, photo: Photo | None) -> None:
        """The picture at once; facts follow."""
        if self.is_mounted:
            self.query_one(Picture).photo = photo

    def on_mount(self) -> None:
        """What was set before."""
        self.watch_photo(self.photo)

    def say(self, text: str) -> None:
        """Say this instead of facts."""
        self.query_one(".facts", Static).update(foreign(text))

    def show(self, detail: Detail, related: Iterable[Related], edit: Edit | None, sources: int) -> None:
        """Show all about a photo. `sources`: how many there are; one need not be named."""
        lines: list[Content] = []
        if edit is not None:
            lines += [Content.styled("Not saved yet (Ctrl+S)", "bold $warning")]
            for name, (before, after) in edit.fields.items():
                lines.append(
                    _fact(Fact(f"* {name}", f"{curated_text(name, before)} → {curated_text(name, after)}", "warn"))
                )
            lines.append(Content(""))
        twins = Section("Duplicates", tuple(_related(related, sources)))
        for section in (*detail.sections[:6], twins, *detail.sections[6:]):
            if section.facts or section.text:
                lines += _lines(section)
        self.query_one(".facts", Static).update(Content("\n").join(lines))


def _related(related: Iterable[Related], sources: int) -> Iterable[Fact]:
    for one in related:
        hit = one.listed.hit
        where = f"{hit.source}: " if sources > 1 else ""
        why = f" ({'; '.join(one.reasons)})" if one.reasons else ""
        yield Fact(f"{one.confidence} %", f"{where}{named(hit.path)}: {one.kind}{why}")


def _lines(section: Section) -> list[Content]:
    heading = Content.styled(section.title, "bold $accent")
    if not section.facts:
        return [heading, foreign(f"  {section.text}", "$foreground 60%"), Content("")]
    return [heading, *map(_fact, section.facts), Content("")]


def _fact(fact: Fact) -> Content:
    name = foreign(f"  {fact.name}".ljust(_NAMES) + "  ", "$foreground 70%")
    return name + foreign(fact.value, _LOOKS.get(fact.look, ""))
