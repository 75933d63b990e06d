from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from pydantic import Field
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from ptychogui.gui.choice import Choice, choices, replaced, text_of, value_of
from ptychogui.gui.edits import OptionEdit, SwitchEdit, TextEdit, paragraphs
from ptychogui.gui.forms import GROUPS, JobForm, ParamsForm, is_essential
from ptychogui.gui.rows import FieldRow, Section
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.params import LIVE, Count, Fraction, InputError, Length, Params, Positive


class Steady(Params):
    """Goes on as it began."""

    kind: Literal["steady"] = "steady"
    epochs: Count = 50
    """How often."""
    alpha: Annotated[Fraction, LIVE] = 0.25
    """How strong."""


class Swift(Params):
    """Hurries."""

    kind: Literal["swift"] = "swift"
    epochs: Count = 50
    """How often."""
    beta: Positive = 3.0
    """How fast."""


class Limit(Params):
    """Keeps something within limits."""

    enabled: bool = False
    """Whether it is on."""
    weight: Fraction = 1.0
    """How much of it."""


class Sample(Params):
    width_m: Length | None = None
    """How wide it is."""
    pair_m: tuple[float, float] | None = None
    """Height and width."""
    steps: float | tuple[float, float] | None = None
    """One step or two."""
    flag: bool | None = None
    """Whether or not, or whatever."""
    solver: Annotated[Steady | Swift, Field(discriminator="kind")] = Swift(beta=2.0)
    """How it is solved."""
    limit: Limit = Limit()
    """A limit."""


def row_of(form: ParamsForm, name: str) -> FieldRow:
    return next(row for row in form.rows() if row.choice.name == name)


def type_in(qtbot: QtBot, row: FieldRow, text: str) -> None:
    assert isinstance(row.edit, TextEdit)
    row.edit.selectAll()
    qtbot.keyClicks(row.edit, text) if text else qtbot.keyClick(row.edit, Qt.Key.Key_Delete)
    qtbot.keyClick(row.edit, Qt.Key.Key_Return)


def open_all(form: JobForm) -> None:
    for section in form.findChildren(Section):
        if not section.expanded:
            section.findChild(QToolButton, "head").click()  # type: ignore[union-attr]


def open_group(form: JobForm, choice: Choice) -> None:
    """Open the section in which a choice stands: to make the rows of all takes a while."""
    group = str(choice.path[0]) if choice.path[0] in GROUPS else "run"
    section = form.findChild(Section, f"section.{group}")
    assert section is not None
    section.set_expanded(True)


@pytest.fixture
def form(qtbot: QtBot) -> JobForm:
    form = JobForm(Job())
    qtbot.addWidget(form)
    open_all(form)
    form.show()
    return form


@pytest.fixture
def sample(qtbot: QtBot) -> ParamsForm:
    form = ParamsForm(Sample())
    qtbot.addWidget(form)
    form.show()
    return form


def every_job() -> Iterator[Job]:
    """Jobs that between them hold every member of every union, and stages."""
    for choice in choices(Job()):
        for kind in choice.union:
            yield replaced(Job(), choice, kind)
    yield Job().with_value("solver", [{"kind": "epie"}, {"kind": "adam"}])


def another(choice: Choice) -> Any:
    """A value that differs from the one in force and fits."""
    kind, entry = choice.entry.type, choice.entry
    if choice.union:
        return next(k for k in choice.union if k != choice.value)
    if entry.choices:
        return next(c for c in entry.choices if c != choice.value)
    if kind is bool:
        return not choice.value
    if kind is str:
        return "file.csv" if entry.name == "path" or "file" in entry.marks else "cpu"
    tuples = [t for t in (kind, *get_args(kind)) if get_origin(t) is tuple]
    if tuples:
        number = 3 if "int" in str(tuples[0]) else 2.5
        return (number, number + 1)
    low, high = entry.minimum or 0, entry.maximum
    between = low + 0.375 * (high - low) if high is not None else low + 2
    between = between + 1 if between == choice.value else between
    return round(between) + 1 if kind is int else between


