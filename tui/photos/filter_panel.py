"""The filters as a form. It has no state of its own: it shows what the query says, and edits the query's text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Select, SelectionList, Static
from textual.widgets.selection_list import Selection

from lumina_fs.terminal import visible
from lumina_fs.viewing.query_text import exactly, values_of, with_value, with_values
from tui.foreign import foreign
from tui.widgets.ticked_list import TickedList

Choices = Mapping[str, Mapping[str, int]]

_RATINGS = ("5", ">=4", ">=3", ">=2", ">=1", "0")
_TROUBLES = (
    ("has:problems", "any problem"), ("is:missing", "missing"), ("is:duplicate", "has a copy"),
    ("is:stale", "broken sidecar"), ("flag:filename_disagrees", "date: name disagrees"),
    ("flag:future", "date: future"), ("flag:filesystem_only", "date: file time only"),
)  # fmt: skip
_TROUBLED = ("has", "is", "flag", "problem")


class FilterPanel(VerticalScroll):
    """Date, camera, lens, type, quality, rating, problems and tags."""

    DEFAULT_CSS = """
    FilterPanel { width: 38; background: $surface; border-right: solid $panel; padding: 0 1; }
    FilterPanel .title { color: $accent; text-style: bold; }
    FilterPanel Horizontal { height: 1; }
    FilterPanel Horizontal Input { width: 1fr; margin-right: 1; }
    FilterPanel SelectionList { height: auto; max-height: 14; border: none; padding: 0; }
    """

    class Edited(Message):
        """The query shall have this text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="filters")
        self._text = ""
        self._choices: Choices = {}

    def compose(self) -> ComposeResult:
        """A field a filter."""
        yield Static("Date from, to", classes="title")
        with Horizontal():
            yield Input(placeholder="2019-07", id="date-from", compact=True)
            yield Input(placeholder="2019-08", id="date-to", compact=True)
        for field, title in (("camera", "Camera"), ("lens", "Lens"), ("type", "Type"), ("rating", "Rating")):
            yield Static(title, classes="title")
            yield Select[str]((), prompt="any", id=f"filter-{field}", compact=True)
        yield Static("Quality from, to", classes="title")
        with Horizontal():
            yield Input(placeholder="0", id="quality-from", compact=True)
            yield Input(placeholder="100", id="quality-to", compact=True)
        yield Static("Problems", classes="title")
        yield Select[str]((), prompt="any", id="filter-problems", compact=True)
        yield Static("Tags: all that are marked", classes="title")
        yield TickedList[str](id="filter-tags", compact=True)

    def show(self, text: str, choices: Choices) -> None:
        """Show what the query says of each field."""
        fresh = choices is not self._choices
        self._text, self._choices = text, choices
        if self.is_mounted:
            self._show(fresh=fresh)

    def on_mount(self) -> None:
        """What was to be shown before."""
        self._show(fresh=True)

    def _show(self, *, fresh: bool) -> None:
        text = self._text
        with self.prevent(Input.Changed, Select.Changed, SelectionList.SelectedChanged):
            for field in ("date", "quality"):
                low, high = _range(values_of(text, field))
                self._put(f"#{field}-from", low)
                self._put(f"#{field}-to", high)
            for field in ("camera", "lens", "type", "rating"):
                self._offer(field, values_of(text, field))
            self._offer_problems(text)
            self._offer_tags(values_of(text, "tag"), fresh=fresh)

    def _put(self, field: str, value: str) -> None:
        line = self.query_one(field, Input)
        if line.value != value and not line.has_focus:
            line.value = value

    def _offer(self, field: str, values: list[str]) -> None:
        there = self._choices.get(field, {})
        known = {exactly(field, value): f"{value} ({count:,})" for value, count in there.items()}
        if field == "rating":
            known = {value: f"{value.replace('>=', 'at least ')} {'★' * int(value[-1])}".strip() for value in _RATINGS}
        elif field == "type":
            known = {"image": "all pictures", "video": "all videos", **known}
        self._fill(f"filter-{field}", known, values[0] if len(values) == 1 else None)

    def _offer_problems(self, text: str) -> None:
        known = dict(_TROUBLES)
        for code, count in self._choices.get("problem", {}).items():
            known[f"problem:{exactly('problem', code)}"] = f"{code} ({count:,})"
        chosen = [f"{field}:{value}" for field in _TROUBLED for value in values_of(text, field)]
        wanted = [one for one in chosen if one in known]
        self._fill("filter-problems", known, wanted[0] if wanted else None)

    def _fill(self, name: str, known: dict[str, str], value: str | None) -> None:
        select = self.query_one(f"#{name}", Select)
        if value is not None:
            known = {**known, value: known.get(value) or _meant(value)}
        options = [(foreign(shown), one) for one, shown in known.items()]
        if getattr(select, "_lumina_options", None) != known:
            select.set_options(options)
            select._lumina_options = known  # type: ignore[attr-defined]
        wanted = Select.NULL if value is None else value
        if select.value != wanted:
            select.value = wanted

    def _offer_tags(self, chosen: list[str], *, fresh: bool) -> None:
        tags = self.query_one("#filter-tags", SelectionList)
        if not fresh and set(tags.selected) == set(chosen):
            return
        tags.clear_options()
        there = self._choices.get("tag", {})
        order = sorted(there.items(), key=lambda one: (one[0].partition("/")[0], -one[1]))[:500]
        offered = {exactly("tag", tag): f"{visible(tag)} ({count:,})" for tag, count in order}
        for value, shown in ({value: _meant(value) for value in chosen if value not in offered} | offered).items():
            tags.add_option(Selection(foreign(shown), value, value in chosen))

    # -- what a person does

    @on(Input.Changed)
    def _ranges(self, event: Input.Changed) -> None:
        event.stop()
        field = (event.input.id or "").partition("-")[0]
        low = self.query_one(f"#{field}-from", Input).value.strip()
        high = self.query_one(f"#{field}-to", Input).value.strip()
        self._edit(with_value(self._text, field, _as_range(low, high)))

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        field = (event.select.id or "").removeprefix("filter-")
        value = None if event.value is Select.NULL else str(event.value)
        if field == "problems":
            self._edit(_with_problem(self._text, value, self._problem_values()))
        else:
            self._edit(with_value(self._text, field, value))

    def _problem_values(self) -> list[str]:
        codes = (exactly("problem", code) for code in self._choices.get("problem", {}))
        return [*dict(_TROUBLES), *(f"problem:{code}" for code in codes)]

    @on(SelectionList.SelectedChanged)
    def _tags(self, event: SelectionList.SelectedChanged[str]) -> None:
        event.stop()
        self._edit(with_values(self._text, "tag", event.selection_list.selected))

    def _edit(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.post_message(self.Edited(text))


def _meant(value: str) -> str:
    """What the query says although no choice does: a value of before, or words that more than one value has."""
    return value[1:] if value.startswith("=") else f"{visible(value)} and the like"


def _with_problem(text: str, chosen: str | None, known: Iterable[str]) -> str:
    """The query with this problem, of those that the panel knows, and no other of them."""
    offered = set(known)
    for field in _TROUBLED:
        kept = [value for value in values_of(text, field) if f"{field}:{value}" not in offered]
        if chosen is not None and chosen.startswith(f"{field}:"):
            kept.append(chosen.partition(":")[2])
        text = with_values(text, field, kept)
    return text


def _range(values: list[str]) -> tuple[str, str]:
    """The two ends of a range as it is written in a query."""
    value = values[0] if len(values) == 1 else ""
    if ".." in value:
        low, _, high = value.partition("..")
        return low, high
    for sign, ends in _ends(value):
        if value.startswith(sign):
            return ends
    return value, value


def _ends(value: str) -> Iterator[tuple[str, tuple[str, str]]]:
    yield ">=", (value[2:], "")
    yield "<=", ("", value[2:])


def _as_range(low: str, high: str) -> str | None:
    """A range as a query writes it."""
    if low and high:
        return low if low == high else f"{low}..{high}"
    return f">={low}" if low else f"<={high}" if high else None
