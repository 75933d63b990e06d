"""The first run, guided in four steps: open a sample, look at the card, run, save. Offered once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from ptychogui.gui.opened import Run
from ptychogui.gui.settings import settings

if TYPE_CHECKING:
    from ptychogui.gui.window import Window

SAMPLE = "siemens-far"
OFFERED = "first_steps_offered"


@dataclass(frozen=True)
class Step:
    """What is to be done, why, and the button that does it."""

    title: str
    text: str
    button: str


STEPS = (
    Step("New here?", "Four steps lead from a sample to a saved picture; they take about a minute.", "Show me"),
    Step(
        "1 of 4: open a scan", "Usually you drop your file on the window. Here a Siemens star is simulated.", "Open it"
    ),
    Step(
        "2 of 4: look at the card",
        "“Data”, at the right, tells what was understood and where each value comes from. The lights beside Run count "
        "what is good, doubtful or wrong; click them for reasons.",
        "Looks right",
    ),
    Step("3 of 4: run", "The picture forms in the middle while the loss falls. You can stop at any time.", "Run"),
    Step("4 of 4: keep it", "Save the result, which can be continued later, or export pictures for a paper.", "Save…"),
)
OPEN, CARD, RUN, KEEP = 1, 2, 3, 4


class FirstSteps(QFrame):
    """A strip above the run bar; it goes on by itself when what it asks for is done in any way."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.setObjectName("first_steps")
        self.setProperty("notice", "info")
        self._window = window
        self.at = 0
        self.title, self.text = QLabel(self), QLabel(self)
        self.title.setProperty("role", "heading")
        self.text.setWordWrap(True)
        self.go = self._button("first_steps_go", self._go)
        self.go.setProperty("primary", True)
        self.more = self._button("first_steps_more", self._more)
        self.skip = self._button("first_steps_skip", self.end)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.text)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.addLayout(words, 1)
        for button in (self.go, self.more, self.skip):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        session = window.session
        session.file_opened.connect(self._opened)
        session.state_changed.connect(self._follow)
        session.ended.connect(self._ended)
        session.saved.connect(lambda _: self._reached(KEEP + 1))
        self._dress()
        self.setVisible(not settings().value(OFFERED, False, bool))

    def _button(self, name: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(self)
        button.setObjectName(name)
        button.clicked.connect(lambda _: slot())
        return button

    def begin(self) -> None:
        """Begin with the first step."""
        self._step(OPEN)
        self.show()
        self.go.setFocus()

    def end(self) -> None:
        """Go, and do not come again unasked."""
        settings().setValue(OFFERED, True)
        self.at = 0
        self.hide()

    def _step(self, at: int) -> None:
        settings().setValue(OFFERED, True)
        if at > KEEP:
            self.end()
            return
        self.at = at
        if at == CARD:
            self._window.show_data()
        self._dress()

    def _reached(self, at: int) -> None:
        """What the step before asked for was done, by the strip's button or by any other way."""
        if self.isVisible() and self.at == at - 1 and self.at:
            self._step(at)

    def _dress(self) -> None:
        step = STEPS[self.at]
        self.title.setText(step.title)
        self.text.setText(step.text)
        self.go.setText(step.button)
        self.go.setToolTip(step.title)
        self.more.setVisible(self.at == KEEP)
        self.more.setText("Export…")
        self.more.setToolTip("Write pictures into a folder")
        self.skip.setText("No, thanks" if self.at == 0 else "Done" if self.at == KEEP else "Skip")
        self.skip.setToolTip("Close these steps; Help ▸ First steps brings them back")
        self._follow()

    def _follow(self) -> None:
        actions = self._window.actions_by_id
        if self.at == RUN:
            running = self._window.session.running is not None
            self.go.setEnabled(actions["run"].isEnabled() and not running)
            self.go.setText("Running…" if running else STEPS[RUN].button)
        elif self.at == KEEP:
            self.go.setEnabled(actions["save"].isEnabled())
            self.more.setEnabled(actions["export"].isEnabled())
        else:
            self.go.setEnabled(True)

    def _opened(self) -> None:
        if self.at == 0:  # whoever opens a file of his own needs no offer
            self.end()
        self._reached(CARD)

    def _ended(self, run: Run) -> None:
        if run.result is not None:
            self._reached(KEEP)

    def _go(self) -> None:
        if self.at == 0:
            self.begin()
        elif self.at == OPEN:
            self.go.setEnabled(False)
            self._window.open_sample(SAMPLE)
        elif self.at == CARD:
            self._step(RUN)
        else:
            self._window.actions_by_id["run" if self.at == RUN else "save"].trigger()

    def _more(self) -> None:
        self._window.actions_by_id["export"].trigger()
