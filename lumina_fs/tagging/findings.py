"""What models saw, in the form in which a sidecar says it: small, rounded, always in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lumina_fs.measure.orders import Box
from lumina_fs.tagging.wishes import CLIP, OBJECTS

#: Boxes of one kind of object that a sidecar has room for.
_BOXES = 8
#: Kinds of objects of one picture.
_KINDS = 32


def clip_finding(stamp: Mapping[str, Any], tags: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The measurement `clip_tags`."""
    return {CLIP: {**stamp, "tags": [dict(tag) for tag in tags]}}


def objects_finding(stamp: Mapping[str, Any], boxes: Sequence[Box]) -> dict[str, Any]:
    """The measurement `objects`: each kind with how many there are, the best confidence, and where."""
    kinds: dict[str, list[Box]] = {}
    for box in sorted(boxes, key=lambda box: -box.confidence):
        name = box.value.encode("utf-8", "replace").decode().strip()  # a file of weights says what it likes
        if name:
            kinds.setdefault(name, []).append(box)
    found = [
        {
            "value": value,
            "count": len(some),
            "confidence": round(min(some[0].confidence, 1.0), 3),
            "boxes": [[round(number, 4) for number in box[2:]] for box in some[:_BOXES]],
        }
        for value, some in kinds.items()
    ]
    found.sort(key=lambda one: (-one["confidence"], one["value"]))  # type: ignore[operator]
    return {OBJECTS: {**stamp, "objects": found[:_KINDS]}}
