"""The pictures: each function paints one scene, and where it takes a `time`, one frame of a film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Array, colour, fractal, grid, mix, ramp, smooth, value_noise


@dataclass(frozen=True)
class Light:
    """An hour of the day: the sky from zenith to horizon, where the sun stands, the land far and near."""

    sky: tuple[str, ...]
    sun: tuple[float, float]
    glow: str
    far: str
    near: str
    cloud: str
    stars: bool = False


DAWN = Light(
    ("#3d6698", "#86a7c4", "#e9c7b0", "#ffc48a"), (0.62, 0.46), "#ffe0ad", "#d8b3a6", "#14202c", "#ffd9c4"
)
NOON = Light(
    ("#2f74b5", "#5f9fd2", "#a9cfe6", "#dcecf0"), (1.02, -0.2), "#ffffff", "#a8c4d4", "#123524", "#ffffff"
)
DUSK = Light(
    ("#171a3f", "#4a3570", "#b5517a", "#ff9a63"),
    (0.3, 0.52),
    "#ffb37a",
    "#93527c",
    "#0d0b1c",
    "#ff9d8a",
    True,
)


def valley(width: int, height: int, light: Light, *, seed: int = 3, time: float = 0.0) -> Array:
    """Ridges behind ridges in the mist, conifers in front."""
    x, y = grid(width, height)
    horizon = 0.6
    stops = list(zip((0, 0.35, 0.75, 1), light.sky, strict=True))
    rgb = ramp(stops, np.clip(y / horizon, 0, 1))
    if light.stars:
        rgb += stars(x, y, seed)[..., None] * smooth(0.5, 0.1, y)[..., None]
    sun_x, sun_y = light.sun[0] * width / height, light.sun[1]
    distance = np.hypot(x - sun_x, y - sun_y)
    glow = colour(light.glow)
    slope = 0.5 * value_noise(x * 1.1, y, seed) - 0.12 * x
    clouds = smooth(
        0.47, 0.8, fractal(x * 1.3 + time * 0.05, (y + slope) * 8, seed + 40, octaves=7, gain=0.55)
    )
    rgb = mix(rgb, colour(light.cloud), clouds * 0.6 * smooth(0.6, 0.2, y))
    rgb = rgb + (1 - rgb) * glow * (0.62 * np.exp(-distance * 6) + 0.3 * np.exp(-distance * 1.6))[..., None]
    rgb = mix(rgb, 0.4 * glow + 0.6, smooth(0.043, 0.040, distance))
    layers = 7
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = horizon - 0.10 + 0.42 * depth**1.25
        shift = layer * 13.7 + time * (0.04 + 0.5 * depth**2)
        line = x[0] * (1.4 + 0.5 * depth) + shift
        ridge = fractal(line, np.full_like(line, layer * 3.1), seed + layer, octaves=7, gain=0.48)
        top = base - (ridge - 0.42) * (0.42 - 0.12 * depth)
        ground = y - top[None, :]
        if depth > 0.6:
            top = top - trees(line * (26 - 14 * (depth - 0.6) / 0.4), seed + layer) * (
                0.012 + 0.16 * (depth - 0.6) ** 1.3
            )
        below = y - top[None, :]
        land = mix(colour(light.far), colour(light.near), np.float32(depth**0.8))
        lit = fractal(x * 9 + shift, y * 22, seed + 60 + layer, octaves=4)
        shade = land * (0.86 + 0.28 * lit[..., None])
        shade = shade + glow * (0.25 * (1 - depth) * np.exp(-distance * 2.2))[..., None]
        mist = (1 - 0.75 * depth) * smooth(
            0.0, 0.22 + 0.1 * depth, ground + 0.08 * (fractal(x * 3, y * 6, seed + 90) - 0.5)
        )
        shade = mix(shade, mix(colour(light.far), glow, np.float32(0.35)), np.clip(mist * 0.85, 0, 1))
        rgb = mix(rgb, shade, smooth(-0.0009, 0.0009, below))
    return rgb


def trees(x: Array, seed: int) -> Array:
    """The outline of a row of conifers: 0..1 by place."""
    outline = np.zeros_like(x)
    for offset in (0.0, 0.37, 0.71):
        cell = np.floor(x + offset)
        inside = np.abs(x + offset - cell - 0.5) * 2
        tall = 0.35 + 0.65 * value_noise(cell * 7.7, np.full_like(cell, offset * 9), seed)
        tiers = 0.10 * np.abs(((1 - inside) * 6) % 1 - 0.5)
        outline = np.maximum(outline, tall * np.clip(1 - inside * 1.15 - tiers, 0, 1))
    return outline


def stars(x: Array, y: Array, seed: int, density: float = 0.0035) -> Array:
    """Points of light of all magnitudes on a fine lattice."""
    scale = 300.0
    i, j = np.floor(x * scale), np.floor(y * scale)
    chance = value_noise(i * 3 + 0.5, j * 3 + 0.5, seed + 5)
    pick = value_noise(i * 5, j * 5, seed + 6)
    place = np.hypot(x * scale - i - 0.5, y * scale - j - 0.5)
    return smooth(0.55, 0.1, place) * np.where(pick > 1 - density * 3, chance**3 * 1.6, 0)


def sunset_sea(width: int, height: int, time: float = 0.0, seed: int = 11) -> Array:
    """Open sea under a low sun: each pixel's view is bounced off the waves into the sky."""
    x, y = grid(width, height)
    aspect = width / height
    horizon = 0.47
    view_x, view_y = (x - aspect / 2) * 1.15, (horizon - y) * 1.15
    rgb = sea_sky(view_x, np.maximum(view_y, 0), time, seed, disc=True)
    drop = np.maximum(y - horizon, 1e-3) * 1.15
    far = 1.0 / drop
    ground_x, ground_z = view_x * far, far
    slope_x = np.zeros_like(x)
    slope_z = np.zeros_like(x)
    rng = np.random.default_rng(seed)
    for wave in range(26):
        length = 0.09 * 1.19**wave
        angle = rng.normal(-np.pi / 2, 0.55)
        kx, kz = np.cos(angle) * 6.283 / length, np.sin(angle) * 6.283 / length
        phase = kx * ground_x + kz * ground_z + time * np.sqrt(9.8 / length) * 0.35 + rng.uniform(0, 6.283)
        # Waves finer than a pixel would only shimmer.
        pixel = far * far * 1.3 / height
        strength = 0.028 * np.cos(phase) * smooth(0.7, 0.15, pixel / length)
        slope_x += strength * np.cos(angle)
        slope_z += strength * np.sin(angle)
    roughness = 0.2 * smooth(2, 30, far)
    up = np.abs(drop - 2.0 * slope_z * (1 + 0 * drop)) + 0.02 + roughness * 0.35
    side = view_x + 2.2 * slope_x
    mirrored = sea_sky(side, up, time, seed, disc=False)
    fresnel = np.clip(0.12 + 0.88 * (1 - np.clip(up * 1.2, 0, 1)) ** 3, 0, 1)
    water = mix(np.broadcast_to(colour("#0b2b45"), rgb.shape), mirrored * 0.92, fresnel)
    track = np.exp(-((side / (0.05 + 0.12 * drop)) ** 2)) * np.exp(-((up - 0.06) ** 2) / 0.03)
    water = water + colour("#ffc070") * (0.75 * track)[..., None]
    water = mix(water, rgb[int(horizon * height) - 2][None], smooth(0.03, 0.0, y - horizon) * 0.5)
    return mix(rgb, water, smooth(-0.0008, 0.0008, y - horizon))


