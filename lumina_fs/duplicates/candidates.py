"""Which pictures may be one, by their hashes alone: neighbours that are worth a look at their pixels.

Neighbours are found in two ways among signatures, and both need the agreement of two hashes:

- every pair within the radius in one hash, exactly, if the other agrees too;
- a view of one (turned, mirrored, a part; see `views`) that looks like the other: they differ in few bits, and where
  there are too many pictures to compare all with all, are equal in one of some sets of bits.

Whether two are neighbours depends on the two of them and on a few terms, so that what is known of others holds while
those are the same: then only what is new is compared with all.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.hamming import Band, Bands, Excerpt, near_pairs
from lumina_fs.duplicates.signatures import Positions, Signatures, Words
from lumina_fs.duplicates.views import COUNT, Views, bands_of
from lumina_fs.settings import processors

#: Bits of both hashes together that may differ: where one is within the radius, and where only a view looks alike.
AGREE, VIEW_AGREE = 28, 24
#: A code that more signatures than this share says nothing by itself.
_CROWD = 256
#: So many signatures are all compared with all views.
_FEW = 1024
#: Where more than this part of the signatures is new, all are looked for anew.
_MANY_NEW = 8
#: Signatures whose views are looked for at once: what bounds the memory. Twice as many cost new pages at each step, and
#: an eighth of them so many steps of Python that two threads wait for each other.
_AT_ONCE = 1 << 14
#: All codes in one bucket.
_WHOLE = Band(mask=0, factor=1, bits=1)
#: More threads than these would need more memory than they save time.
_MOST_THREADS = 8

#: Gives the codes of the views of pictures.
Viewed = Callable[[Positions], Views]
#: Hears, from any thread, of how many more signatures the views were looked up, and of all of them; False ends it.
GoOn = Callable[[int, int], bool]
_Pairs = Iterator[tuple[Positions, Positions]]


class _Distinct(NamedTuple):
    """Codes in order, each once, and whose they are."""

    codes: Words
    who: Positions
    """Signatures in the order of their codes."""
    starts: Positions
    """Where those with each code begin, and the end."""

    @property
    def counts(self) -> Positions:
        return np.diff(self.starts)


class _Way(NamedTuple):
    """A part of the search, and of how many signatures it looks the views up."""

    pairs: Callable[[], _Pairs]
    asked: int = 0


class Neighbours(NamedTuple):
    """Neighbours among some signatures."""

    pairs: Positions
    """In order, each as one number: lesser signature times their count + greater."""
    terms: bytes
    """On what else than the two of them it depended whether these were found: among other signatures a pair is one
    under the same terms too."""


class Since(NamedTuple):
    """What is known of neighbours from another search: those among signatures that are not `new`, and its terms."""

    found: Neighbours
    new: NDArray[np.bool_]


def neighbours(
    signatures: Signatures,
    views: Viewed,
    radius: int,
    lying: Positions | None = None,
    since: Since | None = None,
    go_on: GoOn = lambda more, total: True,
) -> Neighbours:
    """All neighbours; those of another search are taken over where that is sound, and less than anew.

    `lying`: for each picture where its views lie; it is quicker to ask for those that lie side by side. What is given
    after `go_on` said no is not all, and good for nothing.
    """
    threads = min(_MOST_THREADS, max(2, processors()))
    with ThreadPoolExecutor(threads) as pool:
        return _neighbours(pool, signatures, views, radius, lying, since, go_on)


def _neighbours(
    pool: ThreadPoolExecutor,
    signatures: Signatures,
    views: Viewed,
    radius: int,
    lying: Positions | None,
    since: Since | None,
    go_on: GoOn,
) -> Neighbours:
    count = len(signatures.phash)
    asking = np.arange(count) if lying is None else np.argsort(lying[signatures.representatives])
    both = ((signatures.phash, signatures.dhash), (signatures.dhash, signatures.phash))
    how, most = (([_WHOLE], []), _FEW) if count <= _FEW else (bands_of(_width(count)), _CROWD)
    made = [pool.submit(Bands, *codes, some, most) for codes, some in zip(both, how, strict=True)]
    distinct = [_distinct(codes) for codes, _ in both]
    bands = [band.result() for band in made]
    terms = _terms(repr(how), distinct, bands)
    if since is None or since.found.terms != terms or since.new.sum() * _MANY_NEW > count:
        known, new = np.empty(0, np.int64), None
    else:
        known, new = since.found.pairs, since.new

    ways: list[_Way] = []
    look = partial(_looking_alike, signatures, views)
    if new is None or new.any():
        ways += [_Way(partial(_near, radius, *codes, of, new)) for codes, of in zip(both, distinct, strict=True)]
    # view 0 is the picture as it is: what looks like that is found from either side, and once is enough
    if new is None:
        ways += [_Way(partial(band.among, VIEW_AGREE)) for band in bands]
        ways += [_Way(partial(look, bands, piece, 1), len(piece)) for piece in _pieces(asking)]
    elif new.any():
        few = [band.only(np.flatnonzero(new)) for band in bands]
        ways += [_Way(partial(look, bands, some, 0), len(some)) for some in _pieces(asking[new[asking]])]
        ways += [_Way(partial(look, few, piece, 1), len(piece)) for piece in _pieces(asking)]
    total = sum(way.asked for way in ways)

    def found(way: _Way) -> Positions:
        if not go_on(0, total):
            return np.empty(0, np.int64)
        pieces = [np.minimum(first, second) * count + np.maximum(first, second) for first, second in way.pairs()]
        go_on(way.asked, total)
        return np.unique(np.concatenate([np.empty(0, np.int64), *pieces]))

    return Neighbours(np.unique(np.concatenate([known, *pool.map(found, ways)])), terms)


def _distinct(codes: Words) -> _Distinct:
    who = np.argsort(codes, kind="stable")
    ordered = codes[who]
    new = np.ones(len(codes), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.append(np.flatnonzero(new), len(codes))
    return _Distinct(ordered[new], who, starts)


def _terms(how: str, distinct: Sequence[_Distinct], bands: Sequence[Bands]) -> bytes:
    """How neighbours are looked for among so many, and what so many share that it says nothing."""
    said = hashlib.sha256(how.encode())
    for some in distinct:
        said.update(some.codes[some.counts > _CROWD].tobytes() + b".")
    for buckets in itertools.chain(*(band.crowded() for band in bands)):
        said.update(buckets.tobytes() + b".")
    return said.digest()


def _near(radius: int, codes: Words, others: Words, distinct: _Distinct, new: NDArray[np.bool_] | None) -> _Pairs:
    """Signatures that are near by `codes`, and not too far by the others; one of them is new, if these are said."""
    for first, second in _within(distinct, radius, new):
        near = _apart(codes[first], codes[second]) + _apart(others[first], others[second]) <= AGREE
        yield first[near], second[near]


def _looking_alike(
    signatures: Signatures, views: Viewed, bands: Sequence[Bands | Excerpt], asking: Positions, least: int
) -> _Pairs:
    """Signatures of which one looks like one of the views of one of these, from the view with this number on."""
    asked = [codes[:, least:].ravel() for codes in views(signatures.representatives[asking])]
    for number, table in enumerate(bands):
        for query, other in table.near(asked[number], asked[1 - number], VIEW_AGREE):
            first = asking[query // (COUNT - least)]
            another = first != other
            yield first[another], other[another]


def _within(distinct: _Distinct, radius: int, new: NDArray[np.bool_] | None = None) -> _Pairs:
    """Pairs within the radius, piece by piece, of which one is new; a code of a crowd makes none by itself."""
    start, order, counts = distinct.starts, distinct.who, distinct.counts
    asked = None
    lone = counts > 1
    if new is not None:
        asked = np.logical_or.reduceat(new[order], start[:-1])
        lone &= asked
    first, second = near_pairs(distinct.codes, radius, asked)
    first, second = (np.concatenate([np.flatnonzero(lone), some]) for some in (first, second))
    telling = counts <= _CROWD
    small = telling[first] & telling[second]
    first, second = first[small], second[small]
    sizes = counts[first] * counts[second]
    ends = np.cumsum(sizes)
    at = 0
    while at < len(first):
        before = ends[at - 1] if at else 0
        last = max(at + 1, int(np.searchsorted(ends, before + (1 << 20), "right")))
        which_pair = np.repeat(np.arange(at, last), sizes[at:last])
        offset = np.arange(len(which_pair)) - np.repeat(ends[at:last] - sizes[at:last] - before, sizes[at:last])
        one, other = first[which_pair], second[which_pair]
        left = order[start[one] + offset // counts[other]]
        right = order[start[other] + offset % counts[other]]
        wanted = (one != other) | (left < right)
        if new is not None:
            wanted &= new[left] | new[right]
        yield left[wanted], right[wanted]
        at = last


def _pieces(asking: Positions) -> list[Positions]:
    return [asking[start : start + _AT_ONCE] for start in range(0, len(asking), _AT_ONCE)]


def _apart(one: Words, other: Words) -> NDArray[np.uint8]:
    return np.asarray(np.bitwise_count(one ^ other))


def _width(count: int) -> int:
    """Bits that must be equal: so many that unrelated codes seldom are, and so few that related ones mostly are."""
    return int(min(20, max(14, 2 * np.ceil(np.log2(max(count, 1)) / 2))))
