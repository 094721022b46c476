"""What the clerk of plans answers, as values that travel between two processes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lumina_fs.errors import LuminaError
from lumina_fs.plans.facts import Facts
from lumina_fs.plans.listing import Listed
from lumina_fs.plans.preview import Crossing, Line, Volume

#: How rows of a plan are chosen besides by the kind of action.
PICKS = ("warned", "refused", "failed")


class DeskError(LuminaError):
    """What the clerk says instead of an answer; `line` is that of a document which makes no sense."""

    def __init__(self, text: str, *, kind: str = "", line: int | None = None, column: int | None = None) -> None:
        super().__init__(text)
        self.kind = kind
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class PlanList:
    """Plans, newest first; `left` more are to be read: ask again."""

    plans: tuple[Listed, ...]
    left: int

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> PlanList:
        """From its JSON."""
        return cls(tuple(Listed(**one) for one in value["plans"]), value["left"])


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows that a filter leaves: the number of this choice, by which rows are asked for, and how many they are."""

    view: int
    total: int


@dataclass(frozen=True, slots=True)
class OpenedPlan:
    """A plan that was read: its facts, how many actions there are of each kind, what may be wrong, and all its rows."""

    facts: Facts
    picks: dict[str, int]
    troubles: tuple[str, ...]
    note: str
    folders: int
    arriving: bool
    """True where originals come to these folders, false where they lie in them."""
    undoes: str | None
    judged: bool
    """False until it is known what would be refused: ask `judge`."""
    by: str
    """Who approved it, empty before."""
    chosen: Chosen

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> OpenedPlan:
        """From its JSON."""
        return cls(**{**value, "facts": facts_from(value["facts"]), "troubles": tuple(value["troubles"]),
                      "chosen": Chosen(**value["chosen"])})  # fmt: skip


def facts_value(facts: Facts) -> dict[str, Any]:
    """Facts as JSON."""
    return asdict(facts)


def facts_from(value: Mapping[str, Any]) -> Facts:
    """Facts from their JSON."""
    crossing = value["crossing"]
    volumes = [Volume(**one) for one in crossing["volumes"]]
    return Facts(**{**value, "crossing": Crossing(volumes, crossing["moves"], crossing["size"])})


@dataclass(frozen=True, slots=True)
class PlanRow:
    """An action; `fate` is what became of it (done, failed, back), `why` why it failed."""

    line: Line
    fate: str
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a choice from `first` on; empty where the choice is not that of now."""

    view: int
    first: int
    rows: tuple[PlanRow, ...]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Page:
        """From its JSON."""
        rows = tuple(PlanRow(Line(*line), fate, why) for line, fate, why in value["rows"])
        return cls(value["view"], value["first"], rows)


@dataclass(frozen=True, slots=True)
class FolderPage:
    """Folders that originals come to or lie in, each with how many, from `first` on."""

    first: int
    rows: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> FolderPage:
        """From its JSON."""
        return cls(value["first"], tuple((folder, count) for folder, count in value["rows"]))


@dataclass(frozen=True, slots=True)
class ActionDetail:
    """All about one action."""

    row: PlanRow
    sha256: str
    companions: tuple[tuple[str, str, str], ...]
    """(what it is, from, to)"""
    fields: tuple[tuple[str, str, str], ...]
    """(name, before, after) of an edit."""

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> ActionDetail:
        """From its JSON."""
        line, fate, why = value["row"]
        return cls(
            PlanRow(Line(*line), fate, why), value["sha256"], tuple(map(_three, value["companions"])),
            tuple(map(_three, value["fields"])),
        )  # fmt: skip


def _three(value: list[str]) -> tuple[str, str, str]:
    first, second, third = value
    return first, second, third


@dataclass(frozen=True, slots=True)
class TrashView:
    """What lies in the trash and fits a text: how much there is in all, and notes of sources that are not there."""

    view: int
    total: int
    size: int
    notes: tuple[str, ...]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> TrashView:
        """From its JSON."""
        return cls(value["view"], value["total"], value["size"], tuple(value["notes"]))


@dataclass(frozen=True, slots=True)
class TrashRow:
    """An original in the trash; `files` counts what lies there of its unit."""

    when: str
    source: str
    path: str
    size: int
    plan: str
    reason: str
    files: int


@dataclass(frozen=True, slots=True)
class TrashPage:
    """Rows of the trash from `first` on."""

    view: int
    first: int
    rows: tuple[TrashRow, ...]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> TrashPage:
        """From its JSON."""
        return cls(value["view"], value["first"], tuple(TrashRow(*row) for row in value["rows"]))


@dataclass(frozen=True, slots=True)
class TrashChosen:
    """Some originals in the trash, in numbers; `key` names exactly these for the next step."""

    key: int
    count: int
    size: int
    files: int
    first: tuple[str, ...]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> TrashChosen:
        """From its JSON."""
        return cls(**{**value, "first": tuple(value["first"])})
