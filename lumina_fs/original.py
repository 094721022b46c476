"""Open one original once: its digest, its first bytes, and an upright reduced picture. Runs in a worker process.

The reduced picture is the recipe that all hashes rest on: JPEG decoded in gray at an eighth or less (`draft`),
turned upright, and brought to 64 x 64 by one box reduction where it is larger. Transparency is laid over white.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PIL import Image, ImageFile, UnidentifiedImageError

from lumina_fs.filetypes import RAW_FORMATS, Identified
from lumina_fs.undecodable import Undecodable
from lumina_fs.video import poster

T = TypeVar("T")

#: Files up to this size are read into memory at once; larger ones are hashed piece by piece.
_IN_MEMORY = 96 << 20
_CHUNK = 1 << 20
_HEAD = 4096

#: Our format -> the Pillow plugins that may open it. Nothing else is ever tried.
_PLUGINS: dict[str, tuple[str, ...]] = {
    "JPEG": ("JPEG",),  # which hands multi-picture files to MPO itself
    "PNG": ("PNG",),
    "GIF": ("GIF",),
    "BMP": ("BMP", "DIB"),
    "TIFF": ("TIFF",),
    "WEBP": ("WEBP",),
    "HEIC": ("HEIF",),
    "AVIF": ("AVIF",),
    "JP2": ("JPEG2000",),
    "PSD": ("PSD",),
    "JXL": ("JXL",),
}
#: Side of the square that hashes are made from, in pixels.
SIDE = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may cost."""

    max_pixels: int = 256_000_000


