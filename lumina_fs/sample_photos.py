"""Sample photos for the demo: drawn, not taken, with the metadata, the twins and the faults that real folders have."""

from __future__ import annotations

import math
import os
import random
import shutil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import Image


class _Event(NamedTuple):
    """A folder of photos of one day: (hours, minutes) of the first, one every seven minutes."""

    folder: str
    day: str
    camera: tuple[str, str, str]
    place: tuple[float, float] | None


_CANON = ("Canon", "Canon EOS 80D", "EF-S18-135mm f/3.5-5.6 IS USM")
_NIKON = ("NIKON CORPORATION", "NIKON D750", "24.0-120.0 mm f/4.0")
_PHONE = ("Apple", "iPhone 13", "iPhone 13 back camera 5.1mm f/1.6")
_EVENTS = (
    _Event("2018/2018-07-14 Lake", "2018:07:14", _CANON, (46.0037, 8.9511)),
    _Event("2019/2019-05-02 Garden", "2019:05:02", _NIKON, None),
    _Event("2021/2021-12-24 Christmas", "2021:12:24", _PHONE, (52.5200, 13.4050)),
    _Event("2023/Firenze, città", "2023:08:19", _PHONE, (43.7696, 11.2558)),
)
_PER_EVENT = 6


def make_samples(folder: str) -> None:
    """Make the folder. Under another name first, so that a run that was stopped leaves nothing half made."""
    part = f"{folder}.part"
    shutil.rmtree(part, ignore_errors=True)
    for number, event in enumerate(_EVENTS):
        for index in range(_PER_EVENT):
            path = os.path.join(part, event.folder, f"IMG_{number:02}{index + 1:02}.JPG")
            _photo(path, number * 10 + index, event, index)
    _twins(part)
    _odd_ones(part)
    os.rename(part, folder)


def _photo(path: str, seed: int, event: _Event, index: int, orientation: int = 1) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _drawn(seed).save(path, "JPEG", quality=91, exif=_exif(event, index, orientation))


def _exif(event: _Event, index: int, orientation: int) -> Image.Exif:
    from PIL import Image
    from PIL.ExifTags import GPS, IFD, Base

    make, model, lens = event.camera
    minute = 9 * 60 + 12 + index * 7
    taken = f"{event.day} {minute // 60:02}:{minute % 60:02}:{index * 7:02}"
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Orientation], exif[Base.DateTime] = make, model, orientation, taken
    inner = exif.get_ifd(IFD.Exif)
    inner[Base.DateTimeOriginal] = inner[Base.DateTimeDigitized] = taken
    inner[Base.OffsetTimeOriginal] = "+02:00"
    inner[Base.ExposureTime], inner[Base.FNumber] = 1 / (60 * (index + 1)), 4.0
    inner[Base.ISOSpeedRatings], inner[Base.FocalLength], inner[Base.LensModel] = 100 * (index + 1), 35.0, lens
    if event.place is not None:
        place = exif.get_ifd(IFD.GPSInfo)
        latitude, longitude = event.place
        place[GPS.GPSLatitudeRef], place[GPS.GPSLongitudeRef] = "N", "E"
        place[GPS.GPSLatitude] = _degrees(latitude + index * 0.001)
        place[GPS.GPSLongitude] = _degrees(longitude + index * 0.001)
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = value % 1 * 60
    return float(int(value)), float(int(minutes)), round(minutes % 1 * 60, 3)


def _twins(part: str) -> None:
    """Exact copies in a backup folder, a smaller copy from a messenger, a turned one."""
    from PIL import Image

    lake = os.path.join(part, _EVENTS[0].folder)
    backup = os.path.join(part, "Backup of old laptop")
    os.makedirs(backup)
    for name in ("IMG_0001.JPG", "IMG_0002.JPG", "IMG_0003.JPG"):
        shutil.copy2(os.path.join(lake, name), os.path.join(backup, name))
    with Image.open(os.path.join(lake, "IMG_0001.JPG")) as image:
        image.resize((800, 600)).save(os.path.join(backup, "IMG-20180715-WA0003.jpg"), "JPEG", quality=70)
    _photo(os.path.join(lake, "IMG_0007.JPG"), 3, _EVENTS[0], 6, orientation=6)


def _odd_ones(part: str) -> None:
    """A HEIC, a screenshot, a scan that only its folder dates, a liar, a black frame, an animation, a broken file."""
    import pillow_heif
    from PIL import Image

    phone = os.path.join(part, "Phone")
    scans = os.path.join(part, "Scans", "1987", "August")
    for folder in (phone, scans):
        os.makedirs(folder)
    heif = pillow_heif.from_pillow(_drawn(90))
    heif.save(os.path.join(phone, "IMG_2044.HEIC"), quality=70, exif=_exif(_EVENTS[3], 8, 1).tobytes())
    _drawn(91, 600, 1200).save(os.path.join(phone, "Screenshot_20231006-063000.png"))
    Image.new("RGB", (1200, 900), (3, 3, 3)).save(os.path.join(phone, "IMG_2045.JPG"), "JPEG")
    _drawn(92).convert("L").save(os.path.join(scans, "scan003.tif"), compression="tiff_lzw")
    _drawn(93).save(os.path.join(phone, "really a JPEG.heic"), "JPEG")
    frames = [_drawn(94 + index, 160, 120) for index in range(3)]
    frames[0].save(os.path.join(phone, "waves.gif"), save_all=True, append_images=frames[1:], duration=200)
    whole = os.path.join(part, _EVENTS[1].folder, "IMG_0101.JPG")
    with open(whole, "rb") as file, open(os.path.join(phone, "half of it.jpg"), "wb") as half:
        half.write(file.read()[: os.path.getsize(whole) // 2])
    with open(os.path.join(phone, "not a picture.jpg"), "wb") as file:
        file.write(b"This was a photo once.\n" * 40)


def _drawn(seed: int, width: int = 1600, height: int = 1200) -> Image.Image:
    """Hills under a sky with a sun, and some grain; another picture for each seed."""
    import numpy as np
    from PIL import Image, ImageDraw

    choose = random.Random(seed)
    height_share = np.linspace(0, 1, height)[:, None, None]
    top = np.array([choose.randrange(40, 160), choose.randrange(90, 190), choose.randrange(170, 255)])
    low = np.array([choose.randrange(180, 255), choose.randrange(150, 230), choose.randrange(120, 210)])
    sky = (top * (1 - height_share) + low * height_share) * np.ones((height, width, 3))
    image = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    x, y, radius = choose.randrange(width), choose.randrange(height // 2), choose.randrange(40, 140)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 244, 200))
    for layer in range(4):
        base, waves = height * (0.45 + 0.14 * layer), [choose.uniform(0.5, 3.0) for _ in range(3)]
        points = [
            (px, base + sum(math.sin(px / width * 6.28 * w + seed + layer) for w in waves) * height * 0.04)
            for px in range(0, width + 20, 20)
        ]
        colour = (choose.randrange(20, 150), choose.randrange(40, 150), choose.randrange(20, 110))
        draw.polygon([(0, height), *points, (width, height)], fill=colour)
    grain = np.random.default_rng(seed).normal(0, 7, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))
