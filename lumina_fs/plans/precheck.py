"""Everything that must hold before the first file of a plan is touched: found out in one pass, and told together."""

from __future__ import annotations

import os
import stat
import threading
from collections import deque
from collections.abc import Collection, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from lumina_fs.catalog import STATE
from lumina_fs.errors import CorruptDocument, LuminaError, Refused, UnsafePath
from lumina_fs.file_state import FileStat, stat_of
from lumina_fs.plans.deeds import ORIGINALS
from lumina_fs.plans.edits import unlike
from lumina_fs.plans.places import AnyAction, Places, Step, steps_of
from lumina_fs.plans.targets import GOING_BACK, fold, folder_path_refusal, refusal, too_long
from lumina_fs.pouring import digest_of
from lumina_fs.progress import Event, Progress, Throttle
from lumina_fs.roots import check_relative
from lumina_fs.transfer import Spot
from schemas.names import decode_name
from schemas.plan import Copy, Edit, Move, Plan, Restore, Skip, Trash

_SMALL = 1 << 16
_AHEAD = 16

Key = tuple[str, str]


class Problem(NamedTuple):
    """Why an action cannot be done."""

    action: int
    source: str
    path: str
    why: str


@dataclass(slots=True)
class Folder:
    """A folder as it is on the disk (None: it is not there yet), and the names in it as they will be."""

    on_disk: frozenset[str] | None
    device: int
    taken: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """A name that will be there."""
        self.taken.setdefault(fold(name), set()).add(name)

    def remove(self, name: str) -> None:
        """A name that will be gone."""
        names = self.taken.get(fold(name))
        if names is not None:
            names.discard(name)


