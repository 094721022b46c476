"""Many rows as sidecars would give them, without the sidecars."""

from __future__ import annotations

import random
from collections.abc import Iterator

from index.entry import entry, seen_line

_PLACES = ["beach", "garden", "lake", "wedding", "office", "mountain", "kitchen", "zoo", "harbour", "museum"]
_CAMERAS = [
    ("Canon", "Canon EOS 80D"),
    ("NIKON CORPORATION", "NIKON D750"),
    ("Apple", "iPhone 13"),
    ("SONY", "ILCE-7M3"),
]


def rows(count: int) -> Iterator[tuple[bytes, bytes]]:
    """COPY lines of `count` originals and of how they were seen, ten thousand at a time."""
    choose = random.Random(7)
    lines: list[bytes] = []
    seen: list[bytes] = []
    for number in range(count):
        # in the order of folders, as a library lies on disk: from year to year, the first one by an old camera
        day_number = number * 20 * 336 // count
        year, month, day = 2005 + day_number // 336, day_number // 28 % 12 + 1, day_number % 28 + 1
        place = choose.choice(_PLACES)
        camera = ("Canon", "Canon PowerShot A5") if year == 2005 else choose.choice(_CAMERAS)
        path = f"{year}/{year}-{month:02}-{day:02} {place}/IMG_{number:07}.JPG"
        document = {
            "kind": "sidecar", "version": 1, "id": f"00000000-0000-7000-8000-{number:012x}",
            "curation": {"rating": number % 6, "tags": ["people/anna"] if number % 50 == 0 else []},
            "original": {"media": "video" if number % 40 == 0 else "image", "name": path.rpartition("/")[2],
                         "size": 2_000_000 + number, "mtime_ns": number, "sha256": f"{choose.getrandbits(256):064x}",
                         "format": "MOV" if number % 40 == 0 else "JPEG", "width": 4032, "height": 3024},
            "origin": {"source": "main", "mode": "reference", "first_path": path},
            "capture": {"taken": {"local": f"{year}-{month:02}-{day:02}T12:{number % 60:02}:00", "source": "exif",
                                  "confidence": 95},
                        "camera": {"make": camera[0], "model": camera[1]}, "lens": {"model": "50mm f/1.8"},
                        "exposure": {"time": 0.01, "f_number": 4.0, "iso": 100 * (number % 32 + 1)}},
            "measurements": {name: {"version": 1, "value": f"{choose.getrandbits(64):016x}"}
                             for name in ("dhash", "ahash", "phash", "whash")}
            | {"quality": {"version": 1, "value": choose.randrange(1000) / 10}},
            "problems": [],
        }  # fmt: skip
        made = entry(document, "main", path, "ab" * 32, f"seen {number}")
        lines.append(made.line)
        seen.append(seen_line("main", made.seen))
        if len(lines) == 10_000 or number == count - 1:
            yield b"".join(lines), b"".join(seen)
            lines, seen = [], []