CASES = {
    (choice.name, type(job.solver).__name__ if choice.path[0] == "solver" else "Job"): (job, choice)
    for job in every_job()
    for choice in choices(job)
    if not choice.heading
}


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_every_field_of_a_job_goes_into_its_widget_and_back(qtbot: QtBot, case: tuple[str, str]) -> None:
    job, choice = CASES[case]
    form = JobForm(job)
    qtbot.addWidget(form)
    open_group(form, choice)
    row, value = row_of(form, choice.name), another(choice)
    edit = row.edit
    if isinstance(edit, TextEdit):
        edit.setText(text_of(value, choice.unit))
        edit.textEdited.emit(edit.text())
        edit.settle()
    elif isinstance(edit, OptionEdit):
        edit.setCurrentIndex(edit.findData(value))
        edit.activated.emit(edit.currentIndex())
    else:
        assert isinstance(edit, SwitchEdit)
        edit.click()
    assert form.problem == ""
    assert form.job == replaced(job, choice, value) != job
    again = JobForm(form.job)
    qtbot.addWidget(again)
    open_group(again, choice)
    shown = row_of(again, choice.name)
    assert shown.edit is not None
    assert shown.edit.value() == next(c.value for c in choices(form.job) if c.name == choice.name)
    shown.reset.emit()
    back = next((c for c in choices(again.job) if c.name == choice.name), None)
    assert back is not None
    assert not back.changed


def test_a_job_has_few_essentials_with_solver_epochs_and_modes() -> None:
    essential = [choice.name for choice in choices(Job()) if is_essential(choice)]
    assert {"solver.kind", "solver.epochs", "start.modes", "data.energy_eV"} <= set(essential)
    assert len(essential) <= 10


def test_the_essentials_of_electrons_are_theirs(form: JobForm) -> None:
    def first() -> set[str]:
        rows = form._sections["Essentials"].rows.values()
        return {row.choice.name for row in rows if row.isVisibleTo(form)}

    assert "data.energy_eV" in first()
    form.show_electrons(True)
    assert {"data.kV", "data.convergence_rad", "data.defocus_m", "data.pixel_m"} <= first()
    assert "data.energy_eV" not in first()
    assert sum(is_essential(choice, electrons=True) for choice in choices(form.job)) <= 10
    form.show_electrons(False)
    assert "data.energy_eV" in first()


def test_a_switch_among_the_essentials_names_its_group(form: JobForm) -> None:
    switches = [row.edit for row in form.rows() if row.choice.name == "refine.positions.enabled"]
    assert {edit.text() for edit in switches if isinstance(edit, SwitchEdit)} == {"Positions", "Refine positions"}


def test_numbers_are_read_and_written_as_people_do(form: JobForm, qtbot: QtBot) -> None:
    with qtbot.waitSignal(form.job_changed) as told:
        type_in(qtbot, row_of(form, "data.energy_eV"), "12.4 keV")
    new, old = told.args
    assert (new.data.energy_eV, old.data.energy_eV) == (pytest.approx(12400), None)
    type_in(qtbot, row_of(form, "data.defocus_m"), "-35nm")
    type_in(qtbot, row_of(form, "data.kV"), "300 kV")
    type_in(qtbot, row_of(form, "data.scan_rotation_rad"), "36°")
    type_in(qtbot, row_of(form, "data.scan_shape"), "48 × 40")
    type_in(qtbot, row_of(form, "data.scan_step_m"), "3.125 nm")
    type_in(qtbot, row_of(form, "data.exclude"), "3, 7")
    data = form.job.data
    assert (data.defocus_m, data.kV) == (pytest.approx(-35e-9), 300)
    assert data.scan_rotation_rad == pytest.approx(0.6283185)
    assert (data.scan_shape, data.scan_step_m, data.exclude) == ((48, 40), pytest.approx(3.125e-9), (3, 7))
    edits = [row.edit for row in form.rows() if row.choice.name == "data.energy_eV"]
    assert [edit.text() for edit in edits if isinstance(edit, TextEdit)] == ["12.4 keV", "12.4 keV"]
    type_in(qtbot, row_of(form, "data.scan_step_m"), "3 nm, 4 nm")
    assert form.job.data.scan_step_m == pytest.approx((3e-9, 4e-9))
    type_in(qtbot, row_of(form, "data.scan_step_m"), "3 × 4.5 nm")
    assert form.job.data.scan_step_m == pytest.approx((3e-9, 4.5e-9))
    type_in(qtbot, row_of(form, "data.energy_eV"), "")
    assert form.job.data.energy_eV is None


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("data.energy_eV", "12.4 parsec", "not a unit"),
        ("data.distance_m", "-3 m", "greater than 0"),
        ("data.distance_m", "far away", "not a number"),
        ("solver.epochs", "", "needed"),
        ("solver.epochs", "2.5", "integer"),
        ("data.scan_shape", "48", "required"),
    ],
)
def test_what_does_not_fit_stays_and_says_why(form: JobForm, qtbot: QtBot, name: str, text: str, says: str) -> None:
    row, job = row_of(form, name), form.job
    type_in(qtbot, row, text)
    assert isinstance(row.edit, TextEdit)
    assert row.edit.text() == text
    assert says in row.problem.lower()
    assert form.problem.startswith(row.choice.label)
    assert form.job == job
    type_in(qtbot, row_of(form, "seed"), "7")
    assert form.job.seed == 7
    assert row.edit.text() == text
    with qtbot.waitSignal(form.problem_changed) as told:
        form.set_job(Job())
    assert told.args == [""]
    assert row.problem == ""


