"""`lumina show`: all that is known of one photo, from its sidecar; needs no index."""

from __future__ import annotations

import argparse
import os
from typing import Any

from lumina_fs.catalog import Catalog, Source
from lumina_fs.cli.display import print_json, print_pairs
from lumina_fs.cli.session import add_command, add_json_option, open_catalog
from lumina_fs.errors import ExitCode, UsageError
from lumina_fs.roots import Root
from lumina_fs.sidecars import SUFFIX
from lumina_fs.wording import percent, size
from schemas.sidecar import SeenTag, device_name, seen_tags, tag_parts, taken_of


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "show", "lumina show 2019/IMG_0001.JPG --tags")
    parser.add_argument("photo", help="the photo, or its sidecar")
    parser.add_argument("--tags", action="store_true", help="with the metadata tags that the sidecar keeps")
    parser.add_argument("--all-tags", action="store_true", help="with all tags, read from the photo now by ExifTool")
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    path = os.path.abspath(args.photo.removesuffix(SUFFIX))
    with open_catalog(os.path.dirname(path)) as catalog:
        source, inner = locate(catalog, path)
        with Root.open(source.path) as root:
            sidecars = catalog.sidecars(source, root)
            stored = sidecars.read(inner)
            if stored is None:
                raise UsageError("has no sidecar yet; `lumina scan` writes it", path=path)
            value = sidecars.value(inner, stored)
            shown = os.path.join(sidecars.root.path, sidecars.path(inner))
            tags = _all_tags(root, inner) if args.all_tags else (value.get("capture") or {}).get("tags", {})
    if args.json:
        print_json({**value, "all_tags": tags} if args.all_tags else value)
    else:
        print_pairs([*_facts(value), ("sidecar", shown)])
        if args.tags or args.all_tags:
            print_pairs([(name, str(text)) for name, text in tags.items()])
    return ExitCode.DONE


def _all_tags(root: Root, inner: str) -> dict[str, Any]:
    """Everything that ExifTool says of an original, which may be more than its sidecar has room for."""
    from lumina_fs import exif
    from lumina_fs.filetypes import extension

    fd = root.open_file(inner)
    try:
        with exif.ExifReader(exif.require()[0]) as reader:
            [tags] = reader.read([exif.OpenFile(fd, extension(inner))])
    finally:
        os.close(fd)
    if isinstance(tags, exif.ExifFailure):
        raise UsageError(f"ExifTool cannot read it: {tags.reason}", path=inner)
    return tags


def locate(catalog: Catalog, path: str) -> tuple[Source, str]:
    """The source that a path lies in, and the path in it. Raises UsageError."""
    for source in sorted(catalog.sources(), key=lambda source: -len(source.path)):
        if path.startswith(source.path.rstrip("/") + "/"):
            return source, os.path.relpath(path, source.path)
    raise UsageError(f"lies in no source of the catalog {catalog.name}", path=path)


def _facts(value: dict[str, Any]) -> list[tuple[str, str]]:
    original, capture = value["original"], value.get("capture") or {}
    curation, measurements = value.get("curation") or {}, value.get("measurements") or {}
    rows: list[tuple[str, Any]] = [("name", original["name"]), ("kind", f"{original['format']} {original['media']}")]
    if original.get("width"):
        rows.append(("pixels", f"{original['width']} x {original['height']}"))
    rows += [("size", size(original["size"])), ("duration", original.get("duration")), ("taken", _taken(value))]
    rows += [("date flags", ", ".join(capture.get("date_flags") or [])), ("camera", device_name(capture.get("camera")))]
    rows += [("lens", device_name(capture.get("lens"))), ("exposure", _exposure(capture.get("exposure") or {}))]
    gps = capture.get("gps")
    rows.append(("place", f"{gps['latitude']}, {gps['longitude']}" if gps else None))
    for name in ("name", "caption", "rating", "label", "pick"):
        rows.append(("title" if name == "name" else name, curation.get(name)))
    rows.append(("text file", (value.get("text_caption") or {}).get("text")))
    rows.append(("tags", ", ".join("/".join(filter(None, tag_parts(tag))) for tag in curation.get("tags") or [])))
    rows.append(("seen by the machine", ", ".join(map(_seen, seen_tags(value)))))
    quality = measurements.get("quality")
    if quality:
        parts = ", ".join(f"{name} {points}" for name, points in quality.get("parts", {}).items())
        rows.append(("quality", f"{quality['value']} ({parts})"))
    for name in ("dhash", "phash", "ahash", "whash"):
        rows.append((name, (measurements.get(name) or {}).get("value")))
    rows += [("sha256", original.get("sha256")), ("missing since", original.get("missing_since")), ("id", value["id"])]
    rows += [("problem", f"{problem['code']}: {problem['message']}") for problem in value.get("problems") or []]
    return [(name, str(text)) for name, text in rows if text not in (None, "")]


def _seen(tag: SeenTag) -> str:
    times = f"{tag.times} " if tag.times is not None and tag.times > 1 else ""
    return f"{times}{'/'.join(filter(None, (tag.category, tag.value)))} {percent(tag.confidence)}"


def _taken(value: dict[str, Any]) -> str | None:
    taken = taken_of(value)
    if taken is None:
        return None
    source = taken.get("field") or taken["source"]
    return (
        f"{taken['local'].replace('T', ' ')}{taken.get('offset') or ''} (by {source}, confidence {taken['confidence']})"
    )


def _exposure(block: dict[str, Any]) -> str:
    parts = []
    if block.get("time"):
        seconds = block["time"]
        parts.append(f"1/{round(1 / seconds)} s" if seconds < 0.5 else f"{seconds:g} s")
    if block.get("f_number"):
        parts.append(f"f/{block['f_number']:g}")
    if block.get("iso"):
        parts.append(f"ISO {block['iso']}")
    if block.get("focal_length"):
        parts.append(f"{block['focal_length']:g} mm")
    return ", ".join(parts)
