"""How the window looks: a light and a dark palette, one accent colour, a small style sheet, drawn icons."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPainterPath, QPalette, QPixmap, QPolygonF
from PyQt6.QtWidgets import QApplication

from ptychogui.gui.settings import settings

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")


@dataclass(frozen=True)
class Colours:
    """The colours of one theme."""

    window: str
    base: str
    raised: str
    text: str
    dim: str
    line: str
    accent: str
    on_accent: str
    good: str
    warning: str
    error: str


LIGHT = Colours(
    window="#f3f4f7",
    base="#ffffff",
    raised="#fafbfc",
    text="#1c2230",
    dim="#626b7b",
    line="#d5dae2",
    accent="#2a63d6",
    on_accent="#ffffff",
    good="#1e7d46",
    warning="#9a5b00",
    error="#b3261e",
)
DARK = Colours(
    window="#1c1f26",
    base="#14161b",
    raised="#242832",
    text="#e4e7ed",
    dim="#98a1b2",
    line="#343a46",
    accent="#6ea2ff",
    on_accent="#0e1420",
    good="#64c98d",
    warning="#f0b45a",
    error="#ff8a80",
)

_SHEET = Template(
    """
QMainWindow::separator { background: $window; width: 6px; height: 6px; }
QMainWindow::separator:hover { background: $accent; }
QDockWidget { font-weight: 600; titlebar-close-icon: url("$close"); titlebar-normal-icon: url("$float"); }
QDockWidget::close-button, QDockWidget::float-button { border-radius: 3px; padding: 0; }
QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: $line; }
QDockWidget::title { padding: 6px 8px; background: $window; }
QTabBar::tab { padding: 6px 12px; border: none; color: $dim; background: transparent; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; }
QTabBar::tab:hover { color: $text; }
QTabWidget::pane { border: 1px solid $line; border-radius: 6px; }
QMenuBar { background: $window; padding: 2px; }
QMenu::separator { height: 1px; background: $line; margin: 3px 8px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px; }
QTreeWidget, QPlainTextEdit, QTextBrowser { border: 1px solid $line; border-radius: 6px; }
QTreeWidget { background: $base; padding: 4px; }
QListWidget { border: 1px solid $line; border-radius: 6px; }
QListWidget::item { padding: 4px 6px; }
QTreeWidget::item { padding: 4px 2px; border-radius: 4px; }
QTreeWidget { show-decoration-selected: 0; selection-background-color: transparent; }
QTreeWidget::branch:selected { background: $base; }
QTreeWidget::item:selected { background: $accent; color: $on_accent; }
QLineEdit { padding: 3px 6px; border: 1px solid $line; border-radius: 4px; background: $base; }
QAbstractSpinBox { padding: 2px 2px 2px 4px; border: 1px solid $line; border-radius: 4px; background: $base; }
QAbstractSpinBox:focus { border-color: $accent; }
QAbstractSpinBox:disabled { background: $window; color: $dim; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
    subcontrol-origin: padding; width: 14px; border: none; }
QAbstractSpinBox::up-button { subcontrol-position: top right; border-top-right-radius: 3px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; border-bottom-right-radius: 3px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $line; }
QAbstractSpinBox::up-arrow { image: url("$up"); width: 9px; height: 9px; }
QAbstractSpinBox::down-arrow { image: url("$down"); width: 9px; height: 9px; }
QLineEdit:focus { border-color: $accent; }
QLineEdit:disabled { background: $window; color: $dim; }
QPushButton, QToolButton#run, QToolButton#continue, QToolButton#pause, QToolButton#stop {
    padding: 5px 14px; border: 1px solid $line; border-radius: 6px; background: $raised; color: $text; }
QPushButton:hover, QToolButton#continue:hover, QToolButton#pause:hover, QToolButton#stop:hover {
    border-color: $accent; }
QPushButton:disabled, QToolButton:disabled { color: $dim; }
QToolButton#presets, QToolButton#stage_add { padding: 3px 16px 3px 6px; }
QToolButton#presets::menu-indicator, QToolButton#stage_add::menu-indicator {
    subcontrol-origin: padding; subcontrol-position: center right; right: 4px; }
QPushButton:focus { border-color: $accent; }
QPushButton:checked { background: $accent_soft; border-color: $accent; }
QPushButton[primary="true"], QToolButton#run:enabled {
    background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[primary="true"]:disabled { background: $raised; color: $dim; border-color: $line; }
