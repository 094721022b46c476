"""The systemd user unit by which the daemon starts when its user logs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from lumina_fs.documents import read
from lumina_fs.durable import ABSENT, Disk, Failed, Written
from lumina_fs.errors import Refused, UsageError, WriteFailed
from lumina_fs.roots import Root

NAME = "lumina.service"
_HEAD = "# written by `lumina daemon install`; it may be replaced by it"


def unit(paths: Sequence[str]) -> str:
    """The text of a unit that watches these catalogs. Raises UsageError for a path that systemd cannot be given."""
    command = [sys.executable, "-P", "-m", "lumina_fs", "daemon", "run", *paths]
    return f"""{_HEAD}
[Unit]
Description=Lumina FS, keeping photo catalogs up to date

[Service]
Type=notify
NotifyAccess=main
ExecStart={" ".join(map(_quoted, command))}
Restart=on-failure
RestartSec=10
TimeoutStartSec=infinity
Nice=10
IOSchedulingClass=idle
{_environment()}
[Install]
WantedBy=default.target
"""


def _environment() -> str:
    """What this shell says about where things are; the unit must find them in the same places."""
    names = ("LUMINA_HOME", "LUMINA_POSTGRES_DIR", "PYTHONPATH")
    values = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    return "".join(f"Environment={_quoted(value)}\n" for value in values)


def _quoted(word: str) -> str:
    """One word of a systemd command line."""
    if any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in word):
        raise UsageError("a systemd unit cannot name it: the name has control characters or is not UTF-8", path=word)
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def folder() -> str:
    """Where a user's units lie."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "systemd", "user")


def install(paths: Sequence[str], disk: Disk | None = None) -> tuple[str, bool]:
    """Write the unit; its path, and whether it changed. Raises Refused where another one is in its place."""
    disk, data, where = disk or Disk(), unit(paths).encode(), folder()
    disk.make_root(where)
    with Root.open(where) as root:
        stored = read(root, NAME)
        path = os.path.join(where, NAME)
        if stored is not None and not stored.data.startswith(_HEAD.encode()):
            raise Refused("is there already and was not written by Lumina; remove it first", path=path)
        if stored is not None and stored.data == data:
            return path, False
        outcome = disk.write(root, NAME, data, if_match=ABSENT if stored is None else stored.etag)
    if isinstance(outcome, Written):
        return path, True
    if isinstance(outcome, Failed):
        raise WriteFailed(f"cannot write: {outcome.error.strerror}", path=path)
    raise Refused("somebody else is writing it; nothing was written", path=path)
