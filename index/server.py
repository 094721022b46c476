"""Runs the embedded Postgres: starts it for the first process that needs it, shares it, stops it after the last.

The server listens on a Unix socket in a private folder and nowhere else. What it keeps is a cache: a data folder
that it cannot use is replaced by an empty one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import threading
import time
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from index.account import (
    ServerFailed,
    binaries,
    check_socket_folder,
    give,
    install,
    make_base,
    remove,
    run_as,
    server_account,
    socket_folder,
    socket_path,
)

if TYPE_CHECKING:
    pass  # imported where it is used, like all that a running server does not need

SILENT_SECONDS = 10.0  # one that says it is ready answers at once
START_SECONDS = 300.0  # a crash leaves at most about max_wal_size to be replayed, which takes seconds
STOP_SECONDS = 60.0
SUPERUSER = "lumina"
PORT = "5432"  # it only names the socket
SOCKET = f".s.PGSQL.{PORT}"

#: Given on the command line at each start, so that a new version of Lumina changes them for an old data folder too.
SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "maintenance_work_mem": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "fsync": "on",  # a torn cache is not always noticed, and a wrong answer is worse than a slow one
    "synchronous_commit": "off",  # the last commits may be lost: the documents are indexed again
    "jit": "off",
    "io_method": "sync",  # what is in the memory of the system is not had sooner from helpers, and there are few cores
    "log_checkpoints": "off",
}


class _Uses:
    """How often this process uses one server, and the lock that tells the other processes so."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = -1


_guard = threading.Lock()
_uses: dict[str, _Uses] = {}


def directory() -> str:
    """The folder of the server: its data, its log and its locks."""
    chosen = os.environ.get("LUMINA_POSTGRES_DIR")
    if chosen:
        return os.path.abspath(chosen)
    major = install()[1]
    if os.geteuid() == 0:
        return f"/var/cache/lumina-fs/postgres/{major}"
    import platformdirs

    return os.path.join(platformdirs.user_cache_dir("lumina-fs"), "postgres", major)


def running() -> bool:
    """True when the server is up, or on its way up or down. Starts nothing."""
    base = directory()
    with _telling_why(base):
        return _alive(base)


@contextlib.contextmanager
def serve() -> Iterator[str]:
    """Yield how to connect (a libpq string) to a server that runs at least until the end of the block."""
    base = directory()
    with _telling_why(base):
        _enter(base)
    try:
        with _telling_why(base), _guard, _locked(base):
            conninfo = _ensure(base)
        yield conninfo
    finally:
        _leave(base)


def stop() -> bool:
    """Stop the server unless a process uses it, and wait for its end; True when it does not run any more.

    The empty folder of its socket goes with it.
    """
    base = directory()
    if not os.path.isdir(base):
        return True
    with _telling_why(base), _guard, _locked(base):
        folders = {_socket_in_use(base), socket_path(base, server_account())} - {""}
        if _stop_unused(base):
            os.close(_sole_owner(base))
        if _alive(base):
            return False
        for folder in folders:
            with contextlib.suppress(OSError):  # there is none, or there is more in it than ours
                os.rmdir(folder)
        return True


def _enter(base: str) -> None:
    """Count one use. It comes before the start, so that nobody stops the server in between."""
    with _guard:
        make_base(base)
        uses = _uses.get(base) or _Uses()
        if uses.count == 0:
            with _locked(base):
                uses.lock = _open(base, "users")
                fcntl.flock(uses.lock, fcntl.LOCK_SH)
        uses.count += 1
        _uses[base] = uses


def _leave(base: str) -> None:
    """Take back one use; the last process out stops the server and does not wait for its end."""
    with _guard:
        uses = _uses[base]
        uses.count -= 1
        if uses.count:
            return
        del _uses[base]
        os.close(uses.lock)
        with contextlib.suppress(OSError, ServerFailed), _locked(base):  # else the next one out stops it
            _stop_unused(base)


