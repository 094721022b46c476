"""The poster frame of a video, by PyAV, which is an extra: without it a video has metadata and no picture."""

from __future__ import annotations

import os
from dataclasses import dataclass

from PIL import Image

from lumina_fs.undecodable import Undecodable


@dataclass(frozen=True, slots=True)
class Frame:
    """An upright frame, and the seconds that the video lasts where it says so."""

    image: Image.Image
    duration: float | None


def poster(fd: int, max_pixels: int) -> Frame | Undecodable:
    """A frame near one second, or near a tenth of a short video. Never raises for what a file holds."""
    try:
        import av
    except ImportError:
        return Undecodable("decoder_missing", 'the picture of a video needs: pip install "lumina-fs[video]"')
    os.lseek(fd, 0, os.SEEK_SET)
    try:
        with os.fdopen(os.dup(fd), "rb") as stream, av.open(stream, mode="r") as container:
            if not container.streams.video:
                return Undecodable("undecodable", "there is no picture in this video")
            video = container.streams.video[0]
            if video.width * video.height > max_pixels:
                return Undecodable("too_large", f"more than {max_pixels:,} pixels")
            seconds = (container.duration or 0) / 1_000_000
            target = min(1.0, seconds / 10)
            chosen = None
            for frame in container.decode(video):
                chosen = frame
                if frame.time is None or frame.time >= target:
                    break
            if chosen is None:
                return Undecodable("undecodable", "no frame of this video can be decoded")
            image: Image.Image = chosen.to_image()  # type: ignore[no-untyped-call]
            turn = round(getattr(chosen, "rotation", 0) or 0) % 360
    except MemoryError:
        return Undecodable("too_large", "decoding it needs more memory than a worker may use")
    except Exception as error:
        return Undecodable("undecodable", f"cannot be decoded: {type(error).__name__}")
    if turn:
        image = image.rotate(turn, expand=True)
    return Frame(image, round(seconds, 3) or None)
