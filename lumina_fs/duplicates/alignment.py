"""Lay one reduced picture over another, and say how well the two agree, pair by pair in batches.

An affine map (six numbers) is fitted by Gauss-Newton to the least difference of the two after both were brought to
mean 0 and deviation 1, first blurred, then sharp; so a crop, a turn by a few degrees or bars at the sides are taken
away before anything is compared. After: Evangelidis and Psarakis, "Parametric image alignment using enhanced
correlation coefficient maximization", 2008.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Arrays of 32-bit floats.
Floats = NDArray[Any]

SIDE = 64
#: How far a pixel is averaged, and how often the map is bettered then: for maps that may be far off, and for near ones.
_FAR, _NEAR = ((3.0, 6), (1.0, 4)), ((1.0, 4),)
#: Every which pixel is looked at while the map is bettered.
_STEP = 2
_BLOCK = 8
#: Deviation of a block's detail, in levels of 256, below which the block says nothing.
_PLAIN = 2.0


class Agreement(NamedTuple):
    """How well pairs agree where they overlap; each an array with a value a pair.

    `whole` and `detail` are correlations, -1 to 1: of the pictures, and of their details alone. `agreeing` is the share
    of the blocks with detail in which the details of both agree, `told` the number of these blocks. `maps` are the maps
    that were fitted.
    """

    whole: Floats
    detail: Floats
    agreeing: Floats
    told: Floats
    maps: Floats


def fit(first: Floats, second: Floats, maps: Floats, *, near: bool = False) -> Agreement:
    """Fit `second` to `first`, both (n, 64, 64), from maps (n, 2, 3) to begin with, and compare.

    A map takes (x, y, 1) of the first to (x, y) of the second, in units of the half side, 0 in the middle. `near` says
    that the maps are almost right.
    """
    for sigma, rounds in _NEAR if near else _FAR:
        template = blurred(first, sigma)[:, ::_STEP, ::_STEP].reshape(len(first), -1)
        other = blurred(second, sigma)
        grad_y, grad_x = np.gradient(other, axis=(1, 2))
        layers = np.stack([other, grad_x, grad_y], -1)
        for _ in range(rounds):
            maps = _bettered(template, layers, maps)
    return compare(first, second, maps)


def _bettered(template: Floats, layers: Floats, maps: Floats) -> Floats:
    """One step of Gauss-Newton. `layers` are the second picture and its slopes along x and y."""
    points = _points(_STEP)
    at, inside = _positions(maps, points)
    warped, gx, gy = np.moveaxis(_sampled(layers, at), -1, 0)
    weight = inside / np.maximum(inside.sum(1, keepdims=True), 1)
    normal_t, _ = _normalised(template, weight)
    normal_w, deviation = _normalised(warped, weight)
    residual = (normal_t - normal_w) * inside
    scale = (SIDE / 2 / deviation) * inside
    gx, gy = gx * scale, gy * scale
    x, y, _ = points
    jacobian = np.stack([gx * x, gx * y, gx, gy * x, gy * y, gy], 1)
    normal = jacobian @ np.swapaxes(jacobian, 1, 2)
    normal += np.eye(6, dtype=np.float32) * (1e-3 * np.trace(normal, axis1=1, axis2=2)[:, None, None] / 6 + 1e-6)
    change = np.linalg.solve(normal, jacobian @ residual[..., None])[..., 0]
    return maps + np.clip(change, -0.15, 0.15).reshape(-1, 2, 3).astype(np.float32)


def compare(first: Floats, second: Floats, maps: Floats) -> Agreement:
    """Compare the two as they lie by these maps."""
    points = _points(1)
    at, inside = _positions(maps, points)
    count = len(first)
    weight = inside / np.maximum(inside.sum(1, keepdims=True), 1)
    smooth = blurred(first, 0.7)
    warped = _sampled(np.stack([blurred(second, 0.7), second], -1), at)
    whole = _correlation(smooth.reshape(count, -1), warped[..., 0], weight)
    one = (smooth - blurred(first, 3.0)).reshape(count, -1)
    other = _detail(warped[..., 1].reshape(count, SIDE, SIDE)).reshape(count, -1)
    detail = _correlation(one, other, weight)
    return Agreement(whole, detail, *_agreeing(one, other, inside), maps)


def _agreeing(one: Floats, other: Floats, inside: Floats) -> tuple[Floats, Floats]:
    """The share of blocks with detail where the correlation of the details is above one half, and their number."""
    a, b, w = (_blocks(values) for values in (one, other, inside))
    full = w.mean(-1) > 0.9
    weight = w / np.maximum(w.sum(-1, keepdims=True), 1)
    strength = np.sqrt((a * a * weight).sum(-1))
    told = full & (strength > np.maximum(_PLAIN, 0.5 * np.median(strength, axis=1, keepdims=True)))
    score = (a * b * weight).sum(-1) / np.sqrt((a * a * weight).sum(-1) * (b * b * weight).sum(-1) + 1e-6)
    count = told.sum(1)
    return np.asarray(((score > 0.5) & told).sum(1) / np.maximum(count, 1)), count


def _blocks(values: Floats) -> Floats:
    n = SIDE // _BLOCK
    parts = values.reshape(-1, n, _BLOCK, n, _BLOCK).swapaxes(2, 3)
    return parts.reshape(len(values), n * n, _BLOCK * _BLOCK)


def _detail(pictures: Floats) -> Floats:
    return blurred(pictures, 0.7) - blurred(pictures, 3.0)


def _correlation(one: Floats, other: Floats, weight: Floats) -> Floats:
    a, _ = _normalised(one, weight)
    b, _ = _normalised(other, weight)
    return np.asarray((a * b * weight).sum(1))


def _normalised(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    centred = values - (values * weight).sum(1, keepdims=True)
    deviation = np.sqrt((centred * centred * weight).sum(1, keepdims=True)) + np.float32(1e-3)
    return centred / deviation, deviation


@cache
def _points(step: int) -> tuple[Floats, Floats, Floats]:
    """x, y and 1 of every `step`-th pixel, in units of the half side."""
    line = ((np.arange(0, SIDE, step) + 0.5) / (SIDE / 2) - 1).astype(np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    return x.ravel(), y.ravel(), np.ones(x.size, np.float32)


def _positions(maps: Floats, points: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Where the points lie in the second picture, in pixels (n, 2, points), and 1 where that is inside it."""
    at = (maps @ np.stack(points) + 1) * (SIDE / 2) - np.float32(0.5)
    inside = ((at >= 0) & (at <= SIDE - 1)).all(1).astype(np.float32)
    return at, inside


