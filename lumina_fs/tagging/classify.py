"""Tags from vectors: which words of a vocabulary fit a picture better than texts that fit any picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumina_fs.tagging.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TextVectors(NamedTuple):
    """A row of length 1 for each prompt of a vocabulary, and the scale of the model's likenesses."""

    rows: NDArray[np.float32]
    scale: float


class Classifier:
    """A vocabulary with the vectors of its texts.

    Within each category the words compete with each other and with the neutral texts, because a category may have
    nothing to say of a picture. The vector of a word is the mean of those of its texts.
    """

    def __init__(self, vocabulary: Vocabulary, texts: TextVectors, *, threshold: float, most: int) -> None:
        self._words = vocabulary.words
        self._threshold = threshold
        self._most = most
        self._scale = texts.scale
        ends = np.cumsum([len(word.prompts) for word in vocabulary.words])
        means = [_unit(piece.mean(axis=0)) for piece in np.split(texts.rows[: ends[-1]], ends[:-1])]
        self._rows = np.stack(means).astype(np.float32)
        self._neutral = texts.rows[ends[-1] :]
        places: dict[str, list[int]] = {}
        for at, word in enumerate(vocabulary.words):
            places.setdefault(word.category, []).append(at)
        self._places = [np.array(numbers) for numbers in places.values()]

    def tags(self, vector: bytes) -> list[dict[str, Any]]:
        """The tags of a picture with this vector (float16), the surest first, as a sidecar has them."""
        row = _unit(np.frombuffer(vector, np.float16).astype(np.float32))
        words, neutral = self._scale * (self._rows @ row), self._scale * (self._neutral @ row)
        found: list[tuple[float, int]] = []
        for places in self._places:
            logits = np.concatenate([words[places], neutral]).astype(np.float64)
            shares = np.exp(logits - logits.max())
            shares /= shares.sum()
            found += [(round(float(share), 3), int(at)) for at, share in zip(places, shares, strict=False)]
        sure = sorted((-share, at) for share, at in found if share >= self._threshold)[: self._most]
        return [
            {"category": self._words[at].category, "value": self._words[at].value, "confidence": -share}
            for share, at in sure
        ]


def _unit(row: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(row))
    return row / length if length > 0 else row
