"""Find originals and sidecars in a directory tree, by name and stat alone, without following any link."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lumina_fs.durable import SOURCE_MARK, STATE_FOLDER, TEMP_PREFIX
from lumina_fs.file_state import FileStat
from lumina_fs.filetypes import BY_ENDING, by_extension, may_be_original
from lumina_fs.sidecars import ORPHAN, SUFFIX

#: Folders that hold nothing of the person's: other programs' thumbnails, trash, version control, our own.
IGNORED_FOLDERS = frozenset(
    {
        STATE_FOLDER, "@eaDir", ".@__thumb", ".thumbnails", ".thumbnail", ".cache", ".git", ".svn",
        "#recycle", "@Recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found",
        ".Spotlight-V100", ".fseventsd", ".TemporaryItems", ".DocumentRevisions-V100",
        ".picasaoriginals", ".comments", ".dtrash", ".stfolder", ".stversions", ".sync", ".syncthing",
        ".darktable", "__MACOSX", ".AppleDouble", ".AppleDB", "iPod Photo Cache",
    }
)  # fmt: skip

_IGNORED_FILES = re.compile(
    r"\._|\.DS_Store$|Thumbs\.db$|ehthumbs|desktop\.ini$|\.nomedia$|\.directory$|Icon\r$|"
    r"\.picasa\.ini$|SYNOFILE_THUMB|\.fuse_hidden|~\$|" + re.escape(TEMP_PREFIX)
)
_TEXT = (".txt", ".TXT", ".Txt")
#: How the folder of a catalog that was deleted is named. Photos from its trash may lie in it.
SET_ASIDE = ".lumina-deleted-"
_IGNORED_TRASH = re.compile(r"\.Trash|\.trash|" + re.escape(SET_ASIDE))


#: Folders of a source ("" is its top), and whether all below them is meant too.
Folders = Mapping[str, bool]


def is_ignored_file(name: str) -> bool:
    """True for files of other programs and of the system, which no scan looks at."""
    return bool(_IGNORED_FILES.match(name))


@dataclass(frozen=True, slots=True)
class Ignore:
    """What a person wants left out, as in .gitignore: `*.tmp` by name, `drafts/` folders, `/2019/raw` by path."""

    patterns: tuple[str, ...] = ()
    _names: re.Pattern[str] | None = field(init=False, default=None)
    _folders: re.Pattern[str] | None = field(init=False, default=None)
    _paths: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        names = [p for p in self.patterns if "/" not in p]
        folders = names + [p[:-1] for p in self.patterns if "/" not in p[:-1] and p.endswith("/")]
        paths = [p.strip("/") for p in self.patterns if "/" in p.rstrip("/")]
        object.__setattr__(self, "_names", _any(names))
        object.__setattr__(self, "_folders", _any(folders))
        object.__setattr__(self, "_paths", _any(paths))

    def file(self, directory: str, name: str) -> bool:
        """True when this file is to be left out."""
        if self._names is not None and self._names.match(name):
            return True
        return self._paths is not None and bool(self._paths.match(_join(directory, name)))

    def path(self, path: str) -> bool:
        """True when this file, or a folder that it lies in, is to be left out."""
        folder, _, name = path.rpartition("/")
        return self.tree(folder) or self.file(folder, name)

    def tree(self, directory: str) -> bool:
        """True when this folder, or one that it lies in, is to be left out."""
        parts = directory.split("/") if directory else []
        return any(self.folder("/".join(parts[:depth]), parts[depth]) for depth in range(len(parts)))

    def folder(self, directory: str, name: str) -> bool:
        """True when this folder is to be left out, with all in it."""
        if name in IGNORED_FOLDERS or _IGNORED_TRASH.match(name):
            return True
        if self._folders is not None and self._folders.match(name):
            return True
        return self._paths is not None and bool(self._paths.match(_join(directory, name)))


def _any(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(fnmatch.translate, patterns))) if patterns else None


def _join(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


@dataclass(slots=True)
class Listing:
    """One directory. Files are (name, size, mtime_ns); `unsure` are those whose name does not say what they are.

    `texts` are the text files, by name their size and mtime_ns: captions may be among them. `claimed`: a catalog, ours
    or another one, keeps its state in this directory or put its mark there.
    """

    directory: str
    originals: list[tuple[str, int, int]] = field(default_factory=list)
    unsure: list[tuple[str, int, int]] = field(default_factory=list)
    texts: dict[str, tuple[int, int]] = field(default_factory=dict)
    sidecars: dict[str, FileStat] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    claimed: bool = False


def walk_directories(root: str, *, ignore: Ignore, cancel: threading.Event | None = None) -> Iterator[Listing]:
    """Every directory at and below `root`, in a fixed order. A directory that cannot be read is reported in it.

    Raises OSError only when `root` itself cannot be read.
    """
    waiting = [""]
    while waiting and not (cancel and cancel.is_set()):
        directory = waiting.pop()
        listing = Listing(directory)
        try:
            inner = _list(root, directory, ignore, listing)
        except OSError as error:
            if not directory:
                raise
            listing.unreadable.append(("", error.strerror or type(error).__name__))
            inner = []
        yield listing
        inner.sort(reverse=True)
        waiting += [_join(directory, name) for name in inner]


def walk_folders(
    root: str, folders: Folders, *, ignore: Ignore, cancel: threading.Event | None = None
) -> Iterator[Listing]:
    """The same for some folders: each alone, or with all below it. One that is gone or left out gives nothing."""
    for start in sorted(folders):
        if any(folders.get(above) for above in _above(start)):
            continue
        try:
            there = not ignore.tree(start) and _is_inside(root, start)
        except OSError as error:
            yield Listing(start, unreadable=[("", error.strerror or type(error).__name__)])
            continue
        if not there:
            continue
        waiting = [start]
        while waiting and not (cancel and cancel.is_set()):
            directory = waiting.pop()
            listing = Listing(directory)
            try:
                inner = _list(root, directory, ignore, listing)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                listing.unreadable.append(("", error.strerror or type(error).__name__))
                inner = []
            yield listing
            if folders[start]:
                waiting += [_join(directory, name) for name in sorted(inner, reverse=True)]


def _above(directory: str) -> Iterator[str]:
    while directory:
        directory = directory.rpartition("/")[0]
        yield directory


def _is_inside(root: str, directory: str) -> bool:
    """True for a folder that a walk would come to: it is there, and no part of the way to it is a link."""
    place = root
    try:
        for part in directory.split("/") if directory else []:
            place = os.path.join(place, part)
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                return False
        os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        if not directory:
            raise
        return False
    return True


def walk_sidecars(root: str, *, ignore: Ignore) -> Iterator[tuple[str, list[str]]]:
    """(directory, names of sidecars in it) for every directory, in a fixed order; no stat of any file.

    Raises OSError only when `root` itself cannot be read.
    """
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        names, inner = [], []
        try:
            with os.scandir(os.path.join(root, directory) if directory else root) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX):
                        if not ignore.file(directory, entry.name[: -len(SUFFIX)]):
                            names.append(entry.name)
                    elif entry.is_dir(follow_symlinks=False) and not ignore.folder(directory, entry.name):
                        inner.append(entry.name)
        except OSError:
            if not directory:
                raise
        yield directory, sorted(names)
        inner.sort(reverse=True)
        waiting += [_join(directory, name) for name in inner]


def _list(root: str, directory: str, ignore: Ignore, listing: Listing) -> list[str]:
    """Fill `listing`; the names of the folders to go on with. This loop runs once for each file there is."""
    inner: list[str] = []
    own = bool(ignore.patterns)
    ignored = _IGNORED_FILES.match
    originals, sidecars = listing.originals, listing.sidecars
    is_regular, kinds = stat.S_ISREG, BY_ENDING
    with os.scandir(os.path.join(root, directory) if directory else root) as entries:
        for entry in entries:
            name = entry.name
            try:
                if name.endswith(SUFFIX):
                    if own and ignore.file(directory, name[: -len(SUFFIX)]):
                        continue
                    info = entry.stat(follow_symlinks=False)
                    if is_regular(info.st_mode):
                        sidecars[name] = FileStat(info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if not ignore.folder(directory, name):
                        inner.append(name)
                    elif name == STATE_FOLDER:
                        listing.claimed = True
                    continue
                if ignored(name) or (own and ignore.file(directory, name)):
                    continue
                at = name.rfind(".")
                if (at > 0 and name[at + 1 :] in kinds) or by_extension(name) is not None:
                    group = originals
                elif may_be_original(name) is None:
                    group = listing.unsure
                else:
                    if ORPHAN in name:
                        listing.orphans.append(name)
                    elif name[-4:] in _TEXT:
                        info = entry.stat(follow_symlinks=False)
                        if stat.S_ISREG(info.st_mode):
                            listing.texts[name] = info.st_size, info.st_mtime_ns
                    elif name == SOURCE_MARK:
                        listing.claimed = True
                    continue
                info = entry.stat(follow_symlinks=False)
            except OSError as error:
                listing.unreadable.append((name, error.strerror or type(error).__name__))
                continue
            if is_regular(info.st_mode):
                group.append((name, info.st_size, info.st_mtime_ns))
    originals.sort()
    return inner
