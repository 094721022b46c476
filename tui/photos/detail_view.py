"""All about one photo: a large picture, and below or beside it sections of facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from lumina_fs.terminal import visible
from lumina_fs.viewing.access import Photo
from lumina_fs.viewing.detail import Detail, Fact, Related, Section, curated_text
from lumina_fs.viewing.pending import Edit
from lumina_fs.wording import twin_kind, wrapped
from tui.foreign import foreign, named
from tui.widgets.picture import Picture

_LOOKS = {"good": "$success", "warn": "$warning", "bad": "$error", "dim": "$foreground 60%"}
_NAMES = 14
#: Columns that a value wants beside its name, to be broken there.
_LEAST = 16
_PENDING = "Not saved yet (Ctrl+S)"


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
    DetailView Facts { height: 3fr; padding: 0 1; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    DetailView .facts { height: auto; }
    DetailView.-beside { layout: horizontal; }
    DetailView.-beside Picture { width: 3fr; height: 1fr; }
    DetailView.-beside Facts { width: 2fr; height: 1fr; min-width: 44; }
    """

    photo: reactive[Photo | None] = reactive(None)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._sections: list[Section] = []

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
        self.query_one(Picture).photo = self.photo

    def say(self, text: str) -> None:
        """Say this instead of facts."""
        self._sections = []
        self.query_one(".facts", Static).update(foreign(text))

    def show(self, detail: Detail, related: Iterable[Related], edit: Edit | None, sources: int) -> None:
        """Show all about a photo. `sources`: how many there are; one need not be named."""
        changes = edit.fields.items() if edit is not None else ()
        pending = [
            Fact(f"* {name}", f"{curated_text(name, before)} → {curated_text(name, after)}", "warn")
            for name, (before, after) in changes
        ]
        twins = Section("Duplicates", tuple(_related(related, sources)))
        self._sections = [Section(_PENDING, tuple(pending)), *detail.sections[:6], twins, *detail.sections[6:]]
        self._draw()

    def on_resize(self) -> None:
        """Lines are broken elsewhere."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        facts = self.query_one(".facts", Static)
        room = facts.size.width - _NAMES - 2
        shown = [section for section in self._sections if section.facts or section.text]
        if shown:
            facts.update(Content("\n").join([line for section in shown for line in section_lines(section, room)]))


def _related(related: Iterable[Related], sources: int) -> Iterable[Fact]:
    for one in related:
        hit = one.listed.hit
        where = f"{hit.source}: " if sources > 1 else ""
        why = f" ({'; '.join(one.reasons)})" if one.reasons else ""
        yield Fact(f"{one.confidence} %", f"{where}{named(hit.path)}: {twin_kind(one.kind)}{why}")


def section_lines(section: Section, room: int) -> list[Content]:
    """A section: its title, and its facts with values in so many columns."""
    heading = Content.styled(section.title, "bold $warning" if section.title == _PENDING else "bold $accent")
    if not section.facts:
        text = wrapped(visible(section.text), max(_LEAST, room + _NAMES))
        return [heading, *(Content.styled(f"  {line}", "$foreground 60%") for line in text), Content("")]
    return [heading, *(line for fact in section.facts for line in _fact(fact, room)), Content("")]


def _fact(fact: Fact, room: int) -> Iterator[Content]:
    """A fact in lines: its name, and beside it its value in so many columns."""
    name = f"  {fact.name}".ljust(_NAMES) + "  "
    longer = len(name) - _NAMES - 2  # than others, so much less has room in the first line
    value = visible(fact.value)
    values = wrapped("." * longer + value, room) if room >= longer + _LEAST else ["." * longer + value]
    for number, part in enumerate(values):
        before, said = (name, part[longer:]) if number == 0 else (" " * (_NAMES + 2), part)
        yield foreign(before, "$foreground 70%") + Content.styled(said, _LOOKS.get(fact.look, ""))