def test_a_complaint_is_taken_back_while_typing(form: JobForm, qtbot: QtBot) -> None:
    row = row_of(form, "data.distance_m")
    type_in(qtbot, row, "2 q")
    assert row.problem
    assert isinstance(row.edit, TextEdit)
    qtbot.keyClick(row.edit, Qt.Key.Key_Backspace)
    qtbot.keyClicks(row.edit, "m")
    assert form.problem == ""
    assert form.job.data.distance_m == 2


def test_a_changed_value_is_marked_and_reset(form: JobForm, qtbot: QtBot) -> None:
    row = row_of(form, "solver.epochs")
    assert not row.findChildren(QToolButton, "reset")
    type_in(qtbot, row, "7")
    assert row.choice.changed
    reset = row.findChild(QToolButton, "reset")
    assert reset is not None
    assert reset.isVisible()
    reset.click()
    assert form.job == Job()
    assert not reset.isVisible()


def test_typing_counts_at_the_latest_when_the_job_is_asked_for(form: JobForm, qtbot: QtBot) -> None:
    edit = row_of(form, "solver.epochs").edit
    assert isinstance(edit, TextEdit)
    edit.selectAll()
    qtbot.keyClicks(edit, "12")
    assert form._params == Job()
    assert form.job == Job().with_value("solver.epochs", 12)
    qtbot.keyClick(edit, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: not edit.pending, timeout=60_000)
    assert form._params == Job().with_value("solver.epochs", 13)


def test_set_job_sends_no_signal_and_forgets_what_was_typed(form: JobForm, qtbot: QtBot) -> None:
    edit = row_of(form, "solver.epochs").edit
    assert isinstance(edit, TextEdit)
    qtbot.keyClicks(edit, "99")
    with qtbot.assertNotEmitted(form.job_changed, wait=50):
        form.set_job(Job(seed=3))
    assert form.job == Job(seed=3)
    assert edit.text() == "50"


def test_search_shows_what_fits(form: JobForm, qtbot: QtBot) -> None:
    search = form._search
    qtbot.keyClicks(search, "hot pix")
    shown = [row.choice.name for row in form.rows() if row.isVisible()]
    assert shown == ["data.hot_pixels"]
    search.clear()
    assert sum(row.isVisible() for row in form.rows()) > 30


def test_another_member_of_a_union_keeps_what_both_have(qtbot: QtBot) -> None:
    form = JobForm(Job().with_value("solver.epochs", 123))
    qtbot.addWidget(form)
    open_all(form)
    kinds = [row.edit for row in form.rows() if row.choice.name == "solver.kind"]
    assert len(kinds) == 2
    edit = kinds[0]
    assert isinstance(edit, OptionEdit)
    assert edit.itemData(edit.findData("adam"), Qt.ItemDataRole.ToolTipRole)
    edit.setCurrentIndex(edit.findData("adam"))
    edit.activated.emit(edit.currentIndex())
    assert (form.job.solver.kind, form.job.solver.epochs) == ("adam", 123)  # type: ignore[union-attr]
    assert [box.value() for box in kinds if box] == ["adam", "adam"]
    names = {row.choice.name for row in form.rows()}
    assert {c.name for c in choices(form.job) if not c.heading} <= names
    assert "solver.alpha" not in names


