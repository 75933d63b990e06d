"""A picture as a paper shows it: with its title, a scale bar and a colour bar, as PNG or as SVG."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ptychogui.io import files
from ptychogui.io.picture import scale_bar_m

Colours = NDArray[np.uint8]

_LEAST_PX, _MOST_PX = 512, 2048
_INK = "#16191f"
_SIGNS = str.maketrans({"−": "-", "π": "3.14", "·": "*", "Å": "A", "⁻": "-", "¹": "1", "²": "2", "×": "x", "°": "deg"})


@dataclass(frozen=True)
class Figure:
    """Colours (Y, X, 3) with the size of a pixel (dy, dx) on the sample, in metres or, if not `calibrated`, in pixels.

    `bar` (K, 3) are the colours from the lowest to the highest value, and `ends` the texts of these two. `name` is the
    stem of a file.
    """

    name: str
    title: str
    colours: Colours
    pixel: tuple[float, float]
    calibrated: bool
    bar: Colours
    ends: tuple[str, str]


@dataclass(frozen=True)
class Layout:
    """Where the parts of a figure lie, in pixels of the page (left, top, right, bottom)."""

    page: tuple[int, int]
    picture: tuple[int, int, int, int]
    bar: tuple[int, int, int, int]
    font_px: int
    scale_px: float
    scale_text: str


def layout(figure: Figure) -> Layout:
    """The page of a figure: its picture with square pixels, magnified to a size that can be looked at."""
    (dy, dx), (rows, columns) = figure.pixel, figure.colours.shape[:2]
    height, width = rows * dy, columns * dx
    magnified = max(1, math.ceil(_LEAST_PX / max(rows, columns)))
    per_length = min(magnified / min(dy, dx), max(_MOST_PX, rows, columns) / max(height, width))
    wide, high = max(1, round(width * per_length)), max(1, round(height * per_length))
    font = max(14, round(max(wide, high) / 32))
    margin, top = font, 2 * font
    bar_left = margin + wide + font
    text = round(0.62 * font * max(len(end) for end in figure.ends))
    least_bar = max(high, 5 * font)
    page = bar_left + font + font // 3 + text + margin, top + least_bar + margin
    length, words = scale_bar_m(width)
    return Layout(
        page=page,
        picture=(margin, top, margin + wide, top + high),
        bar=(bar_left, top, bar_left + font, top + least_bar),
        font_px=font,
        scale_px=length * per_length,
        scale_text=words if figure.calibrated else f"{length:g} px",
    )


def write_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    with files.replacing(path) as temporary:
        temporary.write_bytes(png(figure))


def write_svg(figure: Figure, path: Path) -> None:
    """Write a figure as SVG, in which texts, scale bar and colour bar can be edited."""
    with files.replacing(path) as temporary:
        temporary.write_text(svg(figure), encoding="utf-8")


def png(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG."""
    place = layout(figure)
    page = Image.new("RGB", place.page, "white")
    page.paste(_enlarged(figure.colours, place.picture), place.picture[:2])
    page.paste(_enlarged(figure.bar[::-1, None], place.bar), place.bar[:2])
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=place.font_px)
    left, top = place.picture[:2]
    _write(draw, (left, top - place.font_px // 2), figure.title, font, "ls")
    for end, y, anchor in ((figure.ends[1], place.bar[1], "la"), (figure.ends[0], place.bar[3], "ls")):
        _write(draw, (place.bar[2] + place.font_px // 3, y), end, font, anchor)
    thick = max(3, place.font_px // 5)
    plate = _plate(place, draw.textlength(place.scale_text, font))
    shade = Image.new("RGB", (max(1, plate[2] - plate[0]), max(1, plate[3] - plate[1])), "black")
    page.paste(Image.blend(page.crop(plate), shade, 0.55), plate[:2])
    middle = (plate[0] + plate[2]) / 2
    line = (middle - place.scale_px / 2, plate[3] - 2 * thick, middle + place.scale_px / 2, plate[3] - thick)
    draw.rectangle(line, fill="white")
    _write(draw, (round(middle), round(line[1] - thick)), place.scale_text, font, "ms", "white")
    data = BytesIO()
    page.save(data, format="PNG")
    return data.getvalue()


def svg(figure: Figure) -> str:
    """A figure as the text of an SVG; the picture lies in it as PNG with one pixel for each of the object."""
    place = layout(figure)
    size, (left, top) = place.font_px, place.picture[:2]
    plate = _plate(place, 0.56 * size * len(place.scale_text))
    thick, middle = max(3, size // 5), (plate[0] + plate[2]) / 2
    words = f'font-family="Helvetica, Arial, sans-serif" font-size="{size}"'
    beside = place.bar[2] + size // 3
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{place.page[0]}" height="{place.page[1]}" '
        f'viewBox="0 0 {place.page[0]} {place.page[1]}" {words}>',
        f'<rect width="{place.page[0]}" height="{place.page[1]}" fill="#ffffff"/>',
        f'<text x="{left}" y="{top - size // 2}" fill="{_INK}">{escape(figure.title)}</text>',
        _svg_image(figure.colours, place.picture),
        _svg_image(figure.bar[::-1, None], place.bar),
        f'<text x="{beside}" y="{place.bar[1] + 0.8 * size:g}" fill="{_INK}">{escape(figure.ends[1])}</text>',
        f'<text x="{beside}" y="{place.bar[3]}" fill="{_INK}">{escape(figure.ends[0])}</text>',
        f'<rect x="{plate[0]}" y="{plate[1]}" width="{plate[2] - plate[0]}" height="{plate[3] - plate[1]}" '
        'fill="#000000" fill-opacity="0.55"/>',
        f'<rect x="{middle - place.scale_px / 2:g}" y="{plate[3] - 2 * thick}" width="{place.scale_px:g}" '
        f'height="{thick}" fill="#ffffff"/>',
        f'<text x="{middle:g}" y="{plate[3] - 3 * thick}" text-anchor="middle" fill="#ffffff">'
        f"{escape(place.scale_text)}</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def embedded(data: bytes) -> str:
    """A PNG as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


def _svg_image(colours: Colours, box: tuple[int, int, int, int]) -> str:
    data = BytesIO()
    Image.fromarray(np.ascontiguousarray(colours)).save(data, format="PNG")
    left, top, right, bottom = box
    return (
        f'<image x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" preserveAspectRatio="none" '
        f'style="image-rendering: pixelated" href="{embedded(data.getvalue())}"/>'
    )


def _plate(place: Layout, text_px: float) -> tuple[int, int, int, int]:
    """The dark plate under scale bar and text, in the lower right corner of the picture."""
    _, _, right, bottom = place.picture
    gap, width = place.font_px // 2, max(place.scale_px, text_px) + place.font_px
    high = round(1.9 * place.font_px)
    return round(right - gap - width), bottom - gap - high, right - gap, bottom - gap


def _enlarged(colours: Colours, box: tuple[int, int, int, int]) -> Image.Image:
    size = box[2] - box[0], box[3] - box[1]
    smaller = size[0] < colours.shape[1] or size[1] < colours.shape[0]
    how = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
    return Image.fromarray(np.ascontiguousarray(colours)).resize(size, how)


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    anchor: str,
    fill: str = _INK,
) -> None:
    """Write a text; the font that comes with Pillow has no µ, which is a u with a longer stem, and few other signs."""
    signs = text.translate(_SIGNS)
    plain = signs.replace("µ", "u")
    draw.text(at, plain, font=font, fill=fill, anchor=anchor)
    start = draw.textbbox(at, plain, font=font, anchor=anchor)[0] - draw.textbbox((0, 0), plain, font=font)[0]
    _, high, _, base = draw.textbbox(at, "x", font=font, anchor=anchor)
    (edge, _), (left, right) = _ink(font, "u"), _ink(font, "l")
    for place, letter in enumerate(signs):
        if letter == "µ":
            x = round(start + draw.textlength(plain[:place], font)) + edge
            draw.rectangle((x, (high + base) / 2, x + right - left, base + 0.35 * (base - high)), fill=fill)


def _ink(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, letter: str) -> tuple[int, int]:
    """The first and the last column of a letter's ink, from where it is set."""
    _, _, right, bottom = font.getbbox(letter)
    image = Image.new("L", (math.ceil(right) + 1, math.ceil(bottom) + 1))
    ImageDraw.Draw(image).text((0, 0), letter, font=font, fill=255)
    columns = np.flatnonzero(np.asarray(image).max(0) > 127)
    return int(columns[0]), int(columns[-1])
