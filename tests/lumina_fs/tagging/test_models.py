"""Real models through the real loading: tiny ones that recognise something by construction, and random large ones."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lumina_fs.catalog import Catalog
from lumina_fs.errors import ToolMissing
from lumina_fs.measure.orders import Box, Look
from lumina_fs.tagging.models import ModelProcess
from lumina_fs.tagging.wishes import wishes
from tests.conftest import REPOSITORY
from tests.lumina_fs.tagging.fakes import Tagging

_MISSING = [name for name in ("torch", "open_clip", "ultralytics") if importlib.util.find_spec(name) is None]

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(bool(_MISSING), reason=f"the extra `ai` is not installed: {', '.join(_MISSING)}"),
    pytest.mark.filterwarnings("default"),  # of libraries that are not ours
]


@pytest.fixture(scope="module", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The libraries find nothing of the user's, and no network."""
    folder = tmp_path_factory.mktemp("libraries")
    names = {"YOLO_CONFIG_DIR": "yolo", "HF_HOME": "hub", "LUMINA_MODELS": "models", "XDG_CONFIG_HOME": "config"}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(folder / inner) for name, inner in names.items()})
    yield folder
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from tests.lumina_fs.tagging.tiny_models import colour_clip

    return colour_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    from tests.lumina_fs.tagging.tiny_models import dog_detector

    return dog_detector(tmp_path_factory.mktemp("yolo"))


@pytest.fixture
def real(tagging: Tagging, clip: dict[str, str], detector: dict[str, str]) -> Tagging:
    tagging.settings(**clip, **detector, model_device="cpu", model_threads=1, model_batch=2)
    return tagging


def test_tiny_models_recognise_what_they_were_made_for(real: Tagging, own_folders: Path) -> None:
    result = real.run(make=ModelProcess)
    assert (result.tagged, result.problems) == (3, 0)
    assert real.tags("a/red.jpg") == [("colours", "red")]
    assert real.tags("a/green.jpg") == [("colours", "green")]
    found = real.library.value("a/green.jpg")["measurements"]["objects"]
    [dog] = found["objects"]
    assert (dog["value"], dog["count"] >= len(dog["boxes"]) >= 1) == ("dog", True)
    assert all(x >= 0 and y >= 0 and x + w <= 1.0001 and y + h <= 1.0001 for x, y, w, h in dog["boxes"])
    assert real.library.search("auto:red") == ["a/red.jpg", "b/red too.jpg"]
    assert len(real.library.search("auto:objects/dog")) == 3
    assert real.run(make=ModelProcess).photos == 0
    assert not (own_folders / "config").exists()
    assert not (own_folders / "hub").exists()


#: Loads both models and lets them look, in a process that notes whom it asks.
ALONE = """
import io, json, os, sys
asked = []
names = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen")
sys.addaudithook(lambda name, args: asked.append([name, str(args)]) if name in names else None)
from lumina_fs.measure.orders import ClipModel, Look, ModelSetup, ObjectModel, Seen, Texts, TextsDone
from lumina_fs.measure.torch_setup import be_quiet
from lumina_fs.tagging.model_worker import Bench
from PIL import Image
scratch, config, weights, detector = sys.argv[1:]
os.chdir(scratch)
be_quiet(scratch, fetch=False)
bench = Bench(ModelSetup(scratch, ClipModel(config, weights), ObjectModel(detector, False), "cpu", 1))
[texts] = bench.answer([Texts(("a photo",))])
out = io.BytesIO()
Image.new("RGB", (64, 64)).save(out, "JPEG")
[good, bad] = bench.answer([Look("ab", out.getvalue(), True, True), Look("cd", b"no picture", True, True)])
assert isinstance(texts, TextsDone) and good.vector and good.objects and bad.broken, (texts, good, bad)
print(json.dumps([one for one in asked if one[0].startswith("socket")]))
"""


def test_models_ask_nobody_and_leave_nothing_with_the_user(
    clip: dict[str, str], detector: dict[str, str], tmp_path: Path
) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    own = ("YOLO_CONFIG_DIR", "HF_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HF_HUB_OFFLINE", "YOLO_OFFLINE")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(scratch), *list(clip.values())[:2], detector["objects_model"]],
        cwd=REPOSITORY, env={**environment, "HOME": str(home), "PYTHONPATH": str(REPOSITORY)}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert list(home.rglob("*")) == []


