"""The problems that an index knows, counted by kind and page by page."""

from __future__ import annotations

from dataclasses import dataclass

from index.protocol import Problem
from index.totals import Wanted, problem_counts, problem_page
from lumina_fs.viewing.access import Access

WantedProblems = Wanted


@dataclass(frozen=True, slots=True)
class Place:
    """A problem with an original or its sidecar; `path` is encoded."""

    source: str
    path: str
    code: str
    message: str
    line: int | None
    column: int | None


def counts(access: Access, text: str) -> dict[str, int]:
    """How many problems there are of each kind, of those with a text in path or message."""
    return problem_counts(access.index, text)


def page(access: Access, wanted: WantedProblems, first: int, count: int, by: str, descending: bool) -> list[Place]:
    """Problems from the `first` on, sorted by path, code or message."""
    found = problem_page(access.index, wanted, first, count, by=by, descending=descending)
    return [_place(source, problem) for source, problem in found]


def _place(source: str, problem: Problem) -> Place:
    return Place(source, problem.path, problem.code, problem.message, problem.line, problem.column)
