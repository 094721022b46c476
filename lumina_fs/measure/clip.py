"""CLIP by open_clip: a vector for a picture and one for a text, which are near each other where the text fits."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lumina_fs.measure.orders import ClipModel
from lumina_fs.measure.torch_setup import ModelUnavailable, bound_threads, device_of, why

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Clip:
    """A model that is loaded when it is first asked. Vectors have length 1."""

    def __init__(self, model: ClipModel, *, device: str, threads: int, fetch: bool) -> None:
        self._wish = model
        self._device = device
        self._threads = threads
        self._fetch = fetch
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any, Any] | None = None

    def load(self) -> tuple[Any, Any, Any]:
        """Model, transformation of pictures, tokenizer. Raises ModelUnavailable."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> tuple[Any, Any, Any]:
        import open_clip

        self._device = device_of(self._device)
        bound_threads(self._threads)
        name, weights = self._wish
        if os.path.isabs(name):
            open_clip.add_model_config(Path(name))
            name = Path(name).stem
        if name not in open_clip.list_models():
            raise ModelUnavailable(f"setting clip_model: open_clip knows no architecture {name}")
        self._require(open_clip, name, weights)
        try:
            model, _, transform = open_clip.create_model_and_transforms(
                name, pretrained=weights, device=self._device, weights_only=True
            )
            tokenizer = open_clip.get_tokenizer(name)
        except Exception as error:
            if os.path.isabs(weights):
                raise ModelUnavailable(f"the weights {weights} do not fit {name} ({why(error)})") from None
            raise ModelUnavailable(_absent(name, weights, fetched=self._fetch, reason=why(error))) from None
        model.eval()
        return model, transform, tokenizer

    def _require(self, open_clip: Any, name: str, weights: str) -> None:
        """Weights that are no file must be known to the library, which else would go on with random ones."""
        if os.path.isabs(weights):
            if not os.path.isfile(weights):
                raise ModelUnavailable(f"setting clip_weights: there is no file {weights}")
            return
        known = open_clip.get_pretrained_cfg(name, weights)
        if not known:
            raise ModelUnavailable(f"setting clip_weights: open_clip has no weights {weights} for {name}")
        if not self._fetch and not known.get("hf_hub"):
            raise ModelUnavailable(_absent(name, weights, fetched=False, reason=""))

    @property
    def scale(self) -> float:
        """By what likenesses of this model are multiplied before they are compared."""
        return float(self.load()[0].logit_scale.exp().item())

    def texts(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """A row for each text."""
        import torch

        model, _, tokenizer = self.load()
        with torch.inference_mode():
            tokens = tokenizer(list(prompts)).to(self._device)
            rows = model.encode_text(tokens, normalize=True).float().cpu().numpy()
        return rows.astype(np.float32)  # type: ignore[no-any-return]

    def pictures(self, images: Sequence[Any]) -> NDArray[np.float16]:
        """A row for each picture."""
        import torch

        model, transform, _ = self.load()
        with torch.inference_mode():
            batch = torch.stack([transform(image) for image in images]).to(self._device)
            return model.encode_image(batch, normalize=True).float().cpu().numpy().astype(np.float16)  # type: ignore[no-any-return]


def _absent(name: str, weights: str, *, fetched: bool, reason: str) -> str:
    if not fetched:
        return f"the weights {weights} of {name} are not on this machine; `lumina tag` lets open_clip fetch them once"
    return (
        f"open_clip cannot get the weights {weights} of {name} ({reason}); connect this machine, or name a file with "
        "the setting clip_weights"
    )
