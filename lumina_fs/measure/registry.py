"""The measurers, each with a name and a version: a new version measures again what the old one did, and only that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lumina_fs.original import Picture

#: Name -> version. Add one to a version when its values change; all originals are then measured anew for it.
VERSIONS: dict[str, int] = {
    "dhash": 1,
    "ahash": 1,
    "phash": 1,
    "whash": 1,
    "information": 1,
    "quality": 1,
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a measurer may use besides the reduced picture. Width and height are as displayed."""

    format: str
    media: str
    size: int
    width: int
    height: int
    capture: Mapping[str, Any]


def outdated(measurements: Mapping[str, Any], media: str) -> frozenset[str]:
    """The names of measurers whose value is missing from, or older in, a sidecar's measurements."""
    return frozenset(
        [
            name
            for name, version in VERSIONS.items()
            if (measurements.get(name) or {}).get("version") != version and (name != "quality" or media == "image")
        ]
    )


def load() -> None:
    """Load what measuring needs before there is anything to measure."""
    from lumina_fs.measure import hashes, information, quality  # noqa: F401


def measure(picture: Picture, context: Context, wanted: frozenset[str] | None) -> dict[str, Any]:
    """The measurements in `wanted` (None: all), by name, as they stand in a sidecar."""
    # numpy loads here, in the worker, and not where only the versions are asked for
    from lumina_fs.measure import hashes, information, quality

    found: dict[str, Any] = {}
    for name in VERSIONS if wanted is None else sorted(wanted, key=list(VERSIONS).index):
        if name == "information":
            value, worthless = information.information(picture.gray)
            found[name] = {"version": VERSIONS[name], "value": value}
            if worthless:
                found[name]["worthless"] = worthless
        elif name == "quality":
            if context.media != "image":
                continue
            score, parts = quality.quality(
                format_=context.format,
                size=context.size,
                width=context.width,
                height=context.height,
                jpeg_quality=picture.jpeg_quality,
                capture=context.capture,
            )
            found[name] = {"version": VERSIONS[name], "value": score, "parts": parts}
        else:
            code = getattr(hashes, name)(picture.gray)
            found[name] = {"version": VERSIONS[name], "value": code}
    return found
