"""What the document of a catalog says: as it is, or as far as it can be used where a person has to mend it."""

from __future__ import annotations

from lumina_fs.documents import corrupt_at
from lumina_fs.settings import Settings, settings_of, usable_settings
from schemas.catalog import Catalog
from schemas.document import load
from schemas.errors import DocumentError
from schemas.text import parse


def as_it_is(data: bytes, path: str) -> tuple[Catalog, Settings]:
    """The document in `data`, and its settings. Raises CorruptDocument, SettingsError."""
    with corrupt_at(path):
        document = load(data, Catalog)
    return document, settings_of(document.model_dump(), data, path)


def as_far_as_usable(data: bytes, path: str) -> tuple[Catalog, Settings]:
    """The same with defaults in place of what makes no sense, however much that is."""
    try:
        document = load(data, Catalog)
    except DocumentError:
        try:
            value = parse(data)
        except DocumentError:
            value = {}
        settings = value.get("settings")
        document = Catalog.model_construct(
            kind="catalog", version=1, id=str(value.get("id", "")), name=str(value.get("name", path)),
            settings=settings if isinstance(settings, dict) else {},
        )  # fmt: skip
    return document, usable_settings({"settings": document.settings})[0]
