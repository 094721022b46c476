"""The one module that starts ExifTool: long-lived, read-only, timed, and never told a person's file name.

A file is handed over as an open descriptor, through a link with a safe name in a private directory. ExifTool can
be killed by four bytes in the middle of a batch; then the rest of the batch is read by a fresh one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import exiftool

from lumina_fs.errors import ToolMissing

#: CVE fixes and HEIC support; Debian's stable release has a newer one.
OLDEST = (12, 38)
INSTALL = "apt-get install libimage-exiftool-perl"

# -fast: do not look behind the end of a JPEG; -m: minor faults are no errors. Config files are off.
_ARGUMENTS = ["-j", "-G", "-n", "-fast", "-m", "-api", "largefilesupport=1"]
_PREVIEWS = (
    "JpgFromRaw", "PreviewImage", "OtherImage", "JpgFromRaw2", "PreviewTIFF", "ThumbnailImage", "ThumbnailTIFF",
)  # fmt: skip
_ABOUT_THE_LINK = {
    "SourceFile", "File:FileName", "File:Directory", "File:FileModifyDate", "File:FileAccessDate",
    "File:FileInodeChangeDate", "File:FilePermissions", "File:FileSize", "File:FileCreateDate",
    "File:ZoneIdentifier", "System:FileName", "ExifTool:ExifToolVersion",
}  # fmt: skip
_SAFE = re.compile(r"[^a-z0-9]")
_MAX_OUTPUT = 256 << 20


class OpenFile(NamedTuple):
    """A file to read: an open descriptor, and the extension of its name (some RAW formats need it)."""

    fd: int
    extension: str


@dataclass(frozen=True, slots=True)
class ExifFailure:
    """Why there is no metadata: "crashed" (ExifTool died of this file), "timeout", or "unreadable"."""

    reason: str


class _Died(Exception):
    """The child is gone, or had to go; `partial` is what it said until then."""

    def __init__(self, reason: str, partial: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.partial = partial


class _Child(exiftool.ExifTool):  # type: ignore[misc]
    """PyExifTool's process, with a way to read that has a time limit and notices a dead child."""

    def __init__(self, executable: str) -> None:
        super().__init__(executable=executable, common_args=None, config_file="")
        self.run()
        self._number = 0

    def ask(self, arguments: Sequence[str]) -> bytes:
        """Send a command; the marker that will end its answer."""
        self._number += 1
        lines = [*arguments, f"-execute{self._number}"]
        try:
            self._process.stdin.write(("\n".join(lines) + "\n").encode())
            self._process.stdin.flush()
        except OSError:
            raise _Died("crashed", b"") from None
        return f"{{ready{self._number}}}".encode()

    def answer(self, marker: bytes, seconds: float) -> bytes:
        """What it prints before the marker. Raises _Died after `seconds` of silence or when it ends."""
        out, errors = self._process.stdout.fileno(), self._process.stderr.fileno()
        parts = bytearray()
        deadline = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([out, errors], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise _Died("timeout", bytes(parts))
            if errors in ready and not os.read(errors, 65536) and out not in ready:
                raise _Died("crashed", bytes(parts))
            if out not in ready:
                continue
            part = os.read(out, 1 << 20)
            if not part or len(parts) > _MAX_OUTPUT:
                raise _Died("crashed", bytes(parts))
            parts += part
            deadline = time.monotonic() + seconds
            end = parts.rstrip()
            if end.endswith(marker):
                return bytes(end[: -len(marker)])

    def kill(self) -> None:
        """End it now; it may hang."""
        process = self._process
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        self._flag_running_false()


def find() -> tuple[str, str] | None:
    """(path, version) of the installed ExifTool, or None."""
    path = shutil.which("exiftool")
    if path is None:
        return None
    done = subprocess.run([path, "-ver"], capture_output=True, text=True, timeout=30, check=False)
    return (path, done.stdout.strip()) if done.returncode == 0 else None


def require() -> tuple[str, str]:
    """(path, version) of an ExifTool that is new enough. Raises ToolMissing with what to install."""
    found = find()
    if found is None:
        raise ToolMissing(f"ExifTool is not installed: {INSTALL}")
    numbers = tuple(int(part) for part in re.findall(r"\d+", found[1])[:2])
    if numbers < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise ToolMissing(f"ExifTool {found[1]} is too old, at least {wanted} is needed: {INSTALL}")
    return found


class ExifReader:
    """Reads the metadata of open files; a context manager. One child process, restarted as needed."""

    def __init__(self, executable: str, *, seconds: float = 8.0, files_per_child: int = 2000) -> None:
        self._executable = executable
        self._seconds = seconds
        self._files_per_child = files_per_child
        self._child: _Child | None = None
        self._served = 0
        self._links = tempfile.TemporaryDirectory(prefix="exif-", ignore_cleanup_errors=True)
        self._pending: tuple[list[OpenFile], list[str], bytes | None] | None = None

    def __enter__(self) -> ExifReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child and remove the private directory."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._links.cleanup()

    def warm(self) -> None:
        """Start the child before the first file is there; what is wrong with it shows with that file."""
        with contextlib.suppress(OSError, exiftool.exceptions.ExifToolException):
            self._running()

    def read(self, files: Sequence[OpenFile]) -> list[dict[str, Any] | ExifFailure]:
        """The tags of each file, under ExifTool's `Group:Name`, or why there are none; in order."""
        self.submit(files)
        return self.collect()

    def submit(self, files: Sequence[OpenFile]) -> None:
        """Let ExifTool start on these files; `collect` waits for the answer. The descriptors must stay open."""
        assert self._pending is None, "collect() first"
        links = [self._link(at, file) for at, file in enumerate(files)]
        marker: bytes | None = None
        if files:
            with contextlib.suppress(_Died):
                marker = self._running().ask([*_ARGUMENTS, *links])
        self._pending = (list(files), links, marker)

    def collect(self) -> list[dict[str, Any] | ExifFailure]:
        """The answers to `submit`, in order. One file that ends or stops ExifTool costs no other its answer."""
        assert self._pending is not None, "submit() first"
        files, links, marker = self._pending
        self._pending = None
        found: dict[str, dict[str, Any] | ExifFailure] = {}
        waiting = list(links)
        try:
            while waiting:
                try:
                    if marker is None:
                        marker = self._running().ask([*_ARGUMENTS, *waiting])
                    answer = self._running().answer(marker, self._seconds)
                    found.update(_objects(answer, waiting))
                    waiting = []
                except _Died as death:
                    found.update(_objects(death.partial, waiting))
                    self._restart()
                    waiting = [link for link in waiting if link not in found]
                    if waiting:  # the first without an answer is the one it died of
                        found[waiting[0]] = ExifFailure(death.reason)
                        waiting = waiting[1:]
                marker = None
            self._served += len(files)
            if self._served >= self._files_per_child:
                self._restart()
        finally:
            self._unlink(links)
        return [found.get(link, ExifFailure("unreadable")) for link in links]

    def previews(self, file: OpenFile) -> bytes | None:
        """The largest picture that is embedded in a file, as it lies there (JPEG, rarely TIFF); None without one."""
        link = self._link(0, file)
        arguments = ["-j", "-b", "-m", "-api", "largefilesupport=1", *(f"-{t}" for t in _PREVIEWS)]
        try:
            child = self._running()
            answer = child.answer(child.ask([*arguments, link]), self._seconds)
        except _Died:
            self._restart()
            return None
        finally:
            self._unlink([link])
        tags = next(iter(_objects(answer, [link]).values()), {})
        found = [_decoded(tags.get(tag)) for tag in _PREVIEWS]
        return max((data for data in found if data), key=len, default=None)

    def _running(self) -> _Child:
        if self._child is None:
            self._child = _Child(self._executable)
            self._served = 0
        return self._child

    def _restart(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _link(self, at: int, file: OpenFile) -> str:
        """A private name for an open file: a number, and an extension of letters and digits."""
        ending = _SAFE.sub("", file.extension.lower())[:8]
        link = os.path.join(self._links.name, f"{at}.{ending}" if ending else str(at))
        target = f"/proc/{os.getpid()}/fd/{file.fd}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)
        os.symlink(target, link)
        return link

    @staticmethod
    def _unlink(links: Sequence[str]) -> None:
        for link in links:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(link)


def _objects(answer: bytes, links: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Link -> tags, from ExifTool's JSON array; of an array that was cut off, the objects that are whole."""
    text = answer.decode("utf-8", "replace")
    try:
        parsed = json.loads(text) if text.strip() else []
    except ValueError:
        parsed = _whole_objects(text)
    wanted = set(links)
    found = {}
    for tags in parsed:
        source = tags.get("SourceFile")
        if source in wanted:
            found[source] = {k: v for k, v in tags.items() if k not in _ABOUT_THE_LINK}
    return found


def _whole_objects(text: str) -> list[dict[str, Any]]:
    decoder, objects = json.JSONDecoder(), []
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            break
        objects.append(value)
        at = text.find("{", end)
    return objects


def _decoded(value: Any) -> bytes | None:
    """Binary data as ExifTool puts it into JSON."""
    import base64

    if not isinstance(value, str) or not value.startswith("base64:"):
        return None
    try:
        return base64.b64decode(value[7:])
    except ValueError:
        return None
