"""Write sidecars in batches, then their rows: disk first, index second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from index.entry import entry
from index.protocol import Entry, Problem, Seen
from lumina_fs import compose
from lumina_fs.caption_files import is_due, write_out
from lumina_fs.catalog import Source
from lumina_fs.documents import Stored
from lumina_fs.durable import Disk
from lumina_fs.errors import CorruptDocument, LuminaError
from lumina_fs.fingerprints import RACY, fingerprint, missing_fingerprint
from lumina_fs.index_session import IndexWriter
from lumina_fs.progress import Event, Ingested, Trouble
from lumina_fs.roots import Root
from lumina_fs.sidecars import Change, Saved, Sidecars
from lumina_fs.text_captions import Caption, TextFile, mark_by_sidecar, mark_of, read_caption, with_caption
from schemas.names import encode_name
from schemas.sidecar import NOTES

_BATCH = 64

Compose = Callable[[dict[str, Any] | None], dict[str, Any]]
_SECONDS = 1.0


class Known(NamedTuple):
    """What is known of an original on disk: by what to recognise it. `settled` False: its times vouch for nothing."""

    size: int
    mtime_ns: int
    settled: bool = True


class _Waiting(NamedTuple):
    change: Change
    outcome: str | None
    known: Known | None


@dataclass(slots=True)
class Counts:
    """What became of the originals of one source: `found` is the sum of all but `missing`, if nothing was left out.

    `failed`: the sidecar does not parse, or could not be read or written. `missing` are not there, so not found.
    """

    found: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    failed: int = 0
    missing: int = 0

    def add(self, other: Counts) -> None:
        """Sum up."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def left(self) -> int:
        """Originals that were found and not come to."""
        return self.found - (self.added + self.updated + self.unchanged + self.moved + self.failed)


