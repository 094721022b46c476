"""The models as mere checks: what they refuse is refused, and no objects are made of what they accept.

A library has a hundred thousand sidecars, and who reads them all needs their values, not models of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator, core_schema


@cache
def checker(model: type[BaseModel]) -> Callable[[Any], bool]:
    """A function that is true for the parsed JSON that `model` accepts, made from the model's own schema."""
    model.model_rebuild()  # builds it where it was not needed before
    return SchemaValidator(_bare(model.__pydantic_core_schema__)).isinstance_python


def _bare(schema: Any) -> Any:
    """A schema with plain objects for models. What builds something (defaults) goes, what checks stays."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kind = schema.get("type")
    if kind == "model":
        return _object(schema)
    if kind == "dict" and schema["values_schema"]["type"] == "any":
        return core_schema.is_instance_schema(dict)  # JSON has no keys but strings
    return {key: _bare(value) for key, value in schema.items() if key != "metadata"}


def _object(model: Mapping[str, Any]) -> Any:
    """The fields of a model. Keys that it does not know are allowed, as in every Block."""
    fields = {}
    for name, field in model["schema"]["fields"].items():
        inner = field["schema"]
        optional = inner["type"] == "default"
        fields[name] = core_schema.typed_dict_field(
            _bare(inner["schema"] if optional else inner),
            required=not optional,
            validation_alias=field.get("validation_alias"),
        )
    return core_schema.typed_dict_schema(fields, extra_behavior="ignore", config=model["config"], ref=model["ref"])
