"""How torch runs here: on which device, with how many threads, and without a word to anybody outside."""

from __future__ import annotations

import os
import unicodedata
from typing import Any


class ModelUnavailable(Exception):
    """A model cannot be had; the message says what to do."""


def be_quiet(scratch: str, *, fetch: bool) -> None:
    """Before the first import: no telemetry, no settings in the user's folders, no packages installed by themselves.

    Without `fetch` the libraries take only what is on this machine. `scratch` is a private folder of this process.
    """
    os.environ.update(
        YOLO_CONFIG_DIR=scratch,
        YOLO_OFFLINE="1",  # it asks whether it is online when it is imported, and reports what is done with it
        YOLO_AUTOINSTALL="0",
        YOLO_VERBOSE="0",
        ULTRALYTICS_SAFE_LOAD="1",  # its files of weights are programs otherwise
        TORCH_FORCE_WEIGHTS_ONLY_LOAD="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
        TOKENIZERS_PARALLELISM="false",
        MPLCONFIGDIR=scratch,
    )
    if not fetch:
        os.environ["HF_HUB_OFFLINE"] = "1"


def device_of(wish: str) -> str:
    """The device to use. Raises ModelUnavailable where the one that is wished for is not there."""
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish == "auto":
        return "cuda" if there["cuda"] else "mps" if there["mps"] else "cpu"
    if not there.get(wish.partition(":")[0]):
        raise ModelUnavailable(f"setting model_device: torch finds no {wish} here; auto or cpu always works")
    return wish


def bound_threads(threads: int) -> None:
    """Let torch use at most so many threads."""
    import torch

    torch.set_num_threads(max(1, threads))


def why(error: BaseException) -> str:
    """The first line of an error of a library, cut short; no address of anybody's server is repeated."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    words = ["(an address)" if "://" in word else word for word in text.split()]
    plain = "".join(sign for sign in " ".join(words) if unicodedata.category(sign)[0] not in "SC" or sign.isascii())
    return plain.strip(" .")[:200]


def images_of(jpegs: list[bytes]) -> list[Any]:
    """Pictures as RGB; None for one that cannot be opened. They were made by our own workers."""
    import io

    from PIL import Image

    found: list[Any] = []
    for data in jpegs:
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
                found.append(image.convert("RGB"))
        except Exception:  # a file of the cache that somebody damaged
            found.append(None)
    return found
