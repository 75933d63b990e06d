"""The report is one page that needs nothing else; figures have a scale, a colour bar and their texts; CXI is CXI."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from PIL import Image
from test_result import result, same

from ptychogui.io import export, read_result
from ptychogui.io.export import FORMATS, planned
from ptychogui.io.figure import Figure, layout, png, svg
from ptychogui.io.report import quantity, report
from ptychogui.params import InputError


class Page(HTMLParser):
    """The tags that are open, the pictures and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs)["src"] or "")
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def figure() -> Figure:
    rng = np.random.default_rng(2)
    colours = rng.integers(0, 255, (30, 47, 3)).astype(np.uint8)
    bar = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    return Figure("a", "Phase <of µ>", colours, (2e-8, 3e-8), True, bar, ("−0.5", "1.25 rad"))


def test_a_report_is_whole_and_says_what_the_result_knows():
    whole = replace(
        result('seed = 3\n[data]\nenergy_eV = 8700.0\npath = "<b>&.cxi"\n'), warnings=("a <pixel> is dead",)
    )
    text = report(whole, [figure()], "ptychogui run 'a & b.cxi' -o r.h5")
    page = Page(text)
    assert page.open == []
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert Image.open(BytesIO(b64decode(page.pictures[0].split(",")[1]))).size == layout(figure()).page
    for words in ("sharp at the rim, µ", "★★★★☆", "a <pixel> is dead", "8.7 keV", "<b>&.cxi", "a & b.cxi", "r_factor"):
        assert words in page.words
    curves = re.findall(r'<polyline class="curve" points="([^"]+)"', text)
    assert len(curves[0].split()) == len(whole.loss)
    heights = [float(point.split(",")[1]) for point in curves[0].split()]
    assert heights == sorted(heights)  # the loss falls, so its curve goes down the page
    assert len(curves) == 2


def test_a_report_of_little_is_a_page_too():
    bare = replace(result("no = toml ="), loss=np.array([np.nan, np.nan], np.float32), correlation=None, metrics={})
    assert Page(report(bare, [])).open == []


@pytest.mark.parametrize(("name", "value", "text"), [
    ("data.energy_eV", 12400.0, "12.4 keV"),
    ("distance_m", 2.01, "2.01 m"),
    ("data.detector_pixel_m", [5.5e-5, 6e-5], "[55 µm, 60 µm]"),
    ("solver.epochs", 50, "50"),
    ("alpha", 0.1, "0.1"),
])  # fmt: skip
def test_values_as_people_write_them(name, value, text):
    assert quantity(name, value) == text


def test_a_figure_has_square_pixels_a_round_scale_bar_and_its_colours():
    place = layout(figure())
    left, top, right, bottom = place.picture
    assert (right - left) / (bottom - top) == pytest.approx(47 * 3 / (30 * 2), rel=0.01)
    per_px_m = 47 * 3e-8 / (right - left)
    assert place.scale_text == "200 nm"
    assert place.scale_px * per_px_m == pytest.approx(200e-9, rel=0.01)
    image = np.asarray(Image.open(BytesIO(png(figure()))))
    middle = image[(top + bottom) // 2, (left + right) // 2]
    near = figure().colours.reshape(-1, 3)
    assert (near == middle).all(1).any()
    assert (image[place.bar[1] + 1, place.bar[0] + 2] >= 250).all()
    assert (image[place.bar[3] - 2, place.bar[0] + 2] <= 5).all()


def test_mu_is_a_u_with_a_longer_stem():
    plain, mu = (np.asarray(Image.open(BytesIO(png(replace(figure(), title=title)))).convert("L")) for title in "uµ")
    rows, columns = np.nonzero(plain != mu)
    _, left = np.nonzero(plain[: layout(figure()).picture[1]] < 128)
    assert 0 < len(rows) < 60
    assert np.abs(columns - left.min()).max() <= 3
    assert rows.max() < layout(figure()).picture[1]


def test_a_figure_as_svg_is_xml_with_its_texts():
    root = ElementTree.fromstring(svg(figure()))
    name = "{http://www.w3.org/2000/svg}"
    assert {text.text for text in root.iter(f"{name}text")} == {"Phase <of µ>", "1.25 rad", "−0.5", "200 nm"}
    first = next(root.iter(f"{name}image"))
    picture = np.asarray(Image.open(BytesIO(b64decode(first.attrib["href"].split(",")[1]))))
    np.testing.assert_array_equal(picture, figure().colours)


def test_pixels_where_no_length_is_known():
    assert layout(replace(figure(), pixel=(1.0, 1.0), calibrated=False)).scale_text == "10 px"


def test_every_format_is_written_under_the_names_that_were_told(tmp_path):
    whole = result()
    names = [file.name for file in planned(whole, tuple(FORMATS), [figure()], "command")]
    written = export(whole, tmp_path / "all", tuple(FORMATS), [figure()], "command")
    assert [path.name for path in written] == names
    assert sorted(names) == sorted(path.name for path in (tmp_path / "all").iterdir())
    assert {"a.png", "a.svg", "report.html", "result.h5", "result.cxi", "positions.csv", "loss.csv"} <= set(names)
    same(read_result(tmp_path / "all" / "result.h5"), whole)
    loss = np.loadtxt(tmp_path / "all" / "loss.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(loss[:, 1], whole.loss, rtol=1e-6)


def test_cxi_holds_object_probe_and_positions(tmp_path):
    whole = result()
    export(whole, tmp_path, ["cxi"])
    with h5py.File(tmp_path / "result.cxi") as file:
        np.testing.assert_array_equal(file["entry_1/data_1/data"], whole.obj.slices)
        np.testing.assert_array_equal(file["entry_1/image_2/data"], whole.probe.modes)
        places = file["entry_1/sample_1/geometry_1/translation"][()]
        np.testing.assert_array_equal(places[:, 1::-1], whole.scan.positions_m)
        np.testing.assert_allclose(file["entry_1/image_1/image_size"], [53 * 2e-8, 40 * 1e-8, 0])


def test_an_unknown_format_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(InputError, match="no format 'jpeg'"):
        export(result(), tmp_path / "new", ["png", "jpeg"])
    assert not (tmp_path / "new").exists()