class Ingest:
    """Collects what a scan found in one source, writes it in batches, and counts what became of each original."""

    def __init__(
        self,
        source: Source,
        sidecars: Sidecars,
        writer: IndexWriter,
        recipe: str,
        root: Root,
        texts: dict[str, TextFile | None],
        disk: Disk | None = None,
        *,
        leaves_captions: bool = False,
    ) -> None:
        """`texts`: the text file beside each original that was looked at, by its path; `root` is the source's.

        `disk`: captions of people go into text files by it, where the catalog says so. `leaves_captions`: they do, and
        are left for another scan.
        """
        self._leaves_captions = leaves_captions
        self._disk = disk
        self._root = root
        self._texts = texts
        self._captions: dict[str, Caption | None] = {}
        self._left: set[str] = set()
        self._source = source.name
        self._mode = source.mode
        self._sidecars = sidecars
        self._writer = writer
        self._recipe = recipe
        self._waiting: list[_Waiting] = []
        self._entries: list[Entry] = []
        self._seen: list[Seen] = []
        self._removed: list[str] = []
        self._corrupt: list[Problem] = []
        self._since = time.monotonic()
        self.counts = Counts()
        self._counted_first: dict[str, str] = {}

    def put(
        self,
        path: str,
        stored: Stored | None,
        compose: Callable[[dict[str, Any] | None], dict[str, Any]],
        *,
        outcome: str | None,
        known: Known | None,
    ) -> None:
        """Write the sidecar of `path`. `outcome` is what to report; `known` is None while the original is missing."""
        if known is not None and self._has_looked(path):
            compose = _captioned(compose, self._captions[path])
        self._waiting.append(_Waiting(Change(path, stored, compose), outcome, known))

    def add(self, path: str, blocks: dict[str, Any], known: Known, outcome: str = "added") -> None:
        """Make the sidecar of an original that has none."""
        schema = self._sidecars.schema_reference(path)
        value = compose.new_sidecar(blocks, schema=schema, source=self._source, mode=self._mode, path=path)

        def composed(current: dict[str, Any] | None) -> dict[str, Any]:
            if current is None:
                return value
            # somebody else made one meanwhile: it stays, with what was found now if it is about the same content
            same = current["original"].get("sha256") == blocks["original"].get("sha256")
            return compose.refreshed(current, blocks, schema) if same else current

        self.put(path, None, composed, outcome=outcome, known=known)

    def refresh(
        self, path: str, stored: Stored, blocks: dict[str, Any], outcome: str, known: Known, *, returned: bool = False
    ) -> None:
        """Replace machine blocks in a sidecar; `returned`: its original was missing and is back."""
        schema = self._sidecars.schema_reference(path)

        def composed(current: dict[str, Any] | None) -> dict[str, Any]:
            assert current is not None
            value = compose.refreshed(current, blocks, schema)
            return compose.present(value, path.rpartition("/")[2]) if returned else value

        self.put(path, stored, composed, outcome=outcome, known=known)

    def lacks_caption(self, path: str, value: dict[str, Any]) -> bool:
        """True when a sidecar and the text file beside its original do not say what they should of each other."""
        if self._disk is not None and is_due(value):
            return True
        return self._has_looked(path) and with_caption(value, self._captions[path]) != value

    def recaption(self, path: str, stored: Stored, known: Known) -> None:
        """Write what the text file says now into a sidecar that else stays as it is."""

        def composed(current: dict[str, Any] | None) -> dict[str, Any]:
            assert current is not None
            return current

        self.put(path, stored, composed, outcome="updated", known=known)

    def _has_looked(self, path: str) -> bool:
        """True when it is known what the text file beside an original says, which is in `_captions` then."""
        if path not in self._texts:
            return False
        if path not in self._captions:
            text = self._texts[path]
            try:
                self._captions[path] = None if text is None else read_caption(self._root, text)
            except OSError:  # what it says stays what it was
                del self._texts[path]
                return False
        return True

    def _written_out(self, path: str, saved: Saved) -> Saved:
        """The sidecar after the person's caption went into the text file, where it is to go there."""
        assert self._disk is not None
        done = write_out(self._disk, self._root, self._sidecars, path, saved)
        if done is None:
            return saved
        self._captions[path], self._texts[path] = None, done[1]
        return Saved(done[0].value, done[0].stored, wrote=True)

    def record(self, path: str, stored: Stored, value: dict[str, Any], known: Known | None) -> None:
        """Send the row of a sidecar that lies there already. `known` is None while the original is missing."""
        if known is not None:
            self._count(path, "unchanged")
        self._entries.append(self._entry(path, stored, value, known))

    def leave(self, path: str) -> None:
        """Let the next scan that may write look at a path again, whatever is recorded of it now."""
        self._left.add(path)

    def touched(self, path: str, stored: Stored, value: dict[str, Any], known: Known) -> None:
        """Remember new times of an original whose content and sidecar are as they were."""
        self._count(path, "unchanged")
        self._seen.append(Seen(encode_name(path), self._fingerprint(path, stored, value, known), stored.etag))

    def other(self, path: str, mark: str) -> None:
        """Remember that a file is no original."""
        self._seen.append(Seen(encode_name(path), mark, ""))

    def removed(self, path: str) -> None:
        """Forget a path: neither original nor sidecar is there."""
        self._removed.append(encode_name(path))

    def failed(self, path: str) -> None:
        """Count an original whose sidecar could not be read or written, which somebody else tells."""
        self._count(path, "failed")

    def count_first(self, path: str, outcome: str) -> None:
        """Count an original whose own turn is still to come; what is found then does not change it, but a failure."""
        self._count(path, outcome)
        self._counted_first[path] = outcome

    def _count(self, path: str, outcome: str) -> None:
        before = self._counted_first.get(path)
        if before is not None and outcome != "failed":
            return
        if before is not None:
            setattr(self.counts, before, getattr(self.counts, before) - 1)
            self._counted_first[path] = outcome
        setattr(self.counts, outcome, getattr(self.counts, outcome) + 1)

    def corrupt(self, path: str, error: CorruptDocument) -> Trouble:
        """Report a sidecar that does not parse; its last good row stays, marked stale."""
        self._corrupt.append(Problem(encode_name(path), "corrupt_sidecar", error.reason, error.line, error.column))
        shown = self._sidecars.path(path)
        return Trouble(self._source, shown, "corrupt_sidecar", error.reason, error.line, error.column)

    def due(self) -> bool:
        """True when there is enough for a batch, or something has waited long enough."""
        count = max(len(self._waiting), len(self._entries), len(self._seen))
        return count >= _BATCH or bool(count and time.monotonic() - self._since > _SECONDS)

    def flush(self) -> Iterator[Event]:
        """Write all that waits, and say what became of it."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._writer.before_files_change()
            for one, saved in zip(waiting, self._sidecars.put([w.change for w in waiting]), strict=True):
                yield from self._settle(one, saved)
        entries, self._entries = self._entries, []
        seen, self._seen = self._seen, []
        removed, self._removed = self._removed, []
        corrupt, self._corrupt = self._corrupt, []
        self._writer.upsert(self._source, entries, seen, removed, corrupt)
        self._since = time.monotonic()

    def _settle(self, one: _Waiting, saved: Saved | CorruptDocument | OSError) -> Iterator[Event]:
        path = one.change.path
        if one.known is not None and one.outcome is not None:
            wrote = isinstance(saved, Saved) and (saved.wrote or one.outcome == "moved")
            self._count(path, "failed" if not isinstance(saved, Saved) else one.outcome if wrote else "unchanged")
        if isinstance(saved, CorruptDocument):
            yield self.corrupt(path, saved)
        elif isinstance(saved, OSError):
            yield Trouble(
                self._source, path, "not_written", f"its sidecar could not be written: {saved.strerror or saved}"
            )
        else:
            if self._disk is not None and one.known is not None and is_due(saved.value):
                try:
                    saved = self._written_out(path, saved)
                except (OSError, LuminaError) as error:
                    yield Trouble(self._source, path, "not_written", f"its text file could not be written: {error}")
            self._entries.append(self._entry(path, saved.stored, saved.value, one.known))
            if one.outcome and saved.wrote:
                yield Ingested(self._source, path, one.outcome)
            for problem in saved.value.get("problems") or ():
                if problem.get("code") in NOTES:
                    continue
                yield Trouble(self._source, path, problem.get("code", ""), problem.get("message", ""))

    def _entry(self, path: str, stored: Stored, value: dict[str, Any], known: Known | None) -> Entry:
        mark = self._fingerprint(path, stored, value, known)
        return entry(value, self._source, encode_name(path), stored.etag, mark)

    def _fingerprint(self, path: str, stored: Stored, value: dict[str, Any], known: Known | None) -> str:
        caption = self._captions.pop(path, None)
        if path in self._left or not stored.settled or (caption is not None and not caption.settled):
            return ""
        if known is not None and self._leaves_captions and is_due(value):
            return ""  # the next scan that may write looks at it again
        if known is None:
            return missing_fingerprint(stored.stat)
        text = self._texts.get(path)
        seen = mark_of(text.size, text.mtime_ns) if text is not None else ""
        mark = seen if path in self._texts else mark_by_sidecar(value)
        return fingerprint(self._recipe, known.size, known.mtime_ns, stored.stat, mark) if known.settled else RACY


def _captioned(compose: Compose, caption: Caption | None) -> Compose:
    """The same, and then the block of the text file's caption."""

    def composed(current: dict[str, Any] | None) -> dict[str, Any]:
        return with_caption(compose(current), caption)

    return composed
