"""What is said of groups of duplicates: their rows, the numbers, what was decided, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from lumina_fs.duplicates.standing import Standing
from lumina_fs.viewing.duplicates import Board, sureness
from lumina_fs.viewing.group_list import GroupList, decidable
from lumina_fs.wording import plural, size, twin_kind
from tui.widgets.virtual_table import Cell, Column, Row

COLUMNS = (
    Column("kind", "Kind", 11),
    Column("confidence", "Sure", 15),
    Column("files", "Files", 5, "right"),
    Column("savings", "Frees", 8, "right"),
    Column("state", "State", 8),
    Column("keeper", "Keeper", 0, "middle"),
)
_LOOKS = {"certain": "good", "likely": "warn", "look closely": "bad"}
_STATES = {"pending": "", "reviewed": "warn", "resolved": "good"}


def row_of(group: Standing) -> Row:
    """The row of a group."""
    word = sureness(group.confidence)
    if decidable(group):
        sure, frees = Cell(f"{word} {group.confidence}", _LOOKS[word]), Cell(size(group.savings))
    else:
        sure, frees = Cell(f"{group.confidence}", "dim"), Cell("-", "dim")
    state = Cell(group.state, _STATES.get(group.state, "dim"))
    twin = group.keeper.twin
    keeper = f"{twin.source}:{twin.path}" if len(group.sources) > 1 else twin.path
    return twin_kind(group.kind), sure, f"{len(group.copies)}", frees, state, keeper


def numbers_of(board: Board | None) -> str:
    """The catalog's duplicates in a line."""
    if board is None:
        return "Duplicates"
    n = board.numbers()
    more = f", {n.not_compared:,} not compared" if n.not_compared else ""
    return (
        f"{plural(n.analysed, 'picture')} analysed, {plural(n.groups, 'group')}, {size(n.savings)} could go: "
        f"{n.high:,} certain, {n.low:,} less sure{more}"
    )


def written(groups: Sequence[Standing], board: Board) -> str:
    """What was decided about these, in a few words: by how they stand now, whoever took it up."""
    going = [copy for group in groups if (now := board.get(group.found)) is not None for copy in now.going]
    which = f"group {groups[0].id}" if len(groups) == 1 else plural(len(groups), "group")
    what = (
        f"{plural(len(going), 'file')} may go, {size(sum(copy.twin.size for copy in going))}" if going else "all stay"
    )
    return f"Decided about {which}: {what}. u takes it back"


def advice(board: Board | None, shown: GroupList | None, *, searching: bool) -> list[str]:
    """What a person should know before they trust the list, and what they may do next."""
    if board is None or shown is None:
        none = "No search for duplicates was made yet. Press f: no photo is touched by it."
        return [] if searching else [none]
    parts = [f"{len(shown.marked):,} marked"] if shown.marked else []
    if board.corrupt:
        unread = plural(len(board.corrupt), "verdict")
        parts.append(f"{unread} cannot be read, so what they decided is asked again: {board.corrupt[0]}")
    if not board.fresh and not searching:
        parts.append("The catalog changed since the last search: f searches again, and looks only at what is new")
    if not shown.keys:
        states = board.numbers().states
        parts.append("No group fits what is shown (t shows other states)" if any(states.values()) else "No duplicates")
        if states["reviewed"]:
            parts.append(f"{plural(states['reviewed'], 'group')} decided: p proposes a plan")
    return parts