def test_every_stage_can_be_edited(qtbot: QtBot) -> None:
    job = Job().with_value("solver", [{"kind": "epie", "epochs": 5}, {"kind": "rpie", "epochs": 9}])
    form = JobForm(job)
    qtbot.addWidget(form)
    open_all(form)
    type_in(qtbot, row_of(form, "solver.1.epochs"), "11")
    assert [stage.epochs for stage in form.job.stages] == [5, 11]
    edit = row_of(form, "solver.0.kind").edit
    assert isinstance(edit, OptionEdit)
    edit.setCurrentIndex(edit.findData("mpie"))
    edit.activated.emit(edit.currentIndex())
    assert [stage.kind for stage in form.job.stages] == ["mpie", "rpie"]


def test_a_group_that_is_off_hides_its_fields(sample: ParamsForm) -> None:
    row, switch = row_of(sample, "limit.weight"), row_of(sample, "limit.enabled").edit
    assert isinstance(switch, SwitchEdit)
    assert not row.isVisible()
    switch.click()
    assert row.isVisible()
    assert sample.params == Sample(limit=Limit(enabled=True))


def test_a_default_of_the_whole_is_what_a_reset_restores(sample: ParamsForm, qtbot: QtBot) -> None:
    row = row_of(sample, "solver.beta")
    assert not row.choice.changed
    type_in(qtbot, row, "7")
    row.reset.emit()
    assert sample.params == Sample()


def test_optional_values_can_be_unset(sample: ParamsForm, qtbot: QtBot) -> None:
    flag = row_of(sample, "flag").edit
    assert isinstance(flag, OptionEdit)
    for value in (True, False, None):
        flag.setCurrentIndex(flag.findData(value))
        flag.activated.emit(flag.currentIndex())
        assert sample.params == Sample(flag=value)
    type_in(qtbot, row_of(sample, "pair_m"), "1 mm; 2 mm")
    assert sample.params == Sample(pair_m=(1e-3, 2e-3))
    type_in(qtbot, row_of(sample, "pair_m"), "")
    assert sample.params == Sample()
    edit = row_of(sample, "width_m").edit
    assert isinstance(edit, TextEdit)
    assert edit.placeholderText() == "from file"


def test_an_empty_field_says_what_holds(qtbot: QtBot) -> None:
    form = ParamsForm(Data())
    qtbot.addWidget(form)
    blank = [row.choice.name for row in form.rows() if isinstance(row.edit, TextEdit) and not row.edit.text()]
    assert "dark_frames" in blank
    assert [name for name in blank if not row_of(form, name).edit.placeholderText()] == ["path"]  # type: ignore[union-attr]


def test_a_form_of_a_few_fields_keeps_their_order(qtbot: QtBot) -> None:
    form = ParamsForm(Data(), ("kV", "distance_m", "energy_eV"))
    qtbot.addWidget(form)
    form.show()
    rows = sorted(form.rows(), key=lambda row: row.y())
    assert [row.choice.name for row in rows] == ["kV", "distance_m", "energy_eV"]


def test_only_what_is_live_can_be_changed_in_a_running_job(form: JobForm) -> None:
    form.set_running(True)
    state = {row.choice.name: row.isEnabled() for row in form.rows()}
    assert state["solver.epochs"]
    assert state["solver.object_step"]
    assert not state["data.energy_eV"]
    assert not state["solver.kind"]
    form.set_running(False)
    assert all(row.isEnabled() for row in form.rows())


def test_the_wheel_passes_by_a_box_that_was_not_clicked(form: JobForm) -> None:
    box = row_of(form, "solver.kind").edit
    assert isinstance(box, OptionEdit)
    box.clearFocus()
    nowhere = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False
    wheel = QWheelEvent(QPointF(3, 3), QPointF(3, 3), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton, *nowhere)
    QApplication.sendEvent(box, wheel)
    assert box.value() == Job().stages[0].kind
    assert form.job == Job()


def test_help_tells_unit_range_and_name(form: JobForm) -> None:
    tip = row_of(form, "data.energy_eV").toolTip()
    assert all(part in tip for part in ("Photon energy", "Unit eV", "Range from 0", "data.energy_eV"))


def test_help_keeps_its_paragraphs_and_names() -> None:
    assert paragraphs("What it\n    is.\n\n    Use `rpie` & rest.\n") == (
        "<p>What it is.</p><p>Use <code>rpie</code> &amp; rest.</p>"
    )
    assert paragraphs("") == ""


def test_a_list_that_cannot_be_read_is_told() -> None:
    choice = next(c for c in choices(Data()) if c.name == "exclude")
    with pytest.raises(InputError, match="not a number"):
        value_of("3, x", choice)