def sea_sky(view_x: Array, up: Array, time: float, seed: int, *, disc: bool) -> Array:
    """The evening sky in the direction (sideways, upwards)."""
    stops = [(0, "#ffb070"), (0.08, "#f58f6c"), (0.2, "#c46f86"), (0.36, "#6d5f93"), (0.6, "#2f4678")]
    rgb = ramp(stops, up)
    high = np.maximum(up, 0.015)
    cloud = fractal(view_x / high * 0.35 + time * 0.06 + 4, 0.6 / high + 2, seed + 70, octaves=6)
    cloud = smooth(0.48, 0.7, cloud) * smooth(0.02, 0.14, up)
    lit = ramp([(0, "#ffcf8e"), (0.2, "#ff9c7c"), (0.5, "#8d6a94")], up)
    rgb = mix(rgb, lit, cloud * 0.75)
    distance = np.hypot(view_x, up - 0.075)
    shine = 0.75 * np.exp(-distance * 8) + 0.3 * np.exp(-distance * 2.2)
    rgb = rgb + (1 - rgb) * colour("#ffd9a0") * shine[..., None]
    if disc:
        rgb = mix(rgb, colour("#fff8e2"), smooth(0.046, 0.043, distance))
    return rgb


def aurora(width: int, height: int, time: float = 0.0, seed: int = 21) -> Array:
    """Northern lights over mountains, mirrored in a still lake."""
    x, y = grid(width, height)
    shore = 0.66
    ripple = 0.010 * (fractal(x * 3, y * 90, seed + 3, octaves=3) - 0.5) * smooth(shore, 1.0, y)
    mirrored = y > shore
    up = np.where(mirrored, 2 * shore - y + ripple * 6, y)
    sx = np.where(mirrored, x + ripple * 2.5, x)
    rgb = ramp([(0, "#050b1f"), (0.4, "#0a1f3d"), (0.66, "#1d4a5c")], up)
    rgb += stars(sx, up, seed)[..., None] * np.where(mirrored, 0.35, 1.0)[..., None] * 0.9
    for band in range(4):
        bend = 0.16 * (
            fractal(sx * 1.3 + band * 5.1 + time * 0.03, np.full_like(sx, band * 2.0), seed + band, octaves=4)
            - 0.5
        )
        foot = (
            0.50 - 0.085 * band + bend * 2.2 + 0.08 * np.sin(sx * (1.7 + 0.3 * band) + band * 2 + time * 0.1)
        )
        rays = fractal(sx * 22 + time * 0.4 + 9 * band, bend * 8 + time * 0.05, seed + 30 + band, octaves=4)
        tall = 0.10 + 0.30 * value_noise(sx * 2.5 + band, np.full_like(sx, time * 0.05 + band), seed + 50)
        above = foot - up
        shine = smooth(-0.012, 0.02, above) * np.exp(-np.maximum(above, 0) / tall) * (0.35 + 1.1 * rays**1.6)
        shine *= 0.4 + 0.8 * value_noise(sx * 1.4 + 3 * band, np.full_like(sx, 0.3), seed + 80 + band)
        tint = ramp([(0, "#4dffa6"), (0.1, "#2fe0a0"), (0.22, "#3f8fe0"), (0.4, "#a04bd6")], above)
        rgb += tint * (shine * (0.62 - 0.09 * band))[..., None]
    for layer, (base, rough, tint) in enumerate(
        ((0.575, 0.3, "#143449"), (0.60, 0.22, "#0b2031"), (0.648, 0.1, "#040c15"))
    ):
        line = sx * (1.7 + 0.8 * layer) + 7.3 * layer + 2
        ridge = 1 - np.abs(
            2 * fractal(line, np.full_like(line, 1.0 + layer), seed + 92 + layer, octaves=7, gain=0.46) - 1
        )
        top = base - (ridge - 0.62) * rough
        if layer == 2:
            top = top - 0.022 * trees(line * 24, seed)
        face = fractal(sx * 14 + up * 9, up * 20, seed + 95, octaves=4) - 0.5
        land = colour(tint) * (1 + (0.9 - 0.4 * layer) * face)[..., None]
        rgb = mix(rgb, land, smooth(-0.0009, 0.0009, up - top))
    rgb = np.where(mirrored[..., None], rgb * 0.78 + colour("#04101c") * 0.4, rgb)
    return mix(rgb, colour("#02060c"), 0.7 * smooth(0.004, 0.0, np.abs(y - shore)))


