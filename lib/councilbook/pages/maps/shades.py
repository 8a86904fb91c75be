"""How the classes of a map are drawn, so that any two can be told apart without colour."""

from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.colors import to_hex, to_rgb

Numbers = np.ndarray[tuple[int], np.dtype[np.float64]]
Texture = Literal["plain", "dots", "lines", "hatched"]

DARK, WHITE = "#0b1f33", "#ffffff"
MOST_CLASSES = 7  # more cannot be told apart, textures and all


@dataclass(frozen=True)
class Shade:
    """How the areas of a class are drawn: a ground, a texture on it, and the colour of texture and outline."""

    name: str
    colour: str
    texture: Texture
    mark: str

    @property
    def fill(self) -> str:
        """What SVG fills the areas with; the patterns are in the template patterns.svg.j2."""
        return self.colour if self.texture == "plain" else f"url(#{self.name})"


NO_VALUE_SHADE = Shade("no-value", WHITE, "hatched", "#5a6470")


def choose_shades(count: int) -> list[Shade]:
    """Choose how so many classes are drawn, light for low and dark for high.

    The colours are taken from matplotlib's YlGnBu (ColorBrewer, Brewer 2003), each by the same contrast darker than
    the one before. Where that contrast is too small, classes take turns with textures, so that two of the same
    texture are 3:1 or more apart.
    """
    ramp = matplotlib.colormaps["YlGnBu"](np.linspace(0.05, 1, 256))[:, :3]
    darkness = -np.log(measure_luminance(ramp) + 0.05)
    places = np.interp(np.linspace(darkness[0], darkness[-1], count), darkness, np.arange(256))
    textures: tuple[Texture, ...] = ("plain", "dots", "lines")
    turns = 1 if count <= 3 else 2 if count <= 5 else 3
    shades = []
    for number, place in enumerate(places.round().astype(int)):
        colour = to_hex(ramp[place])
        mark = DARK if measure_contrast(DARK, colour) > measure_contrast(WHITE, colour) else WHITE
        shades.append(Shade(f"class-{number}", colour, textures[number % turns], mark))
    return shades


def measure_luminance(rgb: np.ndarray[Any, np.dtype[np.float64]]) -> Numbers:
    """Measure relative luminance, 0 to 1, of colours as red, green and blue from 0 to 1 (WCAG 2.2)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))


def measure_contrast(one: str, other: str) -> float:
    """Measure the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = np.sort(measure_luminance(np.array([to_rgb(one), to_rgb(other)])))
    return float((light + 0.05) / (dark + 0.05))