def _ensure(base: str) -> str:
    account = server_account()
    if _alive(base) and not os.path.isdir(_socket_in_use(base) or "/"):
        _stop_unreachable(base)
    if os.path.exists(os.path.join(base, "stopping")):
        _interrupt(base, account)  # again: whoever wrote the mark may have died before it gave the signal
        os.close(_sole_owner(base))
    if not _wait_ready(base):
        _start_or_renew(base, account)
    folder = _socket_in_use(base)
    check_socket_folder(folder, account)
    peer = re.sub(r"(['\\])", r"\\\1", account.pw_name)
    # Every field that the environment (PGHOSTADDR, PGPORT, PGOPTIONS, ...) could turn elsewhere is given.
    return (
        f"host={folder} hostaddr='' port={PORT} dbname=postgres user={SUPERUSER} "
        f"requirepeer='{peer}' options='' client_encoding=UTF8"
    )


# --- starting ---------------------------------------------------------------------------------------------------


def _start_or_renew(base: str, account: pwd.struct_passwd) -> None:
    """Start the server; when it refuses, try an empty data folder, and keep the old one if that fails as well."""
    data, aside = os.path.join(base, "data"), os.path.join(base, "data.broken")
    programs = binaries(base, account)
    if not os.path.isdir(data):
        _initdb(base, account, programs)
    if not _start(base, account, programs):
        remove(aside)
        os.rename(data, aside)
        try:
            _initdb(base, account, programs)
            if not _start(base, account, programs):
                raise ServerFailed(f"the embedded Postgres does not start; the reason is in {base}/server.log")
        except Exception:
            if not _alive(base):  # not the data but the machine is at fault (no space, no memory): keep what we had
                remove(data)
                os.rename(aside, data)
            raise
    remove(aside)


def _initdb(base: str, account: pwd.struct_passwd, binaries: str) -> None:
    """Make an empty data folder beside its place, so that a kill in the middle leaves nothing half made."""
    fresh = os.path.join(base, "data.new")
    remove(fresh)
    os.mkdir(fresh, 0o700)
    give(fresh, account)
    options = "--no-sync --auth=trust --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
    command = [f"{binaries}/initdb", "--pgdata", fresh, "--username", SUPERUSER, *options.split()]
    with _log(base) as log:
        result = run_as(command, account, stdout=log, stderr=log)
    if result.returncode != 0:
        raise ServerFailed(f"initdb could not make a data folder in {base}; the reason is in {base}/server.log")
    os.rename(fresh, os.path.join(base, "data"))


def _start(base: str, account: pwd.struct_passwd, binaries: str) -> bool:
    """Start the server and wait until it answers; False when it ends instead."""
    owned = _sole_owner(base)
    try:
        folder = socket_folder(base, account)
        _forget_dead(base, folder)
        command = [f"{binaries}/postgres", "-D", os.path.join(base, "data")]
        for name, value in {**SETTINGS, "unix_socket_directories": folder}.items():
            command += ["-c", f"{name}={value}"]
        # The shell leaves at once, so that the server is nobody's child. It inherits the lock, and so does every
        # process of the server: the lock is free when the last of them is gone, whatever postmaster.pid says.
        with _log(base) as log:
            shell = ["/bin/sh", "-c", '"$@" &', "sh", *command]
            run_as(shell, account, stdout=log, stderr=log, start_new_session=True, pass_fds=[owned])
    finally:
        os.close(owned)
    return _wait_ready(base)


def _wait_ready(base: str) -> bool:
    """Wait for a server that is on its way up, started by us or by others; False when there is none (any more)."""
    deadline = time.monotonic() + START_SECONDS
    while _alive(base):
        if _pid_file(base)[7:8] == ["ready"]:
            if _answers(_socket_in_use(base)):
                return True
            deadline = min(deadline, time.monotonic() + SILENT_SECONDS)  # it hangs, or somebody stopped it
        if time.monotonic() > deadline:
            raise ServerFailed(f"the embedded Postgres does not answer; try again later, its log is {base}/server.log")
        time.sleep(0.003)
    return False