def city_lights(width: int, height: int, time: float = 0.0, seed: int = 5) -> Array:
    """A street at night with the lens out of focus: discs of light, larger and paler the nearer they are."""
    x, y = grid(width, height)
    aspect = width / height
    rgb = ramp([(0, "#070a1c"), (0.55, "#1b1630"), (1, "#0a0710")], y)
    rgb += colour("#5a2a3f") * (0.5 * np.exp(-((y - 0.55) ** 2) / 0.03))[..., None]
    rng = np.random.default_rng(seed)
    tints = ("#ffb347", "#ff7e5f", "#ffd27f", "#7fc8ff", "#ff5f87", "#9dffcf", "#fff1d6", "#c79bff")
    for size, count, strength in ((0.018, 90, 0.55), (0.036, 60, 0.5), (0.066, 34, 0.36), (0.115, 13, 0.2)):
        for _ in range(count):
            cx, cy = rng.uniform(-0.05, aspect + 0.05), np.clip(rng.normal(0.53, 0.15), 0.05, 0.98)
            radius, tint = size * rng.uniform(0.8, 1.2), colour(tints[rng.integers(len(tints))])
            beat, pace = rng.uniform(0, 6.283), rng.integers(1, 3)
            bright = strength * rng.uniform(0.35, 1.0) * (1 + 0.35 * np.sin(6.283 * pace * time + beat))
            left, right = int((cx - radius * 1.1) * height), int((cx + radius * 1.1) * height) + 1
            top, bottom = int((cy - radius * 1.1) * height), int((cy + radius * 1.1) * height) + 1
            part = (slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0)))
            distance = np.hypot(x[part] - cx, y[part] - cy) / radius
            disc = smooth(1.02, 0.95, distance) * (0.72 + 0.38 * smooth(0.55, 0.98, distance))
            rgb[part] += tint * (bright * disc)[..., None]
    return rgb / (1 + 0.25 * rgb)
