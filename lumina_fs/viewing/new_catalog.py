"""A catalog that a person is about to make: what is wrong with the wish, and making it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from lumina_fs.catalog import Catalog
from lumina_fs.errors import CatalogNotFound, LuminaError
from lumina_fs.other_catalogs import told_before_scan
from lumina_fs.terminal import visible

#: Folders that a completion looks at, of those in one folder.
_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person typed. Paths may begin with ~ and be relative."""

    folder: str
    name: str = ""
    managed: bool = False
    further: tuple[str, ...] = ()


@dataclass(slots=True)
class Opinion:
    """What is wrong with a wish (empty: nothing), and what a person should know."""

    wrong: str = ""
    notes: list[str] = field(default_factory=list)


def judge(wish: Wish) -> Opinion:
    """Whether a catalog can be made so. Changes nothing."""
    if not wish.folder.strip():
        return Opinion("a folder, for example ~/Photos")
    folder = absolute(wish.folder)
    wrong = _not_usable(folder)
    if wrong:
        return Opinion(wrong)
    opinion = Opinion()
    try:
        with Catalog.find(folder) as found:
            if os.path.realpath(found.path) != os.path.realpath(folder):
                return Opinion(f"it lies in the catalog {visible(found.name)} at {visible(found.path)}")
            opinion.notes.append("it is a catalog already, which is opened")
    except CatalogNotFound:
        if not os.access(folder, os.W_OK):
            return Opinion(f"{visible(folder)} cannot be written to; a catalog keeps a .lumina folder there")
    except LuminaError as error:
        return Opinion(str(error))
    for other in wish.further:
        wrong = judge_source(other, [folder, *(one for one in map(absolute, wish.further) if one != absolute(other))])
        if wrong:
            return Opinion(wrong, opinion.notes)
    if len({absolute(one) for one in wish.further}) < len(wish.further):
        return Opinion("one of the further folders is named twice", opinion.notes)
    if wish.managed:
        opinion.notes.append("plans that you approve may move the photos in it")
    else:
        opinion.notes.append("its photos are only looked at; plans may not move them")
    return opinion


def judge_source(folder: str, present: Sequence[str]) -> str:
    """Why a folder cannot be a source beside those at `present`; empty when it can."""
    if not folder.strip():
        return "a folder, for example /media/card"
    path = absolute(folder)
    wrong = _not_usable(path)
    if wrong:
        return wrong
    real = os.path.realpath(path)
    for other in present:
        place = os.path.realpath(other)
        if os.path.commonpath([real, place]) in (real, place):
            return f"{visible(path)} overlaps with {visible(other)}"
    return ""


def make(wish: Wish) -> tuple[str, list[str]]:
    """Make the catalog; its folder, and what a person should know. Raises LuminaError."""
    notes: list[str] = []
    with Catalog.create(absolute(wish.folder), name=wish.name.strip() or None, managed=wish.managed) as catalog:
        catalog.ensure_schemas()
        for source in catalog.sources():
            notes += told_before_scan(catalog, source)
        for folder in wish.further:
            notes += add_source(catalog, folder)[1]
        return catalog.path, notes


def add_source(catalog: Catalog, folder: str, *, managed: bool = False) -> tuple[str, list[str]]:
    """Add a folder as a source; its name, and what a person should know. Raises LuminaError."""
    source, note = catalog.add_source(absolute(folder), managed=managed)
    return source.name, [*([note] if note else []), *told_before_scan(catalog, source)]


def absolute(folder: str) -> str:
    """A folder as a person types it, absolute."""
    return os.path.abspath(os.path.expanduser(folder.strip()))


def _not_usable(path: str) -> str:
    try:
        if not os.path.isdir(path):
            return f"there is no folder {visible(path)}"
        if not os.access(path, os.R_OK | os.X_OK):
            return f"{visible(path)} cannot be read"
    except ValueError:  # NUL
        return "that is no path"
    return ""


def completed(typed: str) -> str | None:
    """What is typed of a folder, completed to the first that begins so; None where none does.

    Names with something in them that could act on a terminal are not offered.
    """
    parent, slash, start = typed.rpartition("/")
    where = os.path.expanduser(parent + slash) if slash else ""
    if not slash:
        return "~/" if typed == "~" else None
    if not start:  # it names a folder as it is
        return None
    names = []
    try:
        with os.scandir(where) as entries:
            for number, entry in enumerate(entries):
                if number >= _LOOKED_AT:
                    break
                if entry.name.startswith(start) and entry.is_dir():
                    names.append(entry.name)
    except (OSError, ValueError):
        return None
    fits = sorted(name for name in names if visible(name) == name)
    return f"{parent}/{fits[0]}/" if fits else None