def test_other_weights_of_the_same_name_look_again(real: Tagging, clip: dict[str, str], tmp_path: Path) -> None:
    from tests.lumina_fs.tagging.tiny_models import colour_clip

    real.run(make=ModelProcess, measurers=["clip_tags"])
    other = colour_clip(tmp_path / "other", seed=1, steps=1)
    assert os.path.basename(other["clip_weights"]) == os.path.basename(clip["clip_weights"])
    real.settings(**other)
    result = real.run(make=ModelProcess, measurers=["clip_tags"])
    assert result.photos == 3
    assert real.tags("a/red.jpg") != [("colours", "red")] or real.tags("a/green.jpg") != [("colours", "green")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"clip_model": "no-such-architecture"}, "knows no architecture"),
     ({"clip_model": "ViT-B-32", "clip_weights": "no-such-weights"}, "has no weights no-such-weights"),
     ({"clip_model": "RN50"}, "do not fit RN50")],
)  # fmt: skip
def test_a_clip_that_cannot_be_had_is_told_in_a_sentence(real: Tagging, settings: dict[str, str], message: str) -> None:
    real.settings(**settings)
    before = real.library.tree()
    with pytest.raises(ToolMissing, match=message):
        real.run(make=ModelProcess)
    assert real.library.tree() == before


@pytest.mark.parametrize("fetch", [False, True])
def test_weights_that_are_not_here_say_what_to_do(real: Tagging, fetch: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # no test asks a network
    real.settings(clip_model="ViT-B-32", clip_weights="laion2b_s34b_b79k")
    with Catalog.open(str(real.library.root)) as catalog:
        wanted = wishes(catalog, ["clip_tags"])
        with ModelProcess(catalog, wanted, threading.Event(), fetch) as models:
            match = "setting clip_weights" if fetch else "`lumina tag` lets open_clip fetch them"
            with pytest.raises(ToolMissing, match=match) as error:
                models.texts(("a photo",))
    assert "://" not in str(error.value)


def test_a_detector_that_is_not_here_is_not_fetched_by_itself(real: Tagging) -> None:
    real.settings(objects_model="yolo11n.pt")
    with Catalog.open(str(real.library.root)) as catalog:
        wanted = wishes(catalog, ["objects"])
        with (
            ModelProcess(catalog, wanted, threading.Event(), False) as models,
            pytest.raises(ToolMissing, match=r"yolo11n.pt are not on this machine"),
        ):
            list(models.look(iter([[_look()]])))


def test_weights_that_are_a_program_are_refused(real: Tagging, tmp_path: Path) -> None:
    import torch

    class Program:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "was run"),)

    torch.save({"model": Program()}, tmp_path / "evil.pt")
    real.settings(objects_model=str(tmp_path / "evil.pt"))
    with pytest.raises(ToolMissing, match="cannot be used"):
        real.run(make=ModelProcess, measurers=["objects"])
    assert not (tmp_path / "was run").exists()


def test_a_real_architecture_of_clip_gives_vectors_for_pictures_and_texts(tmp_path: Path) -> None:
    import numpy as np

    from lumina_fs.measure.clip import Clip
    from lumina_fs.measure.orders import ClipModel
    from tests.lumina_fs.tagging.tiny_models import random_clip

    made = random_clip(tmp_path)
    clip = Clip(ClipModel(made["clip_model"], made["clip_weights"]), device="cpu", threads=1, fetch=False)
    texts = clip.texts(["a photo of a dog", "a beach"])
    rows = clip.pictures([Image.new("RGB", (640, 480), "red"), Image.new("RGB", (480, 640), "blue")])
    assert texts.shape == rows.shape == (2, 512)
    assert rows.dtype == np.float16
    assert np.allclose(np.linalg.norm(rows.astype(np.float32), axis=1), 1, atol=2e-3)
    assert np.allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-4)
    assert clip.scale == pytest.approx(14.2857, rel=1e-3)
    assert not np.array_equal(rows[0], rows[1])


def test_a_real_architecture_of_yolo_finds_boxes_within_the_picture(tmp_path: Path) -> None:
    from lumina_fs.measure.objects import Objects
    from lumina_fs.measure.orders import ObjectModel
    from tests.lumina_fs.tagging.tiny_models import random_detector

    made = random_detector(tmp_path)
    model = ObjectModel(made["objects_model"], False)
    finder = Objects(model, device="cpu", threads=1, least=1e-5, fetch=False)
    found = finder.find([Image.new("RGB", (640, 480), "red"), Image.effect_noise((480, 640), 90).convert("RGB")])
    assert len(found) == 2
    boxes = [box for some in found for box in some]
    assert boxes, "random weights see something somewhere at this threshold"
    assert all(isinstance(box, Box) and 0 <= box.x <= box.x + box.width <= 1.0001 for box in boxes)
    assert all(0 <= box.y <= box.y + box.height <= 1.0001 and 0 < box.confidence <= 1 for box in boxes)


def _look() -> Look:
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "JPEG")
    return Look("ab" * 32, out.getvalue(), False, True)
