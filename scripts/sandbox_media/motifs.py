"""Small pictures and loops: the animation, the video note, the sticker."""

from __future__ import annotations

import io
import re
import subprocess

import numpy as np
from PIL import Image

from .canvas import Array, colour, fractal, grid, mix, ramp, smooth

CAT = (
    "M106,196 C96,140 98,92 116,62 C124,50 140,52 150,60 C176,80 198,102 214,124 C240,116 272,116 298,124 "
    "C314,102 336,80 362,60 C372,52 388,50 396,62 C414,92 416,140 406,196 C432,232 442,272 436,312 "
    "C424,398 350,448 256,448 C162,448 88,398 76,312 C70,272 80,232 106,196 Z"
)
STICKER = f"""<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">
<defs><radialGradient id="fur" cx="45%" cy="35%" r="75%"><stop offset="0" stop-color="#ffc46b"/>
<stop offset="1" stop-color="#f28a2e"/></radialGradient></defs>
<path d="{CAT}" fill="none" stroke="#fff" stroke-width="44" stroke-linejoin="round"/>
<path d="{CAT}" fill="url(#fur)" stroke="#5b3218" stroke-width="12" stroke-linejoin="round"/>
<path d="M132,166 C126,128 130,104 138,88 C160,106 176,124 188,142 C166,148 146,156 132,166 Z
M380,166 C386,128 382,104 374,88 C352,106 336,124 324,142 C346,148 366,156 380,166 Z" fill="#ff9aa2"/>
<g fill="none" stroke="#c9661b" stroke-width="16" stroke-linecap="round">
<path d="M256,140 V190 M222,146 C224,160 226,168 230,176 M290,146 C288,160 286,168 282,176"/></g>
<ellipse cx="256" cy="356" rx="96" ry="70" fill="#fff3e0"/>
<g fill="none" stroke="#5b3218" stroke-width="14" stroke-linecap="round">
<path d="M150,272 C158,244 196,244 204,272 M308,272 C316,244 354,244 362,272"/>
<path d="M256,338 C256,366 222,376 208,354 M256,338 C256,366 290,376 304,354"/></g>
<g fill="none" stroke="#5b3218" stroke-width="8" stroke-linecap="round">
<path d="M118,322 L42,308 M120,348 L48,358 M394,322 L470,308 M392,348 L464,358"/></g>
<path d="M234,310 C240,302 272,302 278,310
C282,322 266,338 256,338 C246,338 230,322 234,310 Z" fill="#e8637a"/>
<g fill="#ff8f70" opacity=".55"><ellipse cx="138" cy="316" rx="26" ry="18"/>
<ellipse cx="374" cy="316" rx="26" ry="18"/></g>
</svg>"""


def sticker() -> Image.Image:
    """A pleased cat, cut out with a white rim, on nothing."""
    png = subprocess.run(
        ["rsvg-convert", "-f", "png"], input=STICKER.encode(), check=True, capture_output=True
    )
    return Image.open(io.BytesIO(png.stdout)).convert("RGBA")


def outline(path: str = CAT) -> bytes:
    """Pack an SVG path as a photoPathSize (https://core.telegram.org/api/files#vector-thumbnails)."""
    letters = "AACAAAAHAAALMAAAQASTAVAAAZaacaaaahaaalmaaaqastava.az0123456789-,"
    body = re.sub(r"\s+", " ", path).strip().removeprefix("M").removesuffix("Z").strip()
    body = re.sub(r" ?([A-Za-z]) ?", r"\1", body).replace(" ", ",")
    packed = bytearray()
    for token in re.findall(r"[-,]?\d+|[A-Za-z]", body):
        prefix = {"-": 64, ",": 128}.get(token[0], 0)
        digits = token[1:] if prefix else token
        if token.isalpha():
            packed.append(192 + letters.index(token))
            continue
        head = digits[:2] if int(digits[:2]) < 64 else digits[:1]
        packed.append(prefix + int(head))
        packed.extend(192 + letters.rindex(digit) for digit in digits[len(head) :])
    return bytes(packed)


def dots(phase: float, size: int = 320) -> Array:
    """A field of dots through which a ripple runs; `phase` of 0..1 is one turn of the loop."""
    x, y = grid(size, size)
    rgb = mix(np.broadcast_to(colour("#16213e"), (size, size, 3)), colour("#0b1026"), y)
    for row in range(13):
        for column in range(13):
            cx, cy = (column + 0.5 * (row % 2) + 0.25) / 13, (row + 0.5) / 13
            away = np.hypot(cx - 0.5, cy - 0.5)
            beat = 0.5 + 0.5 * np.sin(6.2832 * (phase - 1.9 * away))
            radius = 0.007 + 0.026 * beat
            place = np.hypot(x - cx, y - cy)
            tint = ramp([(0, "#5b5bd6"), (0.5, "#e0559b"), (1, "#ffc857")], np.array(beat))
            rgb = mix(rgb, tint, smooth(radius + 0.003, radius - 0.003, place))
    return rgb


def planet(turn: float, size: int = 384, seed: int = 31) -> Array:
    """A small blue world that turns; `turn` in radians."""
    x, y = grid(size, size)
    px, py = (x - 0.5) / 0.36, (y - 0.5) / 0.36
    inside = px * px + py * py
    pz = np.sqrt(np.clip(1 - inside, 0, 1))
    rgb = ramp([(0, "#0a0f24"), (1, "#1d1230")], y)
    chance = np.random.default_rng(seed).random((size, size, 1))
    rgb = rgb + np.where(chance > 0.9985, chance * 0.7, 0)
    longitude, latitude = np.arctan2(px, np.maximum(pz, 1e-3)) + turn, np.arcsin(np.clip(py, -1, 1))
    ring_x, ring_z = np.cos(longitude) * np.cos(latitude), np.sin(longitude) * np.cos(latitude)
    height = fractal(ring_x * 1.7 + 9 + latitude, ring_z * 1.7 + latitude * 1.3, seed, octaves=6)
    ground = ramp(
        [(0.3, "#0d3b78"), (0.5, "#1f6fb0"), (0.52, "#d8c58a"), (0.56, "#5d9a55"), (0.7, "#3c6b45")], height
    )
    ground = mix(ground, colour("#f4f8ff"), smooth(1.05, 1.25, np.abs(latitude) + 0.3 * height))
    veil = fractal(ring_x * 2.6 + turn * 0.2, ring_z * 2.6 + latitude * 3, seed + 9, octaves=5)
    ground = mix(ground, colour("#ffffff"), smooth(0.52, 0.72, veil) * 0.85)
    light = np.clip(-0.55 * px - 0.45 * py + 0.72 * pz, 0, 1)
    ground = (
        ground * (0.06 + 1.05 * light)[..., None]
        + colour("#5fb4ff") * (0.35 * (1 - pz) ** 2.5 * light)[..., None]
    )
    halo = np.exp(-np.maximum(np.sqrt(inside) - 1, 0) * 14) * np.clip(0.55 - 0.4 * px - 0.35 * py, 0, 1)
    rgb = rgb + colour("#4ea3ff") * (0.5 * halo)[..., None]
    return mix(rgb, ground, smooth(1.012, 0.988, np.sqrt(inside)))
