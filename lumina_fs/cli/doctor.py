"""`lumina doctor`: what is installed, and what to do about what is not."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata
from typing import Any, NamedTuple

from lumina_fs import __version__
from lumina_fs.catalog import Catalog
from lumina_fs.cli.display import print_json, print_table
from lumina_fs.cli.session import add_command, add_json_option
from lumina_fs.errors import CatalogNotFound, ExitCode, LuminaError, ToolMissing
from lumina_fs.settings import Settings
from lumina_fs.tagging.extra import REMEDY, hindrance


class Finding(NamedTuple):
    """One thing that was looked at. `state` is ok, missing (it is needed) or optional."""

    what: str
    state: str
    detail: str


_PACKAGES = {
    "pillow": ("needed", "pip install pillow"),
    "pillow-heif": ("needed", "pip install pillow-heif"),
    "faiss-cpu": ("needed", "pip install faiss-cpu"),
    "av": ("optional", 'pictures of videos: pip install "lumina-fs[video]"'),
    "pillow-jxl-plugin": ("optional", 'JPEG XL: pip install "lumina-fs[jxl]"'),
    "torch": ("optional", f"models that tag photos: {REMEDY}"),
    "open-clip-torch": ("optional", f"tags by CLIP: {REMEDY}"),
    "ultralytics": ("optional", f"objects by YOLO: {REMEDY}"),
}


def add_parser(subparsers: Any) -> None:
    """Add the command's own parser."""
    parser = add_command(subparsers, "doctor", "lumina doctor")
    add_json_option(parser)


def run(args: argparse.Namespace) -> ExitCode:
    """Do it."""
    findings = [
        Finding("lumina", "ok", f"{__version__}, Python {platform.python_version()}, {platform.system()}"),
        _exiftool(),
        *(_package(name) for name in _PACKAGES),
        _models(),
        _postgres(),
        _gpu(),
    ]
    if args.json:
        for finding in findings:
            print_json(finding._asdict())
    else:
        print_table(("WHAT", "STATE", "DETAIL"), findings)
    return ExitCode.FAILED if any(finding.state == "missing" for finding in findings) else ExitCode.DONE


def _exiftool() -> Finding:
    from lumina_fs import exif

    try:
        path, version = exif.require()
    except ToolMissing as error:
        return Finding("exiftool", "missing", str(error))
    return Finding("exiftool", "ok", f"{version} at {path}")


def _package(name: str) -> Finding:
    need, remedy = _PACKAGES[name]
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "missing" if need == "needed" else "optional", remedy)


def _postgres() -> Finding:
    from index.protocol import IndexUnavailable
    from lumina_fs.index_session import URL, server_version

    kind = f"at {URL}" if os.environ.get(URL) else "embedded"
    try:
        return Finding("postgres", "ok", f"{kind}, {server_version()}")
    except IndexUnavailable as error:
        return Finding("postgres", "missing", f"{kind}: {error}. Scans work without; searches do not")


def _models() -> Finding:
    """Which models the settings name: of the catalog that one stands in, else those of a new one."""
    try:
        with Catalog.find(os.getcwd()) as catalog:
            settings, whose = catalog.settings, f"catalog {catalog.name}"
    except CatalogNotFound:
        settings, whose = Settings(), "by default"
    except LuminaError as error:
        return Finding("models", "missing", str(error))
    said = f"CLIP {settings.clip_model} {settings.clip_weights}, YOLO {settings.objects_model} ({whose})"
    missing = hindrance()
    return Finding("models", "ok" if missing is None else "optional", said if missing is None else f"{said}; {missing}")


def _gpu() -> Finding:
    there = "an NVIDIA GPU is there" if os.path.exists("/dev/nvidia0") else "no NVIDIA GPU was found"
    return Finding("gpu", "optional", f"{there}; tagging uses one where torch finds it (setting model_device)")
