"""What the scenes are painted with: colours, gradients, smooth noise, as numpy arrays of RGB 0..1."""

from __future__ import annotations

import numpy as np
from PIL import Image

Array = np.ndarray


def colour(code: str) -> Array:
    """Turn `#rrggbb` into an RGB triple of 0..1."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32) / 255


def smooth(low: float, high: float, x: Array) -> Array:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: Array, b: Array, t: Array) -> Array:
    """Blend `a` into `b` by `t`, which may lack the colour axis."""
    t = np.asarray(t, dtype=np.float32)
    if t.ndim == 2:
        t = t[..., None]
    return a + (b - a) * t


def ramp(stops: list[tuple[float, str]], t: Array) -> Array:
    """Colour by position `t` along a list of (position, colour) stops."""
    places = np.array([place for place, _ in stops])
    colours = np.stack([colour(code) for _, code in stops])
    return np.stack([np.interp(t, places, colours[:, i]) for i in range(3)], axis=-1).astype(np.float32)


def value_noise(x: Array, y: Array, seed: int) -> Array:
    """Smooth noise of 0..1 with features of size 1, at any place ."""
    x0, y0 = np.floor(x), np.floor(y)
    u, v = x - x0, y - y0
    u, v = u * u * u * (u * (6 * u - 15) + 10), v * v * v * (v * (6 * v - 15) + 10)
    xi, yi = x0.astype(np.int64), y0.astype(np.int64)

    def lattice(i: Array, j: Array) -> Array:
        n = (i * 374761393 + j * 668265263 + seed * 2246822519) & 0xFFFFFFFF
        n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
        return ((n ^ (n >> 16)) & 0xFFFFFF).astype(np.float32) / 0xFFFFFF

    top = lattice(xi, yi) * (1 - u) + lattice(xi + 1, yi) * u
    bottom = lattice(xi, yi + 1) * (1 - u) + lattice(xi + 1, yi + 1) * u
    return (top * (1 - v) + bottom * v).astype(np.float32)


def fractal(x: Array, y: Array, seed: int, octaves: int = 5, gain: float = 0.5) -> Array:
    """Sum octaves of `value_noise`, 0..1."""
    total, weight, norm = np.zeros_like(x, dtype=np.float32), 1.0, 0.0
    for octave in range(octaves):
        scale = 2.03**octave
        total += weight * value_noise(x * scale + 17.3 * octave, y * scale - 9.1 * octave, seed + octave)
        norm += weight
        weight *= gain
    return total / norm


def grid(width: int, height: int) -> tuple[Array, Array]:
    """Pixel centres: x in 0..width/height, y in 0..1 downwards."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / height
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    return np.meshgrid(x, y)


def to_image(rgb: Array, *, grain: float = 0.006, vignette: float = 0.18, seed: int = 7) -> Image.Image:
    """Finish as a camera would: vignette, a little grain (which also hides banding), 8 bits."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    rgb = rgb * (1 - vignette * ((x * x + y * y) / 2) ** 1.5)[..., None]
    if grain:
        rgb = rgb + np.random.default_rng(seed).normal(0, grain, (height, width, 1))
    return Image.fromarray((np.clip(rgb, 0, 1) * 255 + 0.5).astype(np.uint8))