def _forget_dead(base: str, folder: str) -> None:
    """Remove what a dead server left: its number may be another process's by now, which Postgres takes for it."""
    for at in (_socket_in_use(base), folder):
        if _answers(at):
            raise ServerFailed(
                f"a Postgres that Lumina does not know answers in {at}; if its data was removed it ends within a "
                "minute or two, else stop it; then try again"
            )
    for path in (f"{base}/stopping", f"{base}/data/postmaster.pid", f"{folder}/{SOCKET}", f"{folder}/{SOCKET}.lock"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


# --- stopping ---------------------------------------------------------------------------------------------------


def _stop_unused(base: str) -> bool:
    """Ask the server to stop if no process uses it, without waiting; True when it runs and was asked."""
    users = _open(base, "users")
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(users)
    if not _alive(base):
        return False
    os.close(_open(base, "stopping"))  # the next start waits for the end of a server with this mark
    _interrupt(base, server_account())
    return True


def _stop_unreachable(base: str) -> None:
    """A logout removes the folder of the session, and with it the socket of a server that others may still use."""
    uses = _uses[base]
    if uses.count == 1:
        fcntl.flock(uses.lock, fcntl.LOCK_UN)
        stopped = _stop_unused(base)
        fcntl.flock(uses.lock, fcntl.LOCK_SH)
        if stopped:
            return
    raise ServerFailed(f"the embedded Postgres in {base} lost its socket; end the other Lumina processes, then retry")


def _interrupt(base: str, account: pwd.struct_passwd) -> None:
    """Fast shutdown. Sent by the server's own account: root must not signal whatever number a file holds."""
    number = "".join(_pid_file(base)[:1])
    if number.isdigit() and _alive(base):
        run_as(["/bin/sh", "-c", 'kill -INT "$1" 2>&-', "sh", number], account)


# --- locks and files --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _telling_why(base: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ServerFailed(f"the embedded Postgres in {base} cannot be used: {error}") from error


@contextlib.contextmanager
def _locked(base: str) -> Iterator[None]:
    """Entering, leaving, starting and stopping: one process at a time."""
    lock = _open(base, "start.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _open(base: str, name: str, flags: int = 0) -> int:
    return os.open(os.path.join(base, name), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)


def _log(base: str) -> IO[bytes]:
    path = os.path.join(base, "server.log")
    with contextlib.suppress(FileNotFoundError):
        if os.stat(path).st_size > 1 << 20:
            os.replace(path, path + ".1")
    return open(_open(base, "server.log", os.O_APPEND), "ab")


def _alive(base: str) -> bool:
    """Does any process of the server live? Each holds the lock; two who ask at once do not disturb one another."""
    try:
        lock = os.open(os.path.join(base, "server.lock"), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _sole_owner(base: str) -> int:
    """Wait for the end of every process of the server; the lock that says so is the caller's to close."""
    lock = _open(base, "server.lock")
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise ServerFailed(f"the embedded Postgres does not end; its log is {base}/server.log") from None
            time.sleep(0.003)


def _pid_file(base: str) -> list[str]:
    """The lines of postmaster.pid: number, data folder, time, port, socket folder, address, memory, state."""
    try:
        with open(os.path.join(base, "data", "postmaster.pid"), encoding="utf-8", errors="surrogateescape") as file:
            return [line.strip() for line in file]
    except FileNotFoundError:
        return []


def _socket_in_use(base: str) -> str:
    return "".join(_pid_file(base)[4:5])


def _answers(folder: str) -> bool:
    """Does a postmaster take connections here? Its children outlive it for a moment, so do its file and its socket."""
    import socket

    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        probe.connect(f"{folder}/{SOCKET}")
        probe.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")  # "do you speak TLS?", which is answered before any login
        return probe.recv(1) != b""
    return False
