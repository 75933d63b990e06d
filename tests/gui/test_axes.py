"""Axes, names of curves and lists of paths in little room."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PyQt6.QtGui import QColor, QFontMetricsF, QGuiApplication, QPalette
from PyQt6.QtWidgets import QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

from ptychogui.gui.path_choice import PathChoice
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.graphics import UnitAxis

IN_LITTLE_ROOM = (
    (-2.8, 2.8, 110, "µm⁻¹"),
    (-75.0, 75.0, 112, "mm"),
    (-0.5, 99.5, 117, "px"),
    (-66.0, -38.0, 150, "µm"),
    (-1.075, 1.075, 151, "nm⁻¹"),
    (-1075.0, 1075.0, 300, "nm"),
    (3.0, 517.0, 900, "nm"),
)


@pytest.mark.parametrize(("low", "high", "size", "unit"), IN_LITTLE_ROOM)
def test_numbers_do_not_touch_and_one_that_is_seen_has_the_unit(
    qtbot: QtBot, low: float, high: float, size: float, unit: str
) -> None:
    axis = UnitAxis("bottom")
    axis.unit = unit
    axis.setRange(low, high)
    spacing, values = axis.tickValues(low, high, size)[0]
    texts = axis.tickStrings(values, 1, spacing)
    wide = QFontMetricsF(QGuiApplication.font()).horizontalAdvance
    places = [(value - low) / (high - low) * size for value in values]
    ends = [(at - wide(text) / 2, at + wide(text) / 2) for at, text in zip(places, texts)]
    assert len(texts) >= 2
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(ends))
    assert not any("-" in text for text in texts)
    (named,) = (i for i, text in enumerate(texts) if text.endswith(unit))
    assert 0 < ends[named][0] < ends[named][1] < size


def test_names_of_curves_take_the_colour_of_the_theme(qtbot: QtBot) -> None:
    plot = CurvePlot("nothing")
    qtbot.addWidget(plot)
    plot.show_curves([Curve(name, np.arange(4.0), np.arange(4.0)) for name in ("phase", "slope")], "µm")
    for colour in ("#e4e7ed", "#1c2230"):
        palette = QPalette(plot.palette())
        palette.setColor(QPalette.ColorRole.Text, QColor(colour))
        plot.setPalette(palette)
        plot.wear()
        assert all(colour in label.item.toHtml() for _, label in plot.plot.legend.items)


def test_the_end_of_a_long_path_is_seen(qtbot: QtBot) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    choice, path = PathChoice("The energy.", whole), "/entry_1/instrument_1/source_1/energy"
    choice.addItems(["—", path])
    choice.setFixedWidth(150)
    choice.setCurrentIndex(1)
    option = QStyleOptionComboBox()
    choice.initStyleOption(option)
    assert option.currentText.startswith("…")
    assert option.currentText.endswith("/energy")
    assert choice.toolTip() == f"The energy.\n{path}"
    choice.setCurrentIndex(0)
    assert choice.toolTip() == "The energy."
