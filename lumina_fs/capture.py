"""The capture block of a sidecar: what ExifTool's tags say, with the parts that everybody asks for in one form.

The remaining tags are kept under ExifTool's names (`Group:Name`) as far as the budget allows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from lumina_fs.dates import select

#: Still formats that are turned by a property of their container, not by EXIF.
_BOXES = ("HEIC", "HEIF", "AVIF")

#: H.264 streams name their maker by number.
_H264_MAKERS = {0x103: "Panasonic", 0x108: "Sony", 0x1011: "Canon", 0x1104: "JVC"}

#: Exposure programs of Exif 2.32, by number.
_PROGRAMS = {
    1: "manual", 2: "program", 3: "aperture priority", 4: "shutter priority", 5: "creative", 6: "action",
    7: "portrait", 8: "landscape", 9: "bulb",
}  # fmt: skip

#: Groups of tags, dearest first: when there is no room for all, the last ones go.
_DEAREST = ("EXIF", "XMP", "IPTC", "QuickTime", "MakerNotes", "File", "Composite", "ICC_Profile")
_NAMES_SHOWN = 40
_LONGEST_VALUE = 1024
_DROPPED = frozenset({
    "File:FileType", "File:FileTypeExtension", "File:MIMEType", "File:CurrentIPTCDigest", "ExifTool:Warning",
    "EXIF:ThumbnailOffset", "EXIF:ThumbnailLength",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capture:
    """The block, and what the metadata says of the original itself: pixels as displayed, seconds."""

    block: dict[str, Any]
    width: int | None
    height: int | None
    duration: float | None


def capture(
    tags: Mapping[str, Any],
    *,
    path: str,
    mtime_ns: int,
    now: datetime,
    media: str,
    reader: str,
    tag_bytes: int,
) -> Capture:
    """Make the block from `tags` as `exiftool -j -G -n` gives them. `path` is relative to the source."""
    dates = select(tags, path=path, mtime_ns=mtime_ns, now=now, media=media)
    kept, left_out = budget(tags, tag_bytes)
    found = _Tags(tags)
    block: dict[str, Any] = {
        "taken": dates.taken,
        "dates": dates.candidates,
        "date_flags": dates.flags,
        "camera": _camera(found),
        "lens": _lens(found),
        "exposure": _exposure(found),
        "gps": _gps(found),
        "orientation": found.whole(1, 8, "EXIF:Orientation", "Orientation"),
        "reader": reader if tags else None,
        "tags": kept,
        "tags_left_out": left_out,
    }
    width, height = _size(found, media)
    duration = found.number("Composite:Duration", "Duration")
    return Capture(
        {name: value for name, value in block.items() if value},
        width,
        height,
        round(duration, 3) if duration is not None and 0 <= duration < 1e8 else None,
    )


def budget(tags: Mapping[str, Any], room: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The tags that fit into `room` bytes of JSON, in their order, and a note on those that do not."""
    rank = {group: number for number, group in enumerate(_DEAREST)}
    clean = {name: _clean(value) for name, value in tags.items() if name not in _DROPPED}
    clean = {name: value for name, value in clean.items() if not _is_placeholder(value)}
    cost = {name: len(orjson.dumps({name: value}, option=orjson.OPT_INDENT_2)) + 5 for name, value in clean.items()}
    by_worth = sorted(clean, key=lambda name: rank.get(name.partition(":")[0], 5))
    chosen: set[str] = set()
    for name in by_worth:
        if cost[name] <= min(room, _LONGEST_VALUE):
            chosen.add(name)
            room -= cost[name]
    out = [name for name in tags if name not in chosen and name not in _DROPPED]
    note = {"count": len(out), "names": out[:_NAMES_SHOWN]} if out else None
    return {name: value for name, value in clean.items() if name in chosen}, note


def _is_placeholder(value: Any) -> bool:
    """ExifTool says how long binary data is instead of showing it."""
    return isinstance(value, str) and value.startswith("(Binary data ")


