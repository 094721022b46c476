"""Strategies: rules that say, for each original, into which folder it goes and how it is called. First match wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from index.protocol import Row
from lumina_fs.errors import UsageError
from lumina_fs.plans.templates import FolderTemplate, Named, NameTemplate, TemplateError

FALLBACK = "Unsorted"

#: Named strategies: folder templates that are tried in turn, a template for the name, and what it is for.
NAMED: dict[str, tuple[tuple[str, ...], str | None, str]] = {
    "by-date": ((), None, "the layout of the catalog (YYYY/MM unless catalog.json says another)"),
    "YEAR_SLASH_MONTH_DAY": (("YYYY/MM-DD",), None, "2019/07-14"),
    "TIME_CHECKSUM": (
        ("YYYY/MM-DD",), "{hour}{minute}{second}{millisecond}_{checksum}", "2019/07-14/123105000_0a1b2c3d.jpg",
    ),
    "by-date-with-tags": (("Tags/{Category}/YYYY-MM", "YYYY-MM"), None, "Tags/People/2019-07; without tags 2019-07"),
    "by-tag": (
        ("{Category}/{Tag}/YYYY-MM-DD", "Tags/{Tag}/YYYY-MM-DD", "YYYY-MM-DD"), None,
        "Events/Wedding/2019-07-14; without tags 2019-07-14",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to originals that fit a query: the first folder template that has all its values is taken."""

    query: str
    folders: tuple[FolderTemplate, ...]
    name: NameTemplate | None = None

    def describe(self) -> dict[str, Any]:
        """The rule as a plan shows it."""
        texts = [folder.text for folder in self.folders]
        shown: dict[str, Any] = {"if": self.query} if self.query else {}
        shown["to"] = texts[0] if len(texts) == 1 else texts
        return {**shown, "name": self.name.text} if self.name else shown


class Wish(NamedTuple):
    """Where an original should be. `name` None keeps the present name; `fallback`: no rule had a place for it."""

    folder: str
    name: Named | None
    fallback: bool


@dataclass(frozen=True, slots=True)
class Strategy:
    """Rules in order, with a folder for what none of them places."""

    name: str
    rules: tuple[Rule, ...]
    fallback: str | None = FALLBACK
    """None leaves such originals where they are."""
    doubtful: str | None = None
    """A folder above all others for originals whose date is worth less than `below`."""
    below: int = 60
    options: dict[str, Any] = field(default_factory=dict)

    def conditions(self, query: str) -> list[str]:
        """One query for each rule, and one for what fits none: a row's choice is the position in this list."""
        wanted = f"({query})" if query.strip() else ""
        return [*(f"{wanted} ({rule.query})" if rule.query else wanted for rule in self.rules), wanted]

    def place(self, row: Row, choice: int) -> Wish | None:
        """Where an original should be, None for where it is."""
        wish = self._by_rule(row, self.rules[choice]) if choice < len(self.rules) else None
        if wish is None:
            return None if self.fallback is None else Wish(self.fallback, None, True)
        if self.doubtful is not None and row.taken and row.confidence < self.below:
            return Wish(f"{self.doubtful}/{wish.folder}".rstrip("/"), wish.name, False)
        return wish

    @staticmethod
    def _by_rule(row: Row, rule: Rule) -> Wish | None:
        named = rule.name.render(row) if rule.name else None
        if rule.name is not None and named is None:
            return None
        for template in rule.folders:
            folder = template.render(row)
            if folder is not None:
                return Wish(folder, named, False)
        return None

    def uses(self, name: str) -> bool:
        """True when one of the folder templates has this field."""
        return any(template.uses(name) for rule in self.rules for template in rule.folders)


def strategy_of(text: str, *, layout: str, file_name: str | None = None) -> Strategy:
    """The strategy of this name, or with this folder template. `layout` is the catalog's own.

    Raises TemplateError with the column, UsageError.
    """
    folders, name, _ = NAMED.get(text, ((text,), None, ""))
    rule = rule_of("", folders or (layout,), file_name if file_name is not None else name)
    if text and text not in NAMED and not any(mark in text for mark in "{/") and not rule.folders[0].uses("year"):
        known = ", ".join([*NAMED, "YYYY/MM", "YYYY-MM"])
        raise UsageError(f"{text!r} is no strategy and names nothing of a photo; there are {known}, or any template")
    return Strategy(text, (rule,))


def rule_of(query: str, folders: Sequence[str], name: str | None) -> Rule:
    """A rule of its texts. Raises TemplateError."""
    return Rule(query, tuple(map(FolderTemplate, folders)), NameTemplate(name) if name is not None else None)


def folder_of(text: str, option: str) -> str:
    """A plain folder that a person named. Raises UsageError."""
    try:
        FolderTemplate(text.replace("{", "{{").replace("}", "}}"))
    except TemplateError as error:
        raise UsageError(f"{option}: {error}") from None
    return text.strip("/")
