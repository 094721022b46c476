"""Which folders lie on file systems that tell the kernel nothing of changes made elsewhere."""

from __future__ import annotations

import os
import re

#: Others write to these behind the kernel's back. All that is "fuse." counts too.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "virtiofs", "vboxsf", "davfs"}
)


class Mounts:
    """The mounts of this moment; `table` is what /proc/self/mountinfo says."""

    def __init__(self, table: str | None = None) -> None:
        self._types: dict[str, str] = {}
        for line in (_mountinfo() if table is None else table).splitlines():
            before, _, after = line.partition(" - ")
            fields = before.split(" ")
            if len(fields) > 4 and after:
                self._types[_unescaped(fields[4])] = after.split(" ")[0]

    def is_mount(self, path: str) -> bool:
        """True when something is mounted right at `path`."""
        return path in self._types

    def network(self, path: str) -> str | None:
        """The type of the file system that `path` lies on, if it is one of a network."""
        while path not in self._types and path != "/":
            path = os.path.dirname(path)
        kind = self._types.get(path, "")
        return kind if kind in _NETWORK or kind.startswith("fuse.") else None


def _mountinfo() -> str:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), path)
