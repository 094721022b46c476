"""All bytes of one file into another, hashed on the way, and read back from the disk while more is still written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from queue import Queue

from lumina_fs import kernel
from lumina_fs.kernel import Layer

_CHUNK = 1 << 20
_WINDOW = 32 << 20


def pour(layer: Layer, source: int, fd: int, check: int) -> str:
    """Copy `source` into the empty file `fd`, and bring it on the disk; the SHA-256 of what was read.

    `check` is another descriptor of that file, by which it is read back with nothing of it left in memory. Raises
    OSError where the disk fails, or gives back other bytes.
    """
    if os.fstat(source).st_size <= _CHUNK:
        sha256 = _pour_small(layer, source, fd)
        layer.fsync(fd)
        _forget(check, 0, 0)
        found = digest_of(check)
    else:
        sha256, found = _pour_large(layer, source, fd, check)
    if found != sha256:
        raise OSError(errno.EIO, "the disk gives back other bytes than were written")
    return sha256


def _pour_small(layer: Layer, source: int, fd: int) -> str:
    data = os.read(source, _CHUNK + 1)
    while more := os.read(source, _CHUNK):
        data += more
    layer.write(fd, data)
    return hashlib.sha256(data).hexdigest()


def _pour_large(layer: Layer, source: int, fd: int, check: int) -> tuple[str, str]:
    with contextlib.suppress(OSError):
        os.posix_fadvise(source, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    digest, back = hashlib.sha256(), _ReadBack(check)
    with back, _hashing(digest) as queue:
        done = given = 0
        while data := os.read(source, _CHUNK):
            queue.put(data)
            layer.write(fd, data)
            done += len(data)
            if done - given >= _WINDOW and back.can_wait:
                back.add(given, done - given)
                given = done
        layer.fsync(fd)
        back.add(given, done - given)
    if back.error is not None:
        raise back.error
    return digest.hexdigest(), back.digest.hexdigest()


class _ReadBack:
    """A thread that waits until a part of a file is on the disk, drops it from memory, and reads it; a context."""

    def __init__(self, fd: int) -> None:
        self.digest = hashlib.sha256()
        self.error: OSError | None = None
        self.can_wait = kernel.can_write_back()
        self._fd = fd
        self._parts: Queue[tuple[int, int] | None] = Queue()
        self._thread = threading.Thread(target=self._work)

    def add(self, offset: int, count: int) -> None:
        """Read back this part, which has been written."""
        self._parts.put((offset, count))

    def __enter__(self) -> _ReadBack:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            while part := self._parts.get():
                self._read(*part)
        except OSError as error:
            self.error = error

    def _read(self, offset: int, count: int) -> None:
        if self.can_wait:
            kernel.write_back(self._fd, offset, count)
        _forget(self._fd, offset, count)
        end = offset + count
        while offset < end:
            data = os.pread(self._fd, min(_CHUNK, end - offset), offset)
            if not data:
                raise OSError(errno.EIO, "the disk gives back fewer bytes than were written")
            self.digest.update(data)
            offset += len(data)


def digest_of(fd: int) -> str:
    """The SHA-256 of all that a descriptor gives, from where it stands."""
    found = hashlib.sha256()
    if os.fstat(fd).st_size <= _CHUNK:
        while data := os.read(fd, _CHUNK):
            found.update(data)
        return found.hexdigest()
    with _hashing(found) as queue:
        while data := os.read(fd, _CHUNK):
            queue.put(data)
    return found.hexdigest()


@contextlib.contextmanager
def _hashing(digest: hashlib._Hash) -> Iterator[Queue[bytes]]:
    """A thread that hashes what is put into the queue, while the caller reads and writes on."""
    queue: Queue[bytes] = Queue(8)

    def work() -> None:
        while data := queue.get():
            digest.update(data)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield queue
    finally:
        queue.put(b"")
        thread.join()


def _forget(fd: int, offset: int, count: int) -> None:
    """Drop a part of a file from memory, as far as it is on the disk."""
    with contextlib.suppress(OSError):
        os.posix_fadvise(fd, offset, count, os.POSIX_FADV_DONTNEED)