def _clean(value: Any) -> Any:
    """A value that every JSON reader takes: no infinities, no lone surrogates."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {str(_clean(str(name))): _clean(item) for name, item in value.items()}
    return value


@dataclass(slots=True)
class _Tags:
    """The tags of one file, found by full key (`EXIF:Make`) or by name in any group (`Make`)."""

    tags: Mapping[str, Any]
    _keys: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in self.tags:
            self._keys.setdefault(key.rpartition(":")[2], []).append(key)

    def values(self, *wanted: str) -> Iterator[Any]:
        """What there is under these keys and names, in their order."""
        for key in wanted:
            if ":" in key:
                if key in self.tags:
                    yield self.tags[key]
            else:
                yield from (self.tags[found] for found in self._keys.get(key, ()))

    def text(self, *wanted: str) -> str | None:
        """The first that is a text or number with something in it, on one line."""
        for value in self.values(*wanted):
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                text = " ".join(str(_clean(value)).replace("\0", " ").split())
                if text and not _is_placeholder(text):
                    return text[:200]
        return None

    def number(self, *wanted: str) -> float | None:
        """The first that is a number, or a text that starts with one."""
        for value in self.values(*wanted):
            if isinstance(value, str):
                value = value.split()[0] if value.split() else ""
            if isinstance(value, bool):
                continue
            try:
                number = float(value)
            except (TypeError, ValueError):
                continue
            if math.isfinite(number):
                return number
        return None

    def whole(self, low: int, high: int, *wanted: str) -> int | None:
        """The first that is an integer from `low` to `high`."""
        for value in self.values(*wanted):
            if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
                return value
        return None


def _camera(tags: _Tags) -> dict[str, str]:
    h264 = _H264_MAKERS.get(tags.whole(0, 0xFFFF, "H264:Make") or 0)
    found = {
        "make": h264 or tags.text("EXIF:Make", "XMP:Make", "QuickTime:Make", "Make"),
        "model": tags.text("EXIF:Model", "XMP:Model", "QuickTime:Model", "Model"),
        "serial": tags.text("EXIF:SerialNumber", "SerialNumber", "InternalSerialNumber"),
    }
    return {name: value for name, value in found.items() if value}


def _lens(tags: _Tags) -> dict[str, str]:
    model = tags.text("EXIF:LensModel", "XMP:LensModel", "LensModel", "Lens")
    if model is None or re.fullmatch(r"[\d. ]+", model):
        model = _lens_of_numbers(tags.text("EXIF:LensInfo", "LensInfo", "Lens"))
    found = {"make": tags.text("EXIF:LensMake", "LensMake"), "model": model}
    return {name: value for name, value in found.items() if value}


def _lens_of_numbers(info: str | None) -> str | None:
    """LensInfo's four numbers as lenses are labelled: `18 55 3.5 5.6` -> `18-55mm f/3.5-5.6`."""
    try:
        short, long, wide, tele = (float(part) for part in (info or "").split())
    except ValueError:
        return None
    if not (0 < short <= long and math.isfinite(long)):
        return None
    focal = f"{short:g}mm" if short == long else f"{short:g}-{long:g}mm"
    if not (0 < wide < 100):
        return focal
    return f"{focal} f/{wide:g}" + (f"-{tele:g}" if wide < tele < 100 else "")


def _exposure(tags: _Tags) -> dict[str, Any]:
    iso = tags.number("EXIF:ISO", "Composite:ISO", "ISO")
    flash = tags.whole(0, 255, "EXIF:Flash", "XMP:FlashFired")
    program = tags.whole(1, 9, "EXIF:ExposureProgram")
    found: dict[str, Any] = {
        "time": _positive(tags.number("EXIF:ExposureTime", "Composite:ShutterSpeed", "XMP:ExposureTime")),
        "f_number": _positive(tags.number("EXIF:FNumber", "Composite:Aperture", "XMP:FNumber")),
        "iso": int(iso) if iso and 0 < iso < 1e8 else None,
        "bias": tags.number("EXIF:ExposureCompensation"),
        "focal_length": _positive(tags.number("EXIF:FocalLength", "XMP:FocalLength")),
        "focal_length_35mm": _positive(tags.number("EXIF:FocalLengthIn35mmFormat", "Composite:FocalLength35efl")),
        "flash": bool(flash & 1) if flash is not None else None,
        "program": _PROGRAMS.get(program or 0),
    }
    return {name: value for name, value in found.items() if value is not None}


def _positive(value: float | None) -> float | None:
    return round(value, 6) if value is not None and 0 < value < 1e7 else None


def _gps(tags: _Tags) -> dict[str, float]:
    latitude = tags.number("Composite:GPSLatitude", "XMP:GPSLatitude")
    longitude = tags.number("Composite:GPSLongitude", "XMP:GPSLongitude")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return {}
    place = {"latitude": round(latitude, 7), "longitude": round(longitude, 7)}
    altitude = tags.number("Composite:GPSAltitude", "EXIF:GPSAltitude")
    if altitude is not None and abs(altitude) < 100_000:
        place["altitude"] = round(altitude, 2)
    return place


def _size(tags: _Tags, media: str) -> tuple[int | None, int | None]:
    """Width and height as displayed: turned by EXIF's orientation or the container's rotation."""
    width, height = _stored_size(tags)
    if width is None or height is None:
        return None, None
    rotation = tags.number("QuickTime:Rotation", "Composite:Rotation")
    if rotation is not None or media == "video" or tags.text("File:FileType") in _BOXES:
        turned = (rotation or 0) % 180 == 90
    else:
        turned = (tags.whole(1, 8, "EXIF:Orientation", "Orientation") or 1) >= 5
    return (height, width) if turned else (width, height)


def _stored_size(tags: _Tags) -> tuple[int | None, int | None]:
    parts = re.split(r"[ x]", tags.text("Composite:ImageSize") or "")
    if len(parts) == 2 and all(part.isdecimal() for part in parts) and "0" not in parts:
        return int(parts[0]), int(parts[1])
    for group in ("File", "PNG", "EXIF"):
        width = tags.whole(1, 1 << 31, f"{group}:ImageWidth")
        height = tags.whole(1, 1 << 31, f"{group}:ImageHeight")
        if width and height:
            return width, height
    return None, None
