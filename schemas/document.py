"""The envelope that every document shares, and the way from bytes to a checked model."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.checker import checker
from schemas.errors import DocumentError
from schemas.text import MAX_BYTES, locate, parse
from schemas.upgrade import upgrade

#: From this many bytes on, making objects of a document is worth a pause of the collector of cycles.
_LARGE = 1 << 20


class Block(BaseModel):
    """A part of a document. Keys that it does not know are allowed and kept."""

    # what is said below each field is read by `schemas.publish` alone, and most starts need few of a hundred models:
    # reading all that, and building them all, would cost every start 20 ms each
    model_config = ConfigDict(frozen=True, extra="allow", strict=True, populate_by_name=True, defer_build=True)


class Document(Block):
    """The envelope."""

    schema_: str | None = Field(default=None, alias="$schema")
    """Where an editor finds the JSON Schema of this document."""

    kind: str
    """What kind of document this is."""

    version: int = Field(ge=1)
    """The version of its format."""

    id: str = Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
    """Its identity, a UUID that survives moves and renames."""


D = TypeVar("D", bound=Document)


def load(data: bytes, model: type[D], limit: int = MAX_BYTES) -> D:
    """Parse, upgrade and check a document. Raises DocumentError with the line and column of what is wrong.

    `limit` is the most bytes that it may have.
    """
    with collector_paused(len(data)):
        return validate(upgrade(parse(data, limit)), model, data, limit)


@contextlib.contextmanager
def collector_paused(size: int) -> Iterator[None]:
    """While a document of this many bytes becomes objects: looking for cycles among them is four times the work."""
    if size < _LARGE or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def validate(value: Mapping[str, Any], model: type[D], data: bytes | None = None, limit: int = MAX_BYTES) -> D:
    """Check a parsed document against its model; `data` is its text, for the place of an error."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = _place(first)
        name = ".".join(str(step) for step in where) or "document"
        line, column = locate(data, where, limit) if data is not None else (1, 1)
        raise DocumentError(f"{name}: {_plain(first)}", line, column) from None


def require(value: Mapping[str, Any], model: type[Document], data: bytes) -> None:
    """The same without a model as the result, in less than half the time."""
    if not checker(model)(value):
        validate(value, model, data)


#: How pydantic names the branches of unions; they stand behind the position in a list. A person's file has no such key.
_BRANCHES = frozenset({"Tag", "str", "move", "copy", "trash", "restore", "skip", "edit"})


def _place(error: Any) -> list[str | int]:
    """Where the wrong value stands: keys and positions."""
    path, where = error["loc"], []
    for at, step in enumerate(path):
        if not (at and isinstance(path[at - 1], int) and step in _BRANCHES):
            where.append(step)
    return [*where, _tag(error)] if error["type"] == "union_tag_invalid" else where


def _tag(error: Any) -> str:
    """The key that says which of several kinds a value is."""
    return str(error["ctx"]["discriminator"]).strip("'")


def _plain(error: Any) -> str:
    """One of pydantic's messages in words for the person who edited the file."""
    if error["type"] == "union_tag_invalid":
        return f"must be {error['ctx']['expected_tags']}"
    if error["type"] == "union_tag_not_found":
        return f"{_tag(error)} is missing"
    if error["type"] in ("model_type", "dict_type", "string_type") and error["loc"][-1:] in (("Tag",), ("str",)):
        return 'must be text, or an object with "category" and "value"'
    if error["type"] in ("model_type", "dict_type"):
        return "must be an object, in braces"
    if error["type"] == "list_type":
        return "must be a list, in brackets"
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "must be").replace("Field required", "is missing")
    return message[:1].lower() + message[1:]


_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A new UUIDv7 (RFC 9562) as text: milliseconds since 1970, then random bits; increasing in one process."""
    global _last
    with _lock:
        stamp = max(time.time_ns() // 250_000, _last + 1)  # quarter milliseconds: the 12 bits of rand_a
        _last = stamp
    high = (stamp // 4) << 16 | 0x7000 | (stamp % 4) << 10 | int.from_bytes(os.urandom(2)) >> 6
    low = 0x8000_0000_0000_0000 | int.from_bytes(os.urandom(8)) >> 2
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
