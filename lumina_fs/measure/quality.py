"""A score from 0 to 100 that says which of two copies of one picture is the better file, with its four parts.

| part | points | from |
|---|---|---|
| format | 40 | RAW 40, lossless 36, HEIC/AVIF/JXL 34, JPEG 12 to 34 by its quality, WebP 24, GIF 8 |
| resolution | 30 | megapixels on a log scale: 0.1 MP and less 0, 24 MP and more 30 |
| size | 20 | bytes per pixel on a log scale: 0.02 and less 0, 2 and more 20 |
| metadata | 10 | date 4, camera 3, lens or exposure 1, place 2 |
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import Any

from lumina_fs.filetypes import RAW_FORMATS

_FORMATS = {
    "TIFF": 36.0, "PNG": 36.0, "PSD": 36.0, "BMP": 36.0, "HEIC": 34.0, "AVIF": 34.0, "JXL": 34.0,
    "JP2": 30.0, "WEBP": 24.0, "GIF": 8.0,
}  # fmt: skip


def quality(
    *,
    format_: str,
    size: int,
    width: int,
    height: int,
    jpeg_quality: int | None,
    capture: Mapping[str, Any],
) -> tuple[float, dict[str, float]]:
    """The score, to one decimal, and its parts; the parts add up to it."""
    pixels = max(1, width * height)
    if format_ in RAW_FORMATS:
        form = 40.0
    elif format_ == "JPEG":
        form = 12.0 + 22.0 * (jpeg_quality if jpeg_quality is not None else 75) / 100.0
    else:
        form = _FORMATS.get(format_, 16.0)
    parts = {
        "format": round(form, 1),
        "resolution": round(30.0 * _scale(pixels / 1e6, 0.1, 24.0), 1),
        "size": round(20.0 * _scale(size / pixels, 0.02, 2.0), 1),
        "metadata": _metadata(capture),
    }
    return round(sum(parts.values()), 1), parts


def _scale(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, logarithmic between."""
    return min(1.0, max(0.0, (log10(max(value, 1e-9)) - log10(low)) / (log10(high) - log10(low))))


def _metadata(capture: Mapping[str, Any]) -> float:
    taken = capture.get("taken") or {}
    points = 4.0 if taken.get("source") in ("exif", "xmp", "quicktime") else 0.0
    points += 3.0 if capture.get("camera") else 0.0
    points += 1.0 if capture.get("lens") or capture.get("exposure") else 0.0
    return points + (2.0 if capture.get("gps") else 0.0)
