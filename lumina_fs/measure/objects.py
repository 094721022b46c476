"""Objects by ultralytics: what is in a picture, how often, and where."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from lumina_fs.cache_files import write_cache
from lumina_fs.durable import Disk
from lumina_fs.errors import LuminaError
from lumina_fs.measure.orders import Box, ObjectModel
from lumina_fs.measure.torch_setup import ModelUnavailable, bound_threads, device_of, why
from lumina_fs.roots import Root

#: Objects of one picture that are looked at.
_MOST = 100


class Objects:
    """A detector that is loaded when it is first asked."""

    def __init__(self, model: ObjectModel, *, device: str, threads: int, least: float, fetch: bool) -> None:
        self._wish = model
        self._device = device
        self._threads = threads
        self._least = least
        self._fetch = fetch
        self._lock = threading.Lock()
        self._loaded: Any = None

    def load(self) -> Any:
        """The detector. Raises ModelUnavailable."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Any:
        from PIL import Image
        from ultralytics import YOLO

        weights = self._wish.weights
        self._device = device_of(self._device)
        if not os.path.isfile(weights):
            self._get(weights)
        try:
            model = YOLO(weights)
            if model.task not in ("detect", "segment", "pose", "obb"):
                raise ModelUnavailable(f"the model {weights} does not find objects: it is made for {model.task}")
            model.predict(Image.new("RGB", (64, 64)), device=self._device, verbose=False, save=False)
        except ModelUnavailable:
            raise
        except Exception as error:
            raise ModelUnavailable(f"the weights {weights} cannot be used ({why(error)})") from None
        bound_threads(self._threads)  # the library takes all that it finds when it is asked first
        return model

    def _get(self, weights: str) -> None:
        """Let the library fetch weights of its own; they get their name when they are whole."""
        name = os.path.basename(weights)
        if not self._wish.pretrained:
            raise ModelUnavailable(f"setting objects_model: there is no file {weights}")
        if not self._fetch:
            raise ModelUnavailable(f"the weights {name} are not on this machine; `lumina tag` fetches them once")
        from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES, attempt_download_asset

        if name not in GITHUB_ASSETS_NAMES:
            raise ModelUnavailable(f"setting objects_model: ultralytics has no weights {name}")
        try:
            found = attempt_download_asset(
                os.path.abspath(name), progress=False
            )  # in the private folder that we are in
            if not os.path.isfile(found):
                raise FileNotFoundError("nothing came")
        except Exception as error:
            raise ModelUnavailable(
                f"ultralytics cannot get the weights {name} ({why(error)}); connect this machine, or name a file with "
                "the setting objects_model"
            ) from None
        keep_weights(found, weights)

    def find(self, images: Sequence[Any]) -> list[list[Box]]:
        """The objects of each picture, the surest first."""
        model = self.load()
        bound_threads(self._threads)
        results = model.predict(
            list(images), device=self._device, conf=self._least, max_det=_MOST, verbose=False, save=False
        )
        return [_boxes(result) for result in results]


def keep_weights(found: str, target: str) -> None:
    """Put a file of weights where it is looked for, whole or not at all. Raises ModelUnavailable."""
    folder, name = os.path.split(target)
    disk = Disk()
    try:
        disk.make_root(folder)
        with open(found, "rb") as file, Root.open(folder) as root:
            write_cache(disk, root, name, file.read())
    except (OSError, LuminaError) as error:
        raise ModelUnavailable(f"the weights {name} came and cannot be kept in {folder} ({why(error)})") from None


def _boxes(result: Any) -> list[Box]:
    boxes = result.boxes if result.boxes is not None else result.obb
    if boxes is None or len(boxes) == 0:
        return []
    found = []
    kinds, sure = boxes.cls.int().tolist(), boxes.conf.tolist()
    for kind, confidence, (left, top, right, bottom) in zip(kinds, sure, boxes.xyxyn.tolist(), strict=True):
        x, y = min(max(left, 0.0), 1.0), min(max(top, 0.0), 1.0)
        width, height = min(right, 1.0) - x, min(bottom, 1.0) - y
        if width > 0 and height > 0:
            found.append(Box(str(result.names[kind]), confidence, x, y, width, height))
    return sorted(found, key=lambda box: (-box.confidence, box.value, box[2:]))
