"""What a strategy would make of a few originals, shown while a person is still typing it."""

from __future__ import annotations

from dataclasses import dataclass

from index.listing import examples
from index.protocol import QueryError, Row
from lumina_fs.catalog import Catalog
from lumina_fs.errors import LuminaError, UsageError
from lumina_fs.plans.propose import Request, goal_of
from lumina_fs.plans.strategies import NAMED, Wish
from lumina_fs.plans.templates import FIELDS
from lumina_fs.plans.wishes import Wishes, check_query
from lumina_fs.viewing.access import Access
from schemas.names import MARK, decode_name

#: Originals in an example.
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Example:
    """An original and where it would go (empty: it stays); `note` says why, or what is to be known of it."""

    path: str
    target: str
    note: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form offers: named strategies with what they give, fields of templates, sources that may be used."""

    strategies: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]
    layout: str
    managed: tuple[str, ...]
    referenced: tuple[str, ...]


def choices(catalog: Catalog) -> Choices:
    """What there is to choose from in this catalog."""
    sources = catalog.sources()
    return Choices(
        tuple((name, text) for name, (_, _, text) in NAMED.items()),
        tuple(FIELDS.items()),
        catalog.layout,
        tuple(source.name for source in sources if source.managed),
        tuple(source.name for source in sources if not source.managed),
    )


def wrong(catalog: Catalog, wishes: Wishes) -> str:
    """What is wrong with the wishes of a person, empty where nothing is."""
    try:
        _request(catalog, wishes)
    except (LuminaError, OSError) as error:
        return str(error)
    return ""


def _request(catalog: Catalog, wishes: Wishes) -> Request:
    wishes.words()
    request = wishes.request(catalog.layout)
    check_query(request.query)
    goal_of(catalog, request)
    return request


def example(access: Access, wishes: Wishes) -> list[Example]:
    """Where a few originals would go. Raises UsageError and what the index raises."""
    request = _request(access.catalog, wishes)
    goal = goal_of(access.catalog, request)
    sources = [source.name for source in goal.sources]
    try:
        rows = examples(access.index, request.strategy.conditions(request.query), sources, SHOWN)
    except QueryError as error:
        raise UsageError(f"the query: {error}") from None
    several = len(sources) > 1
    found = []
    for number, row in enumerate(rows):
        if row.path.startswith(MARK):
            row = row._replace(path=decode_name(row.path))
        wish = request.strategy.place(row, row.choice if row.choice is not None else len(request.strategy.rules))
        shown = f"{row.source}:{row.path}" if several else row.path
        if wish is None:
            found.append(Example(shown, "", "stays: no rule has a place for it"))
            continue
        target = _target(row, wish, goal.base, number + 1)
        if target == row.path and goal.target is None:
            found.append(Example(shown, "", "is in place"))
        else:
            into = f"{goal.target.name}:" if goal.target is not None else ""
            found.append(Example(shown, into + target, _note(row, wish)))
    return found


def _target(row: Row, wish: Wish, base: str, number: int) -> str:
    name = row.path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    if wish.name is not None:
        named = {"counter": wish.name.with_number(number), "name": wish.name.with_name(stem or name)}
        new = named.get(wish.name.slot, wish.name.before)
        name = new + (dot + ending if stem else "")
    return "/".join(part for part in (base, wish.folder, name) if part)


def _note(row: Row, wish: Wish) -> str:
    if not row.taken:
        return "no date is known"
    taken = f"{row.taken.replace('T', ' ')[:16]} {row.evidence} {row.confidence}"
    return f"no rule has a place for it; {taken}" if wish.fallback else taken
