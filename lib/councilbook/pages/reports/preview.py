"""The picture that a message or a chat shows of a shared link."""

import textwrap
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

from councilbook.pages.pictures import STYLE

FILE = "preview.png"
SIZE = (12, 6.3)  # 1,200 by 630 pixels, as such pictures are shown
GROUND, MARK = "#0b5a6b", "#ffd24a"
COLOURS = 16  # the picture of a few words is then some 15 kB


def draw_preview(folder: Path, title: str, about: str) -> None:
    """Draw a page's title, and what its figures are, into preview.png of its folder.

    Args:
        folder: where the page lies.
        title: of the page.
        about: a few words below it, such as whether its figures are real.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=SIZE, dpi=100, facecolor=GROUND)
        figure.text(0.07, 0.88, "Councilbook", color=MARK, fontsize=26, weight="bold", va="center")
        words = textwrap.fill(textwrap.shorten(title, 110, placeholder=" …"), 28)
        figure.text(0.07, 0.52, words, color="white", fontsize=42, weight="bold", va="center", linespacing=1.3)
        figure.text(0.07, 0.12, about, color="white", fontsize=26, va="center")
        figure.savefig(folder / FILE, metadata={"Software": None})
    with Image.open(folder / FILE) as picture:
        picture.quantize(COLOURS).save(folder / FILE, optimize=True)