QPushButton[primary="true"]:focus, QToolButton#run:focus { border: 2px solid $text; padding: 4px 13px; }
QToolButton:focus { border: 1px solid $accent; border-radius: 4px; }
QToolButton#continue:focus, QToolButton#pause:focus, QToolButton#stop:focus { border-color: $accent; }
QToolButton#presets { border: 1px solid $line; border-radius: 4px; background: $base; }
QToolButton#presets:focus { border-color: $accent; }
QListWidget:focus, QTreeWidget:focus, QPlainTextEdit:focus, QTextBrowser:focus { border-color: $accent; }
QPushButton[card="true"] { text-align: left; padding: 0; background: $base; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $line; border-radius: 4px; margin: 1px; min-height: 28px; min-width: 28px; }
QScrollBar::handle:hover { background: $dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { border: 1px solid $line; border-radius: 6px; background: $base; text-align: center; color: $text; }
QProgressBar::chunk { background: $accent_soft; border-radius: 5px; }
QFrame#drop_zone { border: 2px dashed $line; border-radius: 12px; background: $base; }
QFrame#drop_zone[over="true"] { border-color: $accent; }
QFrame#run_bar { border-top: 1px solid $line; background: $window; }
QFrame[notice] { background: $raised; border: 1px solid $line; border-left: 4px solid $accent; border-radius: 6px; }
QFrame[notice="warning"] { border-left-color: $warning; }
QFrame[notice="error"] { border-left-color: $error; }
QPushButton#notice_close { border: none; background: transparent; padding: 0 6px; font-size: 18px; }
QFrame[notice] QLabel { border: none; }
QToolButton:checked { color: $accent; border: 1px solid $accent; border-radius: 4px; padding: 3px 6px; }
QCheckBox::indicator, QGroupBox::indicator {
    width: 12px; height: 12px; border: 1px solid $dim; border-radius: 3px; background: $base; }
QCheckBox::indicator:checked, QGroupBox::indicator:checked {
    border-color: $accent; background: $accent; image: url("$tick"); }
QCheckBox::indicator:disabled, QGroupBox::indicator:disabled { border-color: $line; background: $window; }
QCheckBox::indicator:checked:disabled, QGroupBox::indicator:checked:disabled {
    border-color: $line; background: $line; }
QLabel[role="title"] { font-size: 26px; font-weight: 700; }
QLabel[role="heading"] { font-size: 14px; font-weight: 600; }
QLabel[role="dim"] { color: $dim; }
QLabel[role="good"] { color: $good; }
QLabel[role="doubt"] { color: $warning; }
QLabel[role="problem"] { color: $error; }
QLabel[origin] { border-radius: 7px; padding: 1px 7px; font-size: 11px; border: 1px solid $line; color: $dim; }
QLabel[origin="guessed"] { color: $warning; border-color: $warning; }
QLabel[origin="user"] { color: $accent; border-color: $accent; }
"""
)


def chosen() -> Theme:
    """The theme that the environment variable PTYCHOGUI_THEME or the user asks for."""
    name = os.environ.get("PTYCHOGUI_THEME") or str(settings().value("theme", "system"))
    return next((theme for theme in THEMES if theme == name), "system")


def choose(theme: Theme) -> None:
    """Take a theme, now and at the next start."""
    settings().setValue("theme", theme)
    os.environ.pop("PTYCHOGUI_THEME", None)
    dress()


def is_dark() -> bool:
    """Whether the theme in force is the dark one."""
    theme, hints = chosen(), QGuiApplication.styleHints()
    if theme == "system":
        return hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
    return theme == "dark"


def colours() -> Colours:
    """The colours in force."""
    return DARK if is_dark() else LIGHT


def dress() -> None:
    """Give the application the palette and the style sheet of the theme in force."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        c = colours()
        app.setPalette(_palette(c))
        shade = "dark" if is_dark() else "light"
        signs = {name: _drawing(f"{name}_{shade}") for name in ("tick", "close", "float", "up", "down")}
        app.setStyleSheet(_SHEET.substitute(vars(c), **signs, accent_soft=_mixed(c.accent, c.base, 0.45)))


def sign() -> QIcon:
    """The sign of the program."""
    return QIcon(_drawing("ptychogui"))


def _drawing(name: str) -> str:
    """The path of a drawing that belongs to the program, as a style sheet writes it."""
    return (Path(str(files("ptychogui.resources"))) / "icons" / f"{name}.svg").as_posix()


def _mixed(a: str, b: str, share: float) -> str:
    first, second = QColor(a), QColor(b)
    return QColor.fromRgbF(
        *(
            share * x + (1 - share) * y
            for x, y in zip(
                (first.redF(), first.greenF(), first.blueF()), (second.redF(), second.greenF(), second.blueF())
            )
        )
    ).name()


def _palette(c: Colours) -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for which, colour in {
        role.Window: c.window,
        role.WindowText: c.text,
        role.Base: c.base,
        role.AlternateBase: c.raised,
        role.Text: c.text,
        role.Button: c.raised,
        role.ButtonText: c.text,
        role.BrightText: c.error,
        role.ToolTipBase: c.raised,
        role.ToolTipText: c.text,
        role.PlaceholderText: c.dim,
        role.Highlight: c.accent,
        role.HighlightedText: c.on_accent,
        role.Link: c.accent,
        role.LinkVisited: c.accent,
        role.Accent: c.accent,
        role.Light: _mixed(c.raised, "#ffffff", 0.8),
        role.Midlight: c.line,
        role.Mid: c.line,
        role.Dark: _mixed(c.line, "#000000", 0.8),
        role.Shadow: "#000000",
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(_mixed(c.dim, c.window, 0.7)))
    return palette


def icon(name: str) -> QIcon:
    """A sign of the run bar (run, continue, pause, stop), drawn in the colours of the theme."""
    drawn = QIcon()
    c = colours()
    enabled = c.on_accent if name == "run" else c.text
    for colour, mode in ((enabled, QIcon.Mode.Normal), (_mixed(c.dim, c.window, 0.7), QIcon.Mode.Disabled)):
        pixmap = QPixmap(64, 64)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(_sign(name), QColor(colour))
        painter.end()
        drawn.addPixmap(pixmap, mode)
    return drawn


def _sign(name: str) -> QPainterPath:
    path = QPainterPath()
    if name == "stop":
        path.addRoundedRect(QRectF(14, 14, 36, 36), 5, 5)
    elif name == "pause":
        path.addRoundedRect(QRectF(14, 12, 12, 40), 3, 3)
        path.addRoundedRect(QRectF(38, 12, 12, 40), 3, 3)
    else:
        left = 26 if name == "continue" else 16
        path.addPolygon(QPolygonF([QPointF(left, 10), QPointF(54, 32), QPointF(left, 54), QPointF(left, 10)]))
        if name == "continue":
            path.addRoundedRect(QRectF(10, 12, 8, 40), 3, 3)
    return path
