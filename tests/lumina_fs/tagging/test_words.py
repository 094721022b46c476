"""Vocabularies, what becomes of vectors, and the vectors' cache."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.errors import SettingsError
from lumina_fs.tagging.classify import Classifier, TextVectors
from lumina_fs.tagging.vectors import Vectors, folder_of
from lumina_fs.tagging.vocabulary import ours, read_vocabulary


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.create(str(tmp_path)) as made:
        yield made


def test_our_own_vocabulary_has_hundreds_of_words_by_category() -> None:
    words = ours()
    assert 300 <= len(words.words) <= 1000
    assert {"scene", "animals", "food", "activities"} <= {word.category for word in words.words}
    assert ("animals", "dog") in {word[:2] for word in words.words}
    assert "a photo of a dog" in words.prompts
    assert words.neutral[-1] == words.prompts[-1]
    assert all("{}" not in prompt for prompt in words.prompts)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "line 1"), ("{}", '"categories"'), ('{"categories": {"a": "dog"}}', "a list of words"),
     ('{"categories": {"a": [1]}}', "a word is a text"), ('{"categories": {"a": ["x", "x"]}}', "twice"),
     ('{"categories": {"a": []}}', "0 words"), ('{"templates": [], "categories": {"a": ["x"]}}', "templates")],
)  # fmt: skip
def test_a_vocabulary_that_makes_no_sense_is_told(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_vocabulary(text.encode(), "words.json")


def test_a_word_may_have_another_prompt_and_a_category_templates_of_its_own() -> None:
    value: dict[str, Any] = {
        "templates": ["a photo of {}"],
        "categories": {"tiere": [{"value": "Hund", "prompt": "dog"}], "stil": {"templates": ["{}!"], "words": ["alt"]}},
    }
    found = read_vocabulary(json.dumps(value).encode(), "w")
    assert [tuple(word) for word in found.words] == [
        ("tiere", "Hund", ("a photo of dog",)), ("stil", "alt", ("alt!",)),
    ]  # fmt: skip
    other = read_vocabulary(json.dumps({**value, "neutral": ["nothing"]}).encode(), "w")
    assert found.digest != other.digest


def classifier(threshold: float = 0.3, most: int = 8) -> Classifier:
    words = read_vocabulary(
        b'{"templates": ["{}"], "neutral": ["n"], "categories": {"a": ["x", "y"], "b": ["z"]}}', "w"
    )
    return Classifier(words, TextVectors(np.eye(4, dtype=np.float32), 10.0), threshold=threshold, most=most)


def tags(made: Classifier, *vector: float) -> list[tuple[str, float]]:
    return [(tag["value"], tag["confidence"]) for tag in made.tags(np.array(vector, np.float16).tobytes())]


def test_words_compete_within_their_category_and_with_texts_that_fit_anything() -> None:
    assert tags(classifier(), 1, 0, 0, 0) == [("x", 1.0), ("z", 0.5)]
    assert tags(classifier(), 1, 0, 0, 1) == [("x", 0.5)]
    assert tags(classifier(), 0, 0, 0, 1) == []
    assert tags(classifier(), 1, 1, 1, 0) == [("z", 0.997), ("x", 0.499), ("y", 0.499)]


def test_a_threshold_and_a_number_bound_the_tags() -> None:
    assert [value for value, _ in tags(classifier(most=2), 1, 1, 1, 0)] == ["z", "x"]
    assert tags(classifier(threshold=0.6), 1, 1, 0, 0) == []
    assert tags(classifier(), 0, 0, 0, 0) == [("z", 0.5), ("x", 0.333), ("y", 0.333)]


def recalled(catalog: Catalog, model: str) -> Vectors:
    found = Vectors(catalog, model)
    found.recall({"ab" * 32, "cd" * 32})
    return found


def test_vectors_are_kept_by_model_and_content(catalog: Catalog) -> None:
    kept = Vectors(catalog, "ViT-B-32 tag")
    one, other = "ab" * 32, "cd" * 32
    kept.add(one, b"\0\x3c" * 4)
    assert recalled(catalog, "ViT-B-32 tag").get(one) is None  # not before it is written
    kept.flush()
    kept.flush()
    again = recalled(catalog, "ViT-B-32 tag")
    assert (again.get(one), again.get(other)) == (b"\0\x3c" * 4, None)
    assert recalled(catalog, "another").get(one) is None
    again.add(one, b"\0\x3c" * 4)
    again.flush()
    assert len(list((Path(catalog.path) / folder_of("ViT-B-32 tag")).glob("*.keys"))) == 1  # it was there
    texts = TextVectors(np.eye(3, dtype=np.float32), 42.0)
    kept.add_texts("d" * 64, texts)
    found = kept.texts("d" * 64, 3)
    assert found is not None
    assert (found.scale, found.rows.tolist()) == (42.0, texts.rows.tolist())
    assert kept.texts("d" * 64, 2) is None
    assert kept.texts("e" * 64, 3) is None


def test_a_damaged_cache_is_as_none(catalog: Catalog) -> None:
    kept = Vectors(catalog, "m")
    kept.add("ab" * 32, b"\0\x3c" * 4)
    kept.flush()
    folder = Path(catalog.path) / folder_of("m")
    [vectors] = folder.glob("*.f16")
    for damage in (b"\0\x3c" * 4 + b"x", b"", b"\0\x7c" * 4):  # a byte too many, none, infinity
        vectors.write_bytes(damage)
        assert recalled(catalog, "m").get("ab" * 32) is None
    vectors.unlink()
    assert recalled(catalog, "m").get("ab" * 32) is None


def test_a_model_s_name_is_a_folder_s_name(catalog: Catalog) -> None:
    folder = folder_of("../..//x y\n@1")
    assert folder.rpartition("/")[0] == ".lumina/cache/vectors"
    assert os.path.basename(folder) not in ("", ".", "..")
