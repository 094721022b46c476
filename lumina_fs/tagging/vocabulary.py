"""The words that CLIP looks for, by category, with the texts that stand for each: ours, or a file of the person's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from lumina_fs.errors import SettingsError
from schemas.errors import DocumentError
from schemas.text import parse

_OURS = "vocabulary.json"
#: A file of more words than this is a mistake.
_MOST = 20_000


class Word(NamedTuple):
    """A word that a picture may get as a tag, and the texts by which it is recognised."""

    category: str
    value: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words, those of a category side by side. `neutral` texts fit any picture: a word has to do better than these."""

    words: tuple[Word, ...]
    neutral: tuple[str, ...]

    @property
    def prompts(self) -> tuple[str, ...]:
        """All texts, those of each word in their order and the neutral ones last."""
        return (*(prompt for word in self.words for prompt in word.prompts), *self.neutral)

    @property
    def digest(self) -> str:
        """By what it is known."""
        text = json.dumps([self.words, self.neutral], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def ours() -> Vocabulary:
    """The one that comes with Lumina."""
    data = (resources.files("lumina_fs.tagging") / _OURS).read_bytes()
    return read_vocabulary(data, _OURS)


def read_vocabulary(data: bytes, name: str) -> Vocabulary:
    """The vocabulary of a file. Raises SettingsError, which says what is wrong with it."""
    try:
        value = parse(data)
    except DocumentError as error:
        raise SettingsError(f"{error.reason} (line {error.line}, column {error.column})", path=name) from None
    templates = _texts(value.get("templates", ["{}"]), "templates", name)
    neutral = _texts(value.get("neutral", ["a photo"]), "neutral", name)
    categories = value.get("categories")
    if not isinstance(categories, dict) or not categories:
        raise SettingsError('"categories" must be an object: each category with a list of words', path=name)
    words: list[Word] = []
    for category, said in categories.items():
        block = said if isinstance(said, dict) else {"words": said}
        own = _texts(block.get("templates", list(templates)), f"{category}: templates", name)
        items = block.get("words")
        if not isinstance(items, list):
            raise SettingsError(f"{category}: must be a list of words", path=name)
        words += [_word(category, item, own, name) for item in items]
    if not 0 < len(words) <= _MOST:
        raise SettingsError(f"has {len(words):,} words; 1 to {_MOST:,} make sense", path=name)
    if len({word[:2] for word in words}) < len(words):
        raise SettingsError("has a word twice in one category", path=name)
    return Vocabulary(tuple(words), neutral)


def _word(category: str, item: Any, templates: tuple[str, ...], name: str) -> Word:
    value = item.get("value") if isinstance(item, dict) else item
    prompt = item.get("prompt", value) if isinstance(item, dict) else item
    if not (isinstance(value, str) and isinstance(prompt, str) and value.strip() and prompt.strip()):
        raise SettingsError(f'{category}: a word is a text, or {{"value": "Hund", "prompt": "dog"}}', path=name)
    return Word(category, value.strip(), tuple(template.replace("{}", prompt.strip()) for template in templates))


def _texts(value: Any, what: str, name: str) -> tuple[str, ...]:
    if not (isinstance(value, list) and value and all(isinstance(one, str) and one.strip() for one in value)):
        raise SettingsError(f"{what}: must be a list of texts", path=name)
    return tuple(value)
