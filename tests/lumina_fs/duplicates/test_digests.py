"""Digests are put in order and found by their first bytes, also where those do not tell them apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lumina_fs.duplicates.reductions import in_order, places, taken

BYTES = st.sampled_from([b"\x00", b"\x01", b"\xff"])
#: Digests that differ in a few bytes only: the first, the seventh and eighth, the last.
DIGESTS = st.lists(
    st.tuples(BYTES, BYTES, BYTES, BYTES).map(lambda b: b[0] + b"\x07" * 5 + b[1] + b[2] + b"\x07" * 23 + b[3]),
    max_size=30,
)


def keys(digests: list[bytes]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(digests), "V32")


@given(DIGESTS)
def test_the_order_is_that_of_the_bytes_and_stable(digests: list[bytes]) -> None:
    order = in_order(keys(digests))
    assert order.tolist() == sorted(range(len(digests)), key=lambda at: digests[at])
    assert taken(keys(digests), order).tobytes() == b"".join(sorted(digests))


@given(DIGESTS, DIGESTS)
def test_a_digest_is_found_where_it_stands(digests: list[bytes], asked: list[bytes]) -> None:
    distinct = sorted(set(digests))
    found = places(keys(distinct), keys(asked)).tolist()
    assert found == [distinct.index(one) if one in distinct else -1 for one in asked]
