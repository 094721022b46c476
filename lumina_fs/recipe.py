"""By what pictures are decoded and measured here: when it changes, a scan looks again at what it concerns."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from lumina_fs.measure.registry import VERSIONS, outdated

_DECODERS = ("pillow", "pillow-heif", "pillow-jxl-plugin", "av")


@cache
def decoders() -> str:
    """The installed decoders with their versions: a file that one of them could not read is tried again by another."""
    return ", ".join(f"{name} {_version(name)}" for name in _DECODERS)


@cache
def recipe() -> str:
    """A short digest of decoders and measurers; part of each fingerprint in the index."""
    text = decoders() + "".join(f" {name}{version}" for name, version in VERSIONS.items())
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def wanted(sidecar: Mapping[str, Any]) -> frozenset[str] | None:
    """The measurers that an original lacks, by its sidecar's value.

    None: everything anew, because it could not be decoded and other decoders are installed now.
    """
    undecoded = [problem["decoder"] for problem in sidecar.get("problems") or () if problem.get("decoder")]
    if undecoded:
        return frozenset() if undecoded[0] == decoders() else None
    if sidecar["original"]["size"] == 0:
        return frozenset()
    return outdated(sidecar.get("measurements") or {}, sidecar["original"]["media"])


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"
