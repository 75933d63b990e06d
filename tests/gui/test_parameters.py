"""What every parameter and every control must have: help that says something, a tooltip, a place for the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDockWidget,
    QHeaderView,
    QLineEdit,
    QMenuBar,
    QScrollBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from ptychogui.gui.choice import choices, replaced
from ptychogui.gui.forms import JobForm, is_essential
from ptychogui.gui.rows import Section
from ptychogui.gui.window import Window
from ptychogui.job import Job
from ptychogui.params import described, members

Until = Callable[[Callable[[], object]], None]
CONTROLS = (QAbstractButton, QLineEdit, QComboBox, QAbstractSlider, QAbstractItemView)
DIALOGS = ("check", "steps", "design", "presets", "palette", "shortcuts", "help", "about", "contents", "prepare")
LEAST_HELP = 60
"""Letters; less says no more than the name."""


def test_the_help_of_every_parameter_says_more_than_its_name() -> None:
    short = [path for path, _, text in described(Job) if len(text) < LEAST_HELP]
    assert not short


@pytest.mark.parametrize("kind", members(Job.model_fields["solver"].annotation))
def test_no_solver_has_more_than_ten_essentials(kind: str) -> None:
    solver = next(choice for choice in choices(Job()) if choice.name == "solver.kind")
    job = replaced(Job(), solver, kind)
    assert 5 <= sum(is_essential(choice) for choice in choices(job)) <= 10


def test_a_parameter_is_found_by_a_word_of_its_help(qtbot: QtBot) -> None:
    form = JobForm(Job())
    qtbot.addWidget(form)
    form.show()
    qtbot.keyClicks(form._search, "flickers")
    shown = [row.choice.name for row in form.rows() if row.isVisible()]
    assert shown
    assert all(name.startswith("refine.gain") for name in shown)


def test_only_what_was_changed_is_shown_on_demand(qtbot: QtBot) -> None:
    form = JobForm(Job().with_value("refine.distance.enabled", True).with_value("seed", 3))
    qtbot.addWidget(form)
    form.show()
    form._only_changed.click()
    assert {row.choice.name for row in form.rows() if row.isVisible()} == {"refine.distance.enabled", "seed"}
    form.set_job(Job())
    assert not [row for row in form.rows() if row.isVisible()]
    form._only_changed.click()
    assert [row for row in form.rows() if row.isVisible()]


def own(widget: QWidget) -> bool:
    """Whether a control is the program's own, and not a part that Qt makes of another."""
    name = widget.objectName()
    parent = widget.parentWidget()
    made_by_qt = (
        name.startswith("qt_")
        or isinstance(widget, QScrollBar | QHeaderView)
        or isinstance(parent, QDockWidget | QTabBar)
    )
    made_by_qt |= isinstance(parent, QDialogButtonBox)  # OK, Cancel and Close say all
    inner = isinstance(parent, QComboBox) or any(isinstance(p, QComboBox) for p in parents(widget))
    return not made_by_qt and not inner and not isinstance(parent, QLineEdit | QMenuBar)


def parents(widget: QWidget) -> Iterator[QWidget]:
    up = widget.parentWidget()
    while up is not None:
        yield up
        up = up.parentWidget()


def path_of(widget: QWidget) -> str:
    named = [w.objectName() or type(w).__name__ for w in (widget, *parents(widget))]
    return " < ".join(named[:5])


def test_every_control_also_of_dialogs_has_a_tooltip_and_is_reached_by_the_keyboard(opened: Window) -> None:
    workspace = opened.workspace
    assert workspace is not None
    for section in workspace.form.findChildren(Section):
        section.set_expanded(True)
    assert not without_tooltip_or_keyboard(opened)
    found: dict[str, list[str]] = {}
    for name in DIALOGS:
        opened.actions_by_id[name].trigger()
        for dialog in [dialog for dialog in opened.findChildren(QDialog) if dialog.isVisible()]:
            found[name] = without_tooltip_or_keyboard(dialog)
            dialog.reject()
    assert set(found) == set(DIALOGS)
    assert not any(found.values()), found


def without_tooltip_or_keyboard(over: QWidget) -> list[str]:
    """The controls inside a widget that say nothing of themselves, or that no key reaches."""
    bad = []
    for kind in CONTROLS:
        for widget in over.findChildren(kind):
            told = widget.toolTip() or any(up.toolTip() for up in parents(widget) if not isinstance(up, QDockWidget))
            if own(widget) and (not told or widget.focusPolicy() == Qt.FocusPolicy.NoFocus):
                bad.append(path_of(widget))
    return bad
