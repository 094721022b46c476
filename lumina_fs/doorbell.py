"""The way to a running daemon: a socket that lies on no disk, named after the catalog, for one user alone.

Questions and answers are one line of JSON each. The name is in the kernel's abstract name space, so nothing is left
behind by a daemon that was killed, and read-only media do not matter; both sides ask the kernel who the other one is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import struct
import time
from typing import Any

from lumina_fs.errors import LuminaError

_PEER = struct.Struct("iII")


class NoDaemon(LuminaError):
    """No daemon watches this catalog."""


def address(path: str) -> str:
    """The name of the socket of the catalog at `path`."""
    named = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
    return f"\0lumina-fs-{os.geteuid()}-{named}"


def is_ours(connection: socket.socket) -> bool:
    """True when the other side is this user, or root."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return _PEER.unpack(credentials)[1] in (os.geteuid(), 0)


def ask(path: str, question: dict[str, Any], timeout: float | None = None) -> dict[str, Any]:
    """What the daemon of the catalog at `path` answers; waits as long as it takes, or `timeout` seconds.

    Raises NoDaemon where there is none, or it ended before it answered.
    """
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(address(path))
            if not is_ours(connection):
                raise NoDaemon("somebody else's process answers in the daemon's name; end it", path=path)
            connection.sendall(json.dumps(question).encode() + b"\n")
            answer = read_line(connection)
        except (ConnectionError, FileNotFoundError) as error:
            raise NoDaemon("no daemon watches this catalog; start one: lumina daemon run", path=path) from error
        except TimeoutError as error:
            raise NoDaemon(f"its daemon gave no answer in {timeout:g} s; is it stopped?", path=path) from error
    if answer is None:
        raise NoDaemon("its daemon ended before it answered; start it again: lumina daemon run", path=path)
    return answer


def wait_for_end(path: str, seconds: float) -> None:
    """Wait until no daemon answers for the catalog at `path` any more."""
    deadline = time.monotonic() + seconds
    with contextlib.suppress(NoDaemon):
        while time.monotonic() < deadline:
            ask(path, {"do": "status"}, timeout=5.0)
            time.sleep(0.05)


def read_line(connection: socket.socket) -> dict[str, Any] | None:
    """One line as a value; None where the other side ended first or wrote something else."""
    data = b""
    while not data.endswith(b"\n"):
        part = connection.recv(65536)
        if not part or len(data) > 1 << 22:
            return None
        data += part
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def daemon_gives_way(path: str) -> bool:
    """Ask the daemon to stop what it does for the sake of somebody who waits; False where there is none."""
    try:
        return bool(ask(path, {"do": "give way"}, timeout=5.0).get("done"))
    except (NoDaemon, OSError):
        return False
