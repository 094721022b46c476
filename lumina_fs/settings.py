"""The settings of a catalog: what `catalog.json` says, with the environment over it and defaults under it."""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lumina_fs.errors import SettingsError

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
        return self.workers or _processors()

    def thread_count(self) -> int:
        """The number of threads that a model may use."""
        return self.model_threads or max(1, _processors() // 2)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def settings_of(document: dict[str, Any]) -> Settings:
    """The settings in force for a catalog document. Raises SettingsError for a value that makes no sense."""
    values = dict(document.get("settings") or {})
    for variable, name in ENVIRONMENT.items():
        if os.environ.get(variable):
            values[name] = os.environ[variable]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        wrong = first["msg"].replace("Input should be", "must be")
        raise SettingsError(f"setting {where}: {wrong} (settings in .lumina/catalog.json, or its variable)") from error