@dataclass(slots=True)
class Precheck:
    """The check of a plan. `settled` actions are done already; `begun` ones may be anywhere between.

    `joins`: edits may join what a person wrote since, so their sidecars need not be as the plan saw them.
    """

    places: Places
    plan: Plan
    settled: Collection[int] = ()
    begun: Collection[int] = ()
    joins: bool = False
    problems: list[Problem] = field(default_factory=list)
    seen: dict[Key, FileStat] = field(default_factory=dict)
    _folders: dict[Key, Folder] = field(default_factory=dict)
    _planned: dict[Key, str | None] = field(default_factory=dict)
    _vacated: set[Key] = field(default_factory=set)
    _wanted: dict[int, int] = field(default_factory=dict)
    _hashing: deque[tuple[Future[tuple[str, bool]], int, AnyAction, Spot, str]] = field(default_factory=deque)

    def run(self, cancel: threading.Event) -> Generator[Event, None, None]:
        """Check all; what is wrong is in `problems`, and the stat of every file that was read in `seen`."""
        throttle, total = Throttle(), len(self.plan.actions)
        with ThreadPoolExecutor(max(2, len(os.sched_getaffinity(0)))) as pool:
            for number, action in enumerate(self.plan.actions):
                if cancel.is_set():
                    break
                if number not in self.settled and not isinstance(action, Skip):
                    self._action(number, action, pool)
                if throttle.due():
                    yield Progress("checking", number + 1, total, "actions")
            while self._hashing:
                self._take_digest()
        if not cancel.is_set():
            self._whole_units()
            self._room()

    def _action(self, number: int, action: AnyAction, pool: ThreadPoolExecutor) -> None:
        try:
            self._permission(action)
            steps = steps_of(self.places, action)
            for path in self._paths(action):
                check_relative(path)
                if STATE in path.split("/"):
                    raise UnsafePath("lies among the files of a catalog, which no plan touches", path=path)
            begun = number in self.begun
            if isinstance(action, Edit):
                if self.plan.purpose == "resolve_duplicates":  # what stays while others go must be what it was
                    self._source(number, action, self._whole(action), pool)
                self._edit(action, begun)
            for step in steps:
                if not step.is_sidecar and not begun:
                    self._source(number, action, step, pool)
            for step in steps:
                self._target(action, step, begun)
        except Refused as error:
            self._problem(number, action, str(error))
        except CorruptDocument as error:
            self._problem(number, action, f"its sidecar cannot be used: {error}")
        except OSError as error:
            self._problem(number, action, f"cannot be looked at: {error.strerror or error}")
        except LuminaError as error:
            self._problem(number, action, str(error))

    def _problem(self, number: int, action: AnyAction, why: str) -> None:
        self.problems.append(Problem(number, action.source, action.path, why))

    @staticmethod
    def _paths(action: AnyAction) -> Iterator[str]:
        yield decode_name(action.path)
        if isinstance(action, (Move, Copy)):
            yield decode_name(action.to.path)
        for one in action.companions:
            if one.part != "sidecar":  # that of an original is found by its name, whatever the plan says
                yield decode_name(one.path)
            if one.to and one.part != "sidecar":
                yield decode_name(one.to)

    def _permission(self, action: AnyAction) -> None:
        if isinstance(action, (Move, Trash)):
            self._require_managed(action.source, "its originals stay where they are; they may only be copied")
        if isinstance(action, (Move, Copy)):
            self._require_managed(action.to.source, "plans may put nothing there")

    def _require_managed(self, name: str, so: str) -> None:
        if not self.places.source(name).managed:
            raise Refused(f"the source {name} is referenced: {so}. To allow it: lumina source set {name} --managed yes")

    # -- where files come from

    def _whole(self, action: AnyAction) -> Step:
        spot = self.places.spot(action.source, decode_name(action.path))
        return Step("original", spot, spot, action.size, action.sha256, keep=True)

    def _source(self, number: int, action: AnyAction, step: Step, pool: ThreadPoolExecutor) -> None:
        key = step.old.names()
        if key in self._planned:
            if step.sha256 is not None and self._planned[key] not in (None, step.sha256):
                raise Refused("an earlier action of this plan puts another file there", path=step.old.path)
            return
        if key in self._vacated:
            raise Refused("an earlier action of this plan takes it away", path=step.old.path)
        try:
            fd = step.old.root.open_file(step.old.path)
        except FileNotFoundError:
            raise Refused("is not there any more", path=step.old.path) from None
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            raise Refused("is no regular file", path=step.old.path)
        if step.size is not None and info.st_size != step.size:
            os.close(fd)
            raise Refused(f"has {info.st_size:,} bytes, not {step.size:,}: it was changed", path=step.old.path)
        self.seen[key] = stat_of(info)
        future: Future[tuple[str, bool]]
        if info.st_size > _SMALL:
            future = pool.submit(_digest, fd, self.seen[key])
        else:
            future = Future()
            future.set_result(_digest(fd, self.seen[key]))
        self._hashing.append((future, number, action, step.old, step.sha256 or ""))
        while self._hashing and (len(self._hashing) > _AHEAD or self._hashing[0][0].done()):
            self._take_digest()

    def _take_digest(self) -> None:
        future, number, action, spot, sha256 = self._hashing.popleft()
        try:
            found, still = future.result()
        except OSError as error:
            self._problem(number, action, f"{spot.path}: cannot be read: {error.strerror}")
            return
        if not still:
            self._problem(number, action, f"{spot.path}: changes while it is read")
        elif sha256 and found != sha256:
            self._problem(number, action, f"{spot.path}: its content changed since the plan was made")

    def _edit(self, action: Edit, begun: bool) -> None:
        path = decode_name(action.path)
        key = self.places.spot(action.source, path).names()
        if begun or key in self._planned:
            return
        if self.places.spot(action.source, path).info() is None:
            raise Refused("is not there any more", path=path)
        if self.joins:
            return
        found = self.places.sidecars(action.source).find(path)
        if found is None:
            raise Refused("has no sidecar to edit; `lumina scan` writes it", path=path)
        if found[1]["original"].get("sha256") != action.sha256:
            raise Refused("its content changed since the plan was made", path=path)
        if wrong := unlike(found[1], action, "before"):
            raise Refused(f"was edited since the plan was made: {wrong}", path=path)

    # -- where they go

    def _target(self, action: AnyAction, step: Step, begun: bool) -> None:
        """Check and book a place. A move within a folder frees its own name first."""
        freed = step.old.names()
        if step.is_sidecar and freed not in self._planned and step.old.info() is None and not begun:
            return
        if not step.keep:
            self._folder(*self._split(step.old)).remove(step.old.path.rpartition("/")[2])
            self._vacated.add(freed)
            self._planned.pop(freed, None)
        back = isinstance(action, (Restore, Trash)) or self.plan.purpose in GOING_BACK
        key = step.new.names()
        folder = self._reach(step, back)
        name = step.new.path.rpartition("/")[2]
        names = folder.taken.get(fold(name)) or set()
        clash = name if name in names else None if back else next(iter(names), None)
        if clash is not None and not begun:
            same = "is taken" if clash == name else f"differs from {clash!r} only in case or in the form of its letters"
            raise Refused(f"the name {same}; nothing is overwritten", path=step.new.path)
        folder.add(name)
        self._planned[key] = step.sha256
        self._vacated.discard(key)
        self._count(step, folder)

    def _split(self, spot: Spot) -> tuple[Spot, str]:
        return spot, spot.path.rpartition("/")[0]

    def _reach(self, step: Step, back: bool) -> Folder:
        """The folder of a target, with those above it checked name by name."""
        root, path = step.new.root, step.new.path.rpartition("/")[0]
        if not (back or step.is_sidecar):
            _require_name(step)
        parts = path.split("/") if path else []
        folder = self._folder(step.new, "")
        for depth, part in enumerate(parts):
            inner = "/".join(parts[: depth + 1])
            if (root.path, inner) in self._planned:
                raise Refused(f"{inner} is to be a file, so nothing can lie in it", path=step.new.path)
            others = folder.taken.get(fold(part)) or set()
            if part not in others:
                if others and not back:
                    raise Refused(
                        f"the folder {inner} differs from {next(iter(others))!r} only in case or in the form of its "
                        "letters", path=step.new.path,
                    )  # fmt: skip
                folder.add(part)
            folder = self._folder(step.new, inner)
        return folder

    def _folder(self, spot: Spot, path: str) -> Folder:
        key = (spot.root.path, path)
        if key not in self._folders:
            self._folders[key] = self._look(spot, path)
        return self._folders[key]

    def _look(self, spot: Spot, path: str) -> Folder:
        try:
            fd = spot.root.directory(path)
        except FileNotFoundError:
            above = self._folder(spot, path.rpartition("/")[0])
            return Folder(None, above.device)
        except NotADirectoryError:
            raise Refused("is a file, so nothing can lie in it", path=path) from None
        except OSError as error:
            raise UnsafePath(f"cannot be used as a folder: {error.strerror}", path=path) from error
        if os.fstatvfs(fd).f_flag & os.ST_RDONLY or not os.access(".", os.W_OK, dir_fd=fd):
            raise Refused("cannot be written to", path=os.path.join(spot.root.path, path))
        folder = Folder(frozenset(os.listdir(fd)), os.fstat(fd).st_dev)
        for name in folder.on_disk or ():
            folder.add(name)
        return folder

    def _count(self, step: Step, folder: Folder) -> None:
        """Bytes that are written anew, by volume."""
        if step.size is None:
            return
        if step.keep or self._folder(*self._split(step.old)).device != folder.device:
            self._wanted[folder.device] = self._wanted.get(folder.device, 0) + step.size

    # -- all together

    def _whole_units(self) -> None:
        """No original goes without what lies beside it and belongs to it."""
        carried = set(self._carried())
        for number, action in enumerate(self.plan.actions):
            if not isinstance(action, (Move, Trash)) or number in self.settled or number in self.begun:
                continue
            path = decode_name(action.path)
            folder, slash, _ = path.rpartition("/")
            for other in self.places.unit_of(action.source, path):
                if (action.source, folder + slash + other) not in carried:
                    self._problem(
                        number, action,
                        f"{path}: {other} belongs to it and is not in the plan. Propose the plan anew, or add it",
                    )  # fmt: skip

    def _carried(self) -> Iterator[Key]:
        for action in self.plan.actions:
            if isinstance(action, (Move, Trash)):
                yield action.source, decode_name(action.path)
                yield from ((action.source, decode_name(one.path)) for one in action.companions)

    def _room(self) -> None:
        """Free space on every volume that gets new bytes."""
        for (path, inner), folder in self._folders.items():
            wanted = self._wanted.get(folder.device)
            if wanted is None or folder.on_disk is None:
                continue
            del self._wanted[folder.device]
            where = os.path.join(path, inner)
            about = os.statvfs(where)
            free = about.f_bavail * about.f_frsize
            if wanted > free:
                self.problems.append(
                    Problem(-1, "", where, f"the plan needs {wanted:,} bytes on its volume, and {free:,} are free")
                )


def _require_name(step: Step) -> None:
    """Refuse a target that no plan may make, by the rules by which it was shown. Raises UnsafePath."""
    path = step.new.path
    check_relative(path)
    original = step.part == "original" or step.part in ORIGINALS
    reason = refusal(path) if original else folder_path_refusal(path.rpartition("/")[0]) or too_long(path)
    if reason is not None:
        raise UnsafePath(reason, path=path)


def _digest(fd: int, seen: FileStat) -> tuple[str, bool]:
    """The SHA-256 of an open file, which is closed, and whether it stayed the same meanwhile."""
    try:
        found = digest_of(fd)
        return found, stat_of(os.fstat(fd)) == seen
    finally:
        os.close(fd)
