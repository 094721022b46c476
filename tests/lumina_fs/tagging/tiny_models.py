"""Tiny models in the libraries' own formats: ones that recognise something by construction, and random ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

#: Colours by the words of the vocabulary below.
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 50, 220)}
VOCABULARY: dict[str, Any] = {
    "templates": ["a photo of something {}", "the colour {}"],
    "neutral": ["a photo", "a picture"],
    "categories": {"colours": list(COLOURS)},
}
_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
_YOLO = """\
nc: 3
scales:
  n: [1.0, 1.0, 1024]
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
head:
  - [[2], 1, Detect, [nc]]
"""


def quiet() -> None:
    """Let the libraries of this process write nothing outside and talk to nobody."""
    import tempfile

    from lumina_fs.measure.torch_setup import be_quiet

    be_quiet(os.environ.get("YOLO_CONFIG_DIR") or tempfile.mkdtemp(prefix="lumina-test-yolo-"), fetch=False)
    import torch

    torch.set_num_threads(1)


def colour_clip(folder: Path, seed: int = 0, steps: int = 150) -> dict[str, str]:
    """A CLIP that was taught the three colours in a few seconds; the settings that name it. Files lie in `folder`."""
    quiet()
    import open_clip
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.json").write_text(json.dumps(_CLIP))
    (folder / "words.json").write_text(json.dumps(VOCABULARY))
    open_clip.add_model_config(folder / "tiny.json")
    torch.manual_seed(seed)
    model, transform, _ = open_clip.create_model_and_transforms("tiny")
    prompts = [[t.replace("{}", word) for t in VOCABULARY["templates"]] for word in COLOURS]
    texts = open_clip.get_tokenizer("tiny")([*(one for some in prompts for one in some), *VOCABULARY["neutral"]])
    wanted = [at for at, some in enumerate(prompts) for _ in some] + [3] * len(VOCABULARY["neutral"])
    looks = [(at, Image.new("RGB", (64, 48), colour)) for at, colour in enumerate(COLOURS.values())]
    looks += [(3, Image.new("RGB", (64, 48), grey)) for grey in ("black", "white", "grey")]
    pictures = torch.stack([transform(image) for _, image in looks])
    target = torch.tensor([[float(at == one) for one in wanted] for at, _ in looks])
    target = target / target.sum(1, keepdim=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        near = model.encode_image(pictures, normalize=True) @ model.encode_text(texts, normalize=True).T
        loss = torch.nn.functional.cross_entropy(near * model.logit_scale.exp(), target)
        loss.backward()
        optimizer.step()
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, folder / "tiny.safetensors")
    return {
        "clip_model": str(folder / "tiny.json"),
        "clip_weights": str(folder / "tiny.safetensors"),
        "clip_vocabulary": str(folder / "words.json"),
    }


def dog_detector(folder: Path) -> dict[str, str]:
    """A detector that sees dogs wherever it looks, because its last layer says nothing else; the settings for it."""
    quiet()
    import torch
    from ultralytics import YOLO

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.yaml").write_text(_YOLO)
    torch.manual_seed(0)
    model: Any = YOLO(str(folder / "tiny.yaml"))
    model.model.names = {0: "cat", 1: "dog", 2: "cow"}
    last = model.model.model[-1].cv3[0][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor([-8.0, 3.0, -8.0]))
    model.save(str(folder / "tiny.pt"))
    return {"objects_model": str(folder / "tiny.pt")}


def random_clip(folder: Path, architecture: str = "ViT-B-32") -> dict[str, str]:
    """Random weights of an architecture that people use."""
    quiet()
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = open_clip.create_model(architecture)
    path = folder / "random.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)
    return {"clip_model": architecture, "clip_weights": str(path)}


def random_detector(folder: Path, architecture: str = "yolo11n.yaml") -> dict[str, str]:
    """The same for a detector."""
    quiet()
    import torch
    from ultralytics import YOLO

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    path = folder / "random.pt"
    YOLO(architecture).save(str(path))
    return {"objects_model": str(path)}
