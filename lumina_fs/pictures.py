"""Hands orders for pictures to worker processes: thumbnails, reduced pictures, digests of pixels."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from lumina_fs import exif
from lumina_fs.catalog import Catalog
from lumina_fs.picture_worker import Order, Rendered, Setup, main
from lumina_fs.pool import Bounds, Fallen, Pool

#: Orders that make one trip to a worker when there are many.
_TRIP = 8


def make(catalog: Catalog, orders: Sequence[Order], *, cancel: threading.Event) -> Iterator[tuple[Order, Rendered]]:
    """What became of each order, in no order. An original that ends its worker twice gets a reason like any other."""
    if not orders:
        return
    settings = catalog.settings
    bounds = Bounds(memory=settings.worker_memory_mb << 20, seconds=settings.file_seconds)
    tool = exif.find()

    def setup(scratch: str) -> Setup:
        return Setup(scratch, tool[0] if tool else None, settings.max_pixels)

    workers = min(settings.worker_count(), len(orders))
    trip = _TRIP if len(orders) > 4 * _TRIP * workers else 1
    trips = [orders[start : start + trip] for start in range(0, len(orders), trip)]
    with Pool[Order, Rendered](main, setup, workers=workers, bounds=bounds) as pool:
        for answers in pool.run(iter(trips), cancel=cancel):
            for order, answer in answers:
                if isinstance(answer, Fallen):
                    answer = Rendered(None, f"decoding it ended its process ({answer.reason})")
                yield order, answer
