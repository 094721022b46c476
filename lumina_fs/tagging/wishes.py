"""Which models a catalog's settings name, how they are applied, and by what their answers are known as current."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from lumina_fs.catalog import Catalog
from lumina_fs.errors import SettingsError
from lumina_fs.locations import models_directory
from lumina_fs.measure.orders import ClipModel, ObjectModel
from lumina_fs.tagging.vocabulary import Vocabulary, ours, read_vocabulary

CLIP, OBJECTS = "clip_tags", "objects"
#: Name -> version, as those of the measurers of a scan: add one when the values change. No scan asks for these.
VERSIONS = {CLIP: 1, OBJECTS: 1}
#: What the command line calls them.
KINDS = {"clip": CLIP, "objects": OBJECTS}
#: The largest file of words that is read, in bytes.
_LARGEST = 8 << 20


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be measured. `stamps`: for each measurer the fields by which its answer is known as current."""

    stamps: Mapping[str, Mapping[str, Any]]
    clip: ClipModel | None = None
    objects: ObjectModel | None = None
    clip_identity: str = ""
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary((), ()))
    threshold: float = 0.3
    most: int = 8

    def lacking(self, measurements: Mapping[str, Any]) -> frozenset[str]:
        """The measurers whose current answer a sidecar does not have."""
        return frozenset(name for name, stamp in self.stamps.items() if not _is_current(measurements.get(name), stamp))


def _is_current(measurement: Any, stamp: Mapping[str, Any]) -> bool:
    return isinstance(measurement, dict) and all(measurement.get(key) == said for key, said in stamp.items())


def wishes(catalog: Catalog, measurers: Collection[str]) -> Wishes:
    """What the settings say of these measurers. Raises SettingsError where they name what is not there."""
    settings = catalog.settings
    stamps: dict[str, Mapping[str, Any]] = {}
    clip = objects = None
    identity, words = "", Vocabulary((), ())
    if CLIP in measurers:
        clip = ClipModel(_file(catalog, "clip_model"), _file(catalog, "clip_weights"))
        identity = f"{_identity(clip.architecture)} {_identity(clip.weights)}"
        words = _vocabulary(catalog)
        applied = f"{words.digest} {settings.clip_threshold:g} {settings.clip_tags}"
        short = hashlib.sha256(applied.encode()).hexdigest()[:12]
        stamps[CLIP] = {"version": VERSIONS[CLIP], "model": identity, "vocabulary": short}
    if OBJECTS in measurers:
        weights = _file(catalog, "objects_model")
        model = _identity(weights)
        pretrained = not os.path.isabs(weights)
        objects = ObjectModel(os.path.join(models_directory(), weights) if pretrained else weights, pretrained)
        stamps[OBJECTS] = {"version": VERSIONS[OBJECTS], "model": model, "least": settings.objects_threshold}
    return Wishes(stamps, clip, objects, identity, words, settings.clip_threshold, settings.clip_tags)


def _file(catalog: Catalog, setting: str) -> str:
    """A setting that is a name, or (with a slash) the path of a file: then that path, absolute."""
    value = str(getattr(catalog.settings, setting)).strip()
    if "/" not in value:
        if not value:
            raise SettingsError(f"setting {setting}: it is empty")
        return value
    if not catalog.is_ours():
        raise SettingsError(
            f"setting {setting}: catalog.json is not yours alone to write, so the file may be a stranger's"
        )
    path = os.path.normpath(os.path.join(catalog.path, os.path.expanduser(value)))
    if not os.path.isfile(path):
        raise SettingsError(f"setting {setting}: there is no such file", path=path)
    return path


def _identity(name_or_path: str) -> str:
    """The name, or for a file its name and the beginning of its digest: other content measures again."""
    if not os.path.isabs(name_or_path):
        return name_or_path
    try:
        with open(name_or_path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SettingsError(f"a model cannot be read: {error.strerror}", path=name_or_path) from None
    return f"{os.fsencode(os.path.basename(name_or_path)).decode('utf-8', 'replace')}@{digest[:12]}"


def _vocabulary(catalog: Catalog) -> Vocabulary:
    wish = catalog.settings.clip_vocabulary.strip()
    if not wish:
        return ours()
    path = os.path.normpath(os.path.join(catalog.path, os.path.expanduser(wish)))
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"setting clip_vocabulary: cannot be read: {error.strerror}", path=path) from None
    if len(data) > _LARGEST:
        raise SettingsError("setting clip_vocabulary: the file is too large", path=path)
    return read_vocabulary(data, path)
