"""What the document of a catalog says: as it is, or as far as it can be used where a person has to mend it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from lumina_fs.documents import corrupt_at, read
from lumina_fs.roots import Root
from lumina_fs.settings import Settings, settings_of, usable_settings
from schemas.catalog import Catalog
from schemas.document import load
from schemas.errors import DocumentError
from schemas.text import parse


def as_it_is(root: Root, path: str) -> tuple[Catalog, Settings] | None:
    """The document at `path`, and its settings; None without one. Raises CorruptDocument, SettingsError, OSError."""
    shown = os.path.join(root.path, path)
    with named(shown):
        stored = read(root, path)
    if stored is None:
        return None
    with corrupt_at(shown):
        document = load(stored.data, Catalog)
    return document, settings_of(document.model_dump(), stored.data, shown)


def as_far_as_usable(root: Root, path: str) -> tuple[Catalog, Settings] | None:
    """The same with defaults in place of what makes no sense or cannot be read, however much that is."""
    try:
        stored = read(root, path)
    except OSError:
        stored = None
    else:
        if stored is None:
            return None
    data = b"" if stored is None else stored.data
    try:
        document = load(data, Catalog)
    except DocumentError:
        try:
            value = parse(data)
        except DocumentError:
            value = {}
        settings = value.get("settings")
        document = Catalog.model_construct(
            kind="catalog", version=1, id=str(value.get("id", "")), name=str(value.get("name", root.path)),
            settings=settings if isinstance(settings, dict) else {},
        )  # fmt: skip
    return document, usable_settings({"settings": document.settings})[0]


@contextlib.contextmanager
def named(path: str) -> Iterator[None]:
    """An error of the system names this path, wherever below it came from."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
