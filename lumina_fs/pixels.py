"""A digest of what an original shows, apart from its metadata: equal digests mean that every pixel is the same.

A JPEG is not decoded for it: its coded picture without comments and application segments says the same, and says it
whatever decoder is installed. Other formats are decoded to the full.
"""

from __future__ import annotations

import hashlib

from PIL import Image

from lumina_fs.filetypes import Identified
from lumina_fs.original import Limits, Reading, open_picture, orientation_of
from lumina_fs.undecodable import Undecodable

_SOI, _SOS, _COM = 0xD8, 0xDA, 0xFE
#: Application segments that change what a viewer shows: Adobe's (how colours are coded), and ICC profiles.
_SHOWN = {0xEE: b"Adobe", 0xE2: b"ICC_PROFILE"}


def pixel_digest(reading: Reading, identified: Identified, limits: Limits) -> bytes | Undecodable:
    """32 bytes. Never raises for what a file holds; a file too large to hold in memory has none."""
    if identified.format == "JPEG" and reading.data is not None:
        coded = _coded_picture(reading.data)
        if coded is not None:
            return open_picture(reading, identified, limits, lambda image: _digest(b"JPEG", image, coded))
    return open_picture(reading, identified, limits, lambda image: _digest(b"RGBA", image, None))


def _digest(form: bytes, image: Image.Image, coded: bytes | None) -> bytes:
    """Over the form, the orientation, and either the coded picture or the decoded one with its colour profile."""
    digest = hashlib.sha256(form + b"\0%d\0" % orientation_of(image))
    if coded is not None:
        digest.update(coded)
        return digest.digest()
    digest.update(hashlib.sha256(image.info.get("icc_profile") or b"").digest())
    for number in range(getattr(image, "n_frames", 1)):  # the pages of a scan, the frames of an animation
        if number:
            image.seek(number)
        mode = "RGBA" if image.mode in ("RGBA", "LA", "PA", "P") or "transparency" in image.info else image.mode
        decoded = image.convert(mode)
        digest.update(f"{decoded.mode} {decoded.width} x {decoded.height}".encode() + b"\0" + decoded.tobytes())
    return digest.digest()


def _coded_picture(data: bytes) -> bytes | None:
    """All segments of a JPEG that say what it shows, in order; None where it cannot be told.

    Of several pictures in one file the first counts, as it does for every viewer.
    """
    if data[:2] != bytes((0xFF, _SOI)):
        return None
    kept: list[bytes] = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at : at + 2 + length]
        if marker == _SOS:
            end = data.rfind(b"\xff\xd9")
            follows = data.find(b"\xff\xd9\xff\xd8", at)  # another picture behind it
            stop = follows if follows >= 0 else end
            return b"".join(kept) + data[at : stop if stop > at else len(data)]
        if not (marker == _COM or 0xE0 <= marker <= 0xEF) or segment[4:].startswith(_SHOWN.get(marker, b"\0never")):
            kept.append(segment)
        at += 2 + length
    return None