@dataclass(slots=True)
class Reading:
    """One original, read. `data` is its content while it is small enough to hold, and until it is forgotten."""

    fd: int
    sha256: str
    size: int
    mtime_ns: int
    head: bytes
    changed: bool
    data: bytes | None = None

    def forget(self) -> None:
        """Let the content go."""
        self.data = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded original. `gray` is upright, 8 bit; width and height are those of the whole picture as displayed."""

    gray: Image.Image
    width: int
    height: int
    jpeg_quality: int | None = None
    duration: float | None = None
    truncated: bool = False
    from_preview: bool = False


def read_original(fd: int, beat: Callable[[], None]) -> Reading:
    """Read the file at `fd` once, hashing on the way; `beat` is called for each piece. Raises OSError."""
    before = os.fstat(fd)
    digest = hashlib.sha256()
    parts: list[bytes] = []
    keep = before.st_size <= _IN_MEMORY
    head, size = b"", 0
    while True:
        part = os.read(fd, max(_CHUNK, before.st_size + 1 if keep else 0))
        if not part:
            break
        beat()
        digest.update(part)
        size += len(part)
        if not head:
            head = part[:_HEAD]
        if keep:
            parts.append(part)
    after = os.fstat(fd)
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    changed = changed or size != after.st_size
    data = (parts[0] if len(parts) == 1 else b"".join(parts)) if keep else None
    return Reading(fd, digest.hexdigest(), size, after.st_mtime_ns, head, changed, data)


def decode(reading: Reading, identified: Identified, limits: Limits) -> Picture | Undecodable:
    """The upright reduced picture. Never raises for what a file holds."""
    if identified.media == "video" and reading.size:
        frame = poster(reading.fd, limits.max_pixels)
        if isinstance(frame, Undecodable):
            return frame
        width, height = frame.image.size
        gray = reduced(to_gray(frame.image))
        return Picture(gray, width, height, duration=frame.duration, from_preview=True)
    return _decoded(reading, identified, limits, lambda image: _reduce(image, 1))


def render(reading: Reading, identified: Identified, limits: Limits, side: int) -> Image.Image | Undecodable:
    """The upright picture in colour, no side longer than `side`. Never raises for what a file holds."""
    if identified.media == "video" and reading.size:
        frame = poster(reading.fd, limits.max_pixels)
        return frame if isinstance(frame, Undecodable) else _scaled(frame.image, side, 1)
    return _decoded(reading, identified, limits, lambda image: _scaled(image, side, 1))


def reduction(picture: Picture) -> bytes:
    """The reduced picture as 64 x 64 bytes, row by row; one that is smaller in a direction is stretched."""
    return stretched(picture.gray).tobytes()


def open_picture(
    reading: Reading, identified: Identified, limits: Limits, use: Callable[[Image.Image], T]
) -> T | Undecodable:
    """What `use` makes of an opened still picture, not yet decoded. Never raises for what a file holds."""
    return _decoded(reading, identified, limits, use)


def decode_preview(data: bytes, orientation: int, limits: Limits) -> Picture | Undecodable:
    """A picture from the JPEG that a camera embedded; turned as the original says if the preview does not."""
    found = _open(io.BytesIO(data), ("JPEG", "TIFF"), limits, lambda image: _reduce(image, orientation))
    if isinstance(found, Undecodable):
        return found
    return Picture(found.gray, found.width, found.height, from_preview=True)


def render_preview(data: bytes, orientation: int, limits: Limits, side: int) -> Image.Image | Undecodable:
    """The same in colour, no side longer than `side`."""
    return _open(io.BytesIO(data), ("JPEG", "TIFF"), limits, lambda image: _scaled(image, side, orientation))


def _decoded(
    reading: Reading, identified: Identified, limits: Limits, use: Callable[[Image.Image], T]
) -> T | Undecodable:
    """What `use` makes of a still picture."""
    if reading.size == 0:
        return Undecodable("empty", "the file has no content")
    if identified.format in RAW_FORMATS:
        return Undecodable("undecodable", "RAW data is not decoded, and no preview is inside", True)
    missing = _load_plugin(identified.format)
    if missing is not None:
        return missing
    plugins = _PLUGINS.get(identified.format)
    if plugins is None:
        return Undecodable("undecodable", f"there is no decoder for {identified.format}", True)
    stream: Any = io.BytesIO(reading.data) if reading.data is not None else _stream(reading.fd)
    return _open(stream, plugins, limits, use)


def _stream(fd: int) -> Any:
    os.lseek(fd, 0, os.SEEK_SET)
    return os.fdopen(os.dup(fd), "rb")


def _load_plugin(format_: str) -> Undecodable | None:
    """Make Pillow able to read `format_`; plugins are loaded when the first file needs them."""
    try:
        if format_ == "HEIC":
            import pillow_heif

            pillow_heif.register_heif_opener(thumbnails=False)
        elif format_ == "JXL":
            import pillow_jxl  # noqa: F401
    except ImportError:
        what = 'pip install "lumina-fs[jxl]"' if format_ == "JXL" else "pip install pillow-heif"
        return Undecodable("decoder_missing", f"decoding {format_} needs: {what}", True)
    return None


def _open(stream: Any, plugins: tuple[str, ...], limits: Limits, use: Callable[[Image.Image], T]) -> T | Undecodable:
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with stream, Image.open(stream, formats=plugins) as image:
                return use(image)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            return Undecodable("too_large", f"more than {limits.max_pixels:,} pixels")
        except MemoryError:
            return Undecodable("too_large", "decoding it needs more memory than a worker may use")
        except UnidentifiedImageError:
            return Undecodable("undecodable", "cannot be decoded: its content is no picture that a decoder knows", True)
        except Exception as error:
            return Undecodable("undecodable", _reason(error), True)


def _reason(error: Exception) -> str:
    """A short reason without addresses or paths, the same every time."""
    text = str(error).splitlines()[0] if str(error) else ""
    if "0x" in text or "<" in text or "/" in text or not text:
        text = type(error).__name__
    return f"cannot be decoded: {text[:120]}"


def _reduce(image: Image.Image, fallback_orientation: int) -> Picture:
    width, height = image.size
    quality = _jpeg_quality(image) if image.format in ("JPEG", "MPO") else None
    duration = _duration(image)
    image.draft("L", (SIDE, SIDE))
    truncated = _load(image)
    gray = to_gray(image)
    orientation = orientation_of(image, fallback_orientation)
    if orientation in _TURNS:
        gray = reduced(gray).transpose(_TURNS[orientation])
        if orientation >= 5:
            width, height = height, width
    return Picture(reduced(gray), width, height, quality, duration, truncated)


def _scaled(image: Image.Image, side: int, fallback_orientation: int) -> Image.Image:
    image.draft("RGB", (side, side))
    _load(image)
    orientation = orientation_of(image, fallback_orientation)
    colour = to_gray(image) if image.mode in _DEEP else _flat(image)
    colour.thumbnail((side, side), Image.Resampling.LANCZOS)
    return colour.transpose(_TURNS[orientation]) if orientation in _TURNS else colour


def _load(image: Image.Image) -> bool:
    """Decode; True when only part of the picture is there."""
    try:
        image.load()
    except OSError:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        return True
    return False


def orientation_of(image: Image.Image, fallback: int = 1) -> int:
    """The EXIF orientation that the picture itself carries; `fallback` where it says nothing."""
    own = image.getexif().get(0x0112, 1)
    return fallback if own == 1 else int(own) if isinstance(own, int) else 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def reduced(gray: Image.Image) -> Image.Image:
    """64 x 64 by one box reduction; a picture that is smaller in one direction stays as it is."""
    if gray.size == (SIDE, SIDE) or min(gray.size) < SIDE:
        return gray
    return gray.resize((SIDE, SIDE), Image.Resampling.BOX)


def stretched(gray: Image.Image) -> Image.Image:
    """64 x 64, whatever it was."""
    return gray if gray.size == (SIDE, SIDE) else gray.resize((SIDE, SIDE), Image.Resampling.BILINEAR)


#: Modes of more than eight bits a channel.
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def to_gray(image: Image.Image) -> Image.Image:
    """8-bit gray. Deeper pictures are scaled by their own range, transparent ones are laid over white."""
    if image.mode in _DEEP:
        floats = image.convert("F")
        low, high = floats.getextrema()
        span = float(high) - float(low) or 1.0  # type: ignore[arg-type]
        return floats.point(lambda v: v * (255.0 / span) - float(low) * 255.0 / span).convert("L")  # type: ignore[arg-type]
    return image if image.mode == "L" else _flat(image).convert("L")


def _flat(image: Image.Image) -> Image.Image:
    """RGB, transparency laid over white."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _duration(image: Image.Image) -> float | None:
    """Seconds of an animation, None for a still picture; counted without decoding frames."""
    frames = getattr(image, "n_frames", 1)
    if image.format not in ("GIF", "PNG", "WEBP") or frames < 2:
        return None
    return round(float(image.info.get("duration", 0)) * frames / 1000.0, 3) or None


def _jpeg_quality(image: Image.Image) -> int | None:
    """libjpeg's quality setting, estimated from the luminance quantisation table against the standard one."""
    tables = getattr(image, "quantization", None)
    if not tables or 0 not in tables:
        return None
    scale = 100.0 * float(sum(tables[0])) / _STANDARD_SUM
    quality: float = (200.0 - scale) / 2.0 if scale <= 100 else 5000.0 / scale
    return max(1, min(100, round(quality)))


#: Sum of the standard luminance table (ITU-T T.81, annex K).
_STANDARD_SUM = 3692
