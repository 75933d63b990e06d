"""Networks of a window: those that may be chosen, how the chosen one suits the scan, and the training of others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ptychogui.engine.start.ptychonet import FromNetwork

if TYPE_CHECKING:
    from ptychogui.check import Doubt
    from ptychogui.gui.edits import Known
    from ptychogui.gui.forms import JobForm
    from ptychogui.gui.preflight import Preflight
    from ptychogui.gui.rows import Note
    from ptychogui.gui.train_dialog import TrainDialog
    from ptychogui.gui.window import Window
    from ptychogui.types import Dataset

FIELD = "start.weights"
HELPS = {"train": "Train a network…", "fine_tune": "Fine-tune to this experiment…"}
"""What helps where a network does not suit, by the ids of actions."""


class Networks(QObject):
    """Opens the training, and tells the form of the job what is known of networks."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._dialog: TrainDialog | None = None
        self._form: JobForm | None = None
        self._preflight: Preflight | None = None
        self._listed = False
        self._known: Sequence[Known] = ()
        self._told: tuple[Dataset, FromNetwork, Doubt] | None = None
        window.closed.connect(self._end)

    # training

    def train(self) -> TrainDialog | None:
        """Train a network for the open scan; a training that goes on comes to the front."""
        from ptychogui.gui.train_dialog import TrainDialog

        opened, run = self._session.current, self._session.current_run
        if opened is None:
            return None
        if self._dialog is not None and self._dialog.opened is not opened and not self._dialog.stream.running:
            self._dialog.done(0)
        if self._dialog is None:
            run = None if run is self._session.running else run
            self._dialog = TrainDialog(self._session, opened, run, self._window)
            self._dialog.finished.connect(self._forget)
            self._dialog.kept.connect(self._list)
            self._list()
        self._dialog.show()
        self._dialog.raise_()
        self._dialog.activateWindow()
        return self._dialog

    def fine_tune(self) -> TrainDialog | None:
        """Train the chosen network further, on the open scan."""
        start = self._session.current.job.start if self._session.current is not None else None
        dialog = self.train()
        if dialog is not None and isinstance(start, FromNetwork) and not dialog.stream.running:
            dialog.begin_with(start.weights)
        return dialog

    def _forget(self) -> None:
        self._dialog = None

    def _end(self) -> None:
        """The window goes: what trains ends at its next step."""
        if self._dialog is not None:
            self._dialog.done(0)

    # the form of the job

    def follow(self, form: JobForm, preflight: Preflight) -> None:
        """Tell a form, as long as it is there, what the preflight finds of the network that is chosen in it."""
        self._form, self._preflight = form, preflight
        form.note_wanted.connect(self.help)
        preflight.changed.connect(self._tell)
        self._session.job_changed.connect(self._tell)
        self._tell()

    def help(self, name: str) -> None:
        """Do what helps, as a button or a doubt says."""
        entry = self._window.actions_by_id[name]
        if entry.isEnabled():
            entry.trigger()
        else:
            self._session.tell("warning", entry.toolTip())

    def _tell(self) -> None:
        if self._form is None or self._preflight is None:
            return
        opened = self._session.current
        start = opened.job.start if opened is not None else None
        if opened is None or opened.dataset is None or not isinstance(start, FromNetwork):
            self._form.set_notes({})
            return
        if not self._listed:
            self._list()
        known = self._preflight.known
        doubts = known.doubts if known is not None else ()
        doubt = next((doubt for doubt in doubts if doubt.name == "network"), None)
        if doubt is not None:
            self._told = opened.dataset, start, doubt
        elif self._told is not None and self._told[0] is opened.dataset and self._told[1] == start:
            doubt = self._told[2]  # another parameter has changed
        if doubt is not None:
            self._form.set_notes({FIELD: note(doubt)})
        elif self._preflight.looking:
            self._form.set_notes({FIELD: _dim("Looking at the network…")})
        elif self._session.running is not None:
            self._form.set_notes({FIELD: _dim("The network is looked at when the run is over.")})
        else:
            self._form.set_notes({})

    def _list(self) -> None:
        """Look in a thread which networks there are."""
        self._listed = True
        self._session.tasks.run(known_networks, self._offer, partial(self._session.tell, "error"))

    def _offer(self, known: Sequence[Known]) -> None:
        self._known = known
        if self._form is not None:
            self._form.set_known({FIELD: known})
        if self._dialog is not None:
            self._dialog.form.set_known({"begin": known})


def _dim(text: str) -> Note:
    from ptychogui.gui.rows import Note

    return Note(text, "dim")


def note(doubt: Doubt) -> Note:
    """What stands under the field of the network."""
    from ptychogui.gui.doubts import LEVELS
    from ptychogui.gui.import_card import in_words
    from ptychogui.gui.rows import Note

    helps = {doubt.action: HELPS[doubt.action]} if doubt.action else {}
    return Note(in_words(doubt.sentence), LEVELS[doubt.level], tuple(helps.items()))


def known_networks() -> list[Known]:
    """The networks that come with the program, then those of the user, with a line on each."""
    from ptychogui.engine.learn.shipped import shipped
    from ptychogui.engine.learn.weights import card_of
    from ptychogui.gui.course import SUFFIX, folder
    from ptychogui.params import InputError

    found = [(name, name, card) for name, card in shipped().items()]
    for path in sorted(folder().glob(f"*{SUFFIX}")):
        try:
            found.append((str(path), path.stem, card_of(path)))
        except InputError:  # a file that is no network
            continue
    return [
        (
            value,
            f"{name}    {card.network.pixels} px, error {card.error:.3g}" + (f", {card.source}" if card.source else ""),
        )
        for value, name, card in found
    ]
