"""The settings of a catalog: what `catalog.json` says, with the environment over it and defaults under it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumina_fs.errors import SettingsError
from schemas.text import locate

#: Environment variables that stand above the catalog's own settings, and the setting each one sets.
ENVIRONMENT = {"LUMINA_WORKERS": "workers", "LUMINA_MAX_PIXELS": "max_pixels"}


class Settings(BaseModel):
    """What a person may set under `settings` in `.lumina/catalog.json`. Every field has a default."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ignore: list[str] = Field(default_factory=list)
    """Patterns of files and folders to leave out, as in .gitignore: `*.tmp`, `drafts/`, `/2019/raw/*`."""

    max_pixels: int = Field(default=256_000_000, ge=1_000_000)
    """Pictures with more pixels than this are not decoded: they get a sidecar that says so."""

    workers: int = Field(default=0, ge=0, le=256)
    """Worker processes of a scan; 0 means one for each processor."""

    worker_memory_mb: int = Field(default=1024, ge=256)
    """Address space that one worker may use, in MiB: a hostile picture meets this limit, not the machine's."""

    file_seconds: float = Field(default=10.0, gt=0)
    """How long one picture may take to decode before its worker is replaced."""

    tag_bytes: int = Field(default=8192, ge=0)
    """Room for metadata tags in one sidecar, in bytes of JSON."""

    captions: Literal["read", "write"] = "read"
    """Text files beside photos (`IMG.txt`): only read, or also written from your captions when these change."""

    history_mb: int = Field(default=256, ge=1)
    """Room for earlier versions of curation in `.lumina/history/`, in MB; beyond it the oldest go."""

    daemon_reconcile_seconds: float = Field(default=3600.0, ge=1)
    """How often the daemon compares everything with the disk although nothing told it to."""

    daemon_poll_seconds: float = Field(default=60.0, ge=0.1)
    """How often the daemon looks into folders of which the kernel tells nothing: network mounts, too few watches."""

    daemon_watches: int = Field(default=0, ge=0)
    """The most kernel watches that the daemon takes for this catalog; 0 means as many as it gets."""

    on_job_end: list[str] = Field(default_factory=list)
    """A program and its arguments, started when a job ends, with the job's record as JSON on its standard input."""

    on_job_end_seconds: float = Field(default=30.0, gt=0)
    """How long that program may take before it is ended."""

    clip_model: str = "ViT-B-32"
    """The CLIP that gives tags: an architecture that open_clip knows, or the path of a configuration (`./my.json`)."""

    clip_weights: str = "laion2b_s34b_b79k"
    """Its weights: a name under which open_clip has them, or the path of a file (`./my.safetensors`)."""

    clip_vocabulary: str = ""
    """The path of a file with the words that CLIP looks for; empty means those that come with Lumina."""

    clip_threshold: float = Field(default=0.3, gt=0, lt=1)
    """From which confidence on a word becomes a tag, 0 to 1."""

    clip_tags: int = Field(default=8, ge=1, le=50)
    """The most tags that CLIP gives one photo."""

    objects_model: str = "yolo11n.pt"
    """The detector of objects: a name under which ultralytics has weights, or the path of a file (`./my.pt`)."""

    objects_threshold: float = Field(default=0.35, gt=0, lt=1)
    """From which confidence on an object counts, 0 to 1."""

    model_device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where models run; auto takes a GPU where there is one."""

    model_threads: int = Field(default=0, ge=0, le=256)
    """Threads of a model on the processor; 0 means half of the processors."""

    model_batch: int = Field(default=16, ge=1, le=1024)
    """Pictures that make one trip through a model."""

    def worker_count(self) -> int:
        """The number of worker processes to start."""
        return self.workers or processors()

    def thread_count(self) -> int:
        """The number of threads that a model may use."""
        return self.model_threads or max(1, processors() // 2)


def processors() -> int:
    """How many of the machine this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WrongSetting(NamedTuple):
    """A value that makes no sense: where it stands below `settings` in the document, or in a variable."""

    where: tuple[str | int, ...]
    reason: str
    variable: str | None

    def place(self) -> str:
        """What it is called."""
        return self.variable or ".".join(map(str, ("settings", *self.where)))


def settings_of(document: Mapping[str, Any], data: bytes | None = None, path: str | None = None) -> Settings:
    """The settings in force for a catalog document. Raises SettingsError for a value that makes no sense.

    `data` and `path`: its text and its file, for the place of what is wrong.
    """
    values = _values(document)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = _wrong_in(error)[0]
        if first.variable is not None or data is None:
            raise SettingsError(f"{first.place()}: {first.reason}", path=None if first.variable else path) from error
        line, column = locate(data, ["settings", *first.where])
        raise SettingsError(f"{first.place()}: {first.reason} (line {line}, column {column})", path=path) from error


def usable_settings(document: Mapping[str, Any]) -> tuple[Settings, list[WrongSetting]]:
    """The settings with the default in place of each that makes no sense, and what is wrong with these."""
    values = _values(document)
    try:
        return Settings.model_validate(values), []
    except ValidationError as error:
        wrong = _wrong_in(error)
        for one in wrong:
            values.pop(str(one.where[0]), None)
        return Settings.model_validate(values), wrong


def _wrong_in(error: ValidationError) -> list[WrongSetting]:
    """What pydantic found, in words for the person who wrote it."""
    found = []
    for one in error.errors(include_url=False):
        name = str(one["loc"][0])
        variable = next((key for key, setting in ENVIRONMENT.items() if setting == name and os.environ.get(key)), None)
        found.append(WrongSetting(one["loc"], one["msg"].replace("Input should be", "must be"), variable))
    return found


def _values(document: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(document.get("settings") or {})
    for variable, name in ENVIRONMENT.items():
        if os.environ.get(variable):
            values[name] = os.environ[variable]
    return values
