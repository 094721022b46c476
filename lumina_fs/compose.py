"""What a sidecar says after an original was read: machine blocks are replaced, all else stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.document import Block, new_id
from schemas.names import encode_name
from schemas.sidecar import Capture, Original

Value = dict[str, Any]


def new_sidecar(blocks: Mapping[str, Any], *, schema: str, source: str, mode: str, path: str) -> Value:
    """The sidecar of an original that has none."""
    return {
        "$schema": schema,
        "kind": "sidecar",
        "version": 1,
        "id": new_id(),
        "curation": {},
        "original": blocks["original"],
        "origin": {"source": source, "mode": mode, "first_path": encode_name(path)},
        "capture": blocks.get("capture") or {},
        "measurements": blocks.get("measurements") or {},
        "problems": blocks.get("problems") or [],
    }


def refreshed(current: Value, blocks: Mapping[str, Any], schema: str | None = None) -> Value:
    """`current` with the machine blocks in `blocks`; keys in them that nobody here knows are kept."""
    value = dict(current)
    if "original" in blocks:
        value["original"] = _over(current.get("original") or {}, blocks["original"], Original)
    if "capture" in blocks:
        value["capture"] = _over(current.get("capture") or {}, blocks["capture"], Capture)
    if "measurements" in blocks:
        value["measurements"] = {**(current.get("measurements") or {}), **blocks["measurements"]}
    if "problems" in blocks:
        value["problems"] = blocks["problems"]
    if schema is not None and value != current:
        value = {"$schema": schema, **value, **({"$schema": schema} if "$schema" in value else {})}
    return value


def _over(old: Mapping[str, Any], new: Mapping[str, Any], model: type[Block]) -> Value:
    known = {field.alias or name for name, field in model.model_fields.items()}
    return {**new, **{name: value for name, value in old.items() if name not in known}}


def missing(current: Value, since: str) -> Value:
    """`current`, saying since when its original is gone."""
    original = current["original"]
    return current if "missing_since" in original else {**current, "original": {**original, "missing_since": since}}


def present(current: Value, name: str) -> Value:
    """`current`, saying that its original is there, under this name."""
    original = {key: value for key, value in current["original"].items() if key != "missing_since"}
    return {**current, "original": {**original, "name": encode_name(name)}}


def with_problem(current: Value, code: str, message: str) -> Value:
    """`current` with this problem in place of an older one of its code."""
    kept = without_problem(current.get("problems") or [], code)
    return {**current, "problems": [*kept, {"code": code, "message": message}]}


def without_problem(problems: Sequence[Mapping[str, Any]], code: str) -> list[Mapping[str, Any]]:
    """The problems of other codes."""
    return [problem for problem in problems if problem.get("code") != code]
