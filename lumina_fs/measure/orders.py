"""What is asked of the process that runs models, and what it answers: plain values, for those who load no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class ClipModel(NamedTuple):
    """A CLIP: an architecture that the library knows or the absolute path of its configuration, and its weights.

    `weights` is the absolute path of a file, or a name under which the library has pretrained ones.
    """

    architecture: str
    weights: str


class ObjectModel(NamedTuple):
    """A detector of objects: the absolute path of its weights, and whether the library may put them there."""

    weights: str
    pretrained: bool


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """What the process is told once.

    `device` is auto, cpu, cuda or mps; `threads` is the most that a model may use. `fetch`: the libraries may fetch
    pretrained weights. `least` is the confidence from which on an object counts. Paths are absolute.
    """

    scratch: str
    clip: ClipModel | None
    objects: ObjectModel | None
    device: str = "auto"
    threads: int = 1
    least: float = 0.35
    fetch: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to be compared with pictures."""

    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A picture, upright, as a JPEG of our own making; and which models are to look at it."""

    sha256: str
    jpeg: bytes
    clip: bool
    objects: bool


class Box(NamedTuple):
    """Something that was recognised: what, how surely (0 to 1), and where in fractions of the picture."""

    value: str
    confidence: float
    x: float
    """Left edge."""
    y: float
    """Upper edge."""
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class TextsDone:
    """A vector of length 1 for each text, as float32, row by row; and the scale of this model's likenesses."""

    vectors: bytes
    scale: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the models say of a picture: a vector of length 1 as float16, and objects; None for what was not asked.

    `broken` says why the picture could not be opened.
    """

    vector: bytes | None = None
    objects: list[Box] | None = field(default=None)
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A model cannot be had; `message` says what to do."""

    message: str