def _sampled(layers: Floats, at: Floats) -> Floats:
    """Bilinear samples (n, points, layers) of pictures (n, 64, 64, layers)."""
    at = np.clip(at, 0, SIDE - 1.001)
    whole = at.astype(np.int32)
    share = (at - whole)[..., None]
    flat = layers.reshape(-1, layers.shape[-1])
    base = whole[:, 1] * SIDE + whole[:, 0] + (np.arange(len(layers), dtype=np.int32) * SIDE * SIDE)[:, None]
    u, v = share[:, 0], share[:, 1]
    top = flat[base] * (1 - u) + flat[base + 1] * u
    low = flat[base + SIDE] * (1 - u) + flat[base + SIDE + 1] * u
    return np.asarray(top * (1 - v) + low * v)


def blurred(pictures: Floats, sigma: float) -> Floats:
    """Gaussian blur of (n, 64, 64), edges repeated."""
    matrix = _blur(sigma)
    return matrix @ pictures @ matrix.T


@cache
def _blur(sigma: float) -> Floats:
    at = np.arange(SIDE)
    reach = int(4 * sigma + 1)
    matrix = np.zeros((SIDE, SIDE))
    for offset in range(-reach, reach + 1):
        np.add.at(matrix, (at, np.clip(at + offset, 0, SIDE - 1)), np.exp(-0.5 * (offset / sigma) ** 2))
    return np.asarray(matrix / matrix.sum(1, keepdims=True), np.float32)


def window_map(left: float, top: float, right: float, bottom: float) -> Floats:
    """The map onto a part of the second picture, given in shares of its sides."""
    return np.array([[right - left, 0, left + right - 1], [0, bottom - top, top + bottom - 1]], np.float32)
