"""About: what this program is, the versions it stands on, and how fast the devices of this machine are."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import psutil
from PyQt6.QtCore import PYQT_VERSION_STR, Qt, qVersion
from PyQt6.QtGui import QFontDatabase, QGuiApplication
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from ptychogui.engine.speed import DeviceSpeed, device_speeds
from ptychogui.gui import theme
from ptychogui.gui.settings import settings
from ptychogui.gui.tasks import Tasks

PACKAGES = ("ptychogui", "torch", "numpy", "scipy", "h5py", "tifffile", "pyqtgraph", "pydantic")
NOT_TOLD = ("recent", "geometry", "layout")
"""Settings that name files or only say where windows stand."""
ABOUT = (
    "From a ptychographic scan to a picture, by pointing and clicking.\n"
    "Free software under the GNU General Public License, version 3 or later."
)


class AboutDialog(QDialog):
    """Versions at once; the devices are measured in a thread."""

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About ptychogui")
        picture = QLabel(self)
        picture.setPixmap(theme.sign().pixmap(56))
        title = QLabel(f"ptychogui {_version('ptychogui')}", self)
        title.setProperty("role", "title")
        words = QVBoxLayout()
        words.addWidget(title)
        words.addWidget(QLabel(ABOUT, self))
        head = QHBoxLayout()
        head.addWidget(picture)
        head.addLayout(words, 1)
        self.text = QPlainTextEdit(self)
        self.text.setObjectName("diagnostics")
        self.text.setAccessibleName("Diagnostics")
        self.text.setToolTip("What to send along with a report of a problem; it names none of your files")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.copy_button = QPushButton("Copy diagnostics", self)
        self.copy_button.setObjectName("copy_diagnostics")
        self.copy_button.setToolTip("Put this text on the clipboard")
        self.copy_button.clicked.connect(self._copy)
        close = QPushButton("Close", self)
        close.setObjectName("close")
        close.setToolTip("Close this dialog")
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.copy_button)
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self.resize(640, 520)
        self._open = True
        self._facts = [*versions(), *machine(), *screens(), *kept()]
        self._show(["devices     are being measured…"])
        tasks.run(device_speeds, self._measured, lambda sentence, _: self._measured_not(sentence))

    def done(self, result: int) -> None:
        """Close; what is measured then is not shown any more."""
        self._open = False
        super().done(result)

    def _show(self, devices: list[str]) -> None:
        self.text.setPlainText("\n".join([*self._facts, "", *devices]))

    def _measured(self, found: list[DeviceSpeed]) -> None:
        if self._open:
            self._show(["frames of 256² that are transformed there and back in a second:", *map(_device, found)])

    def _measured_not(self, sentence: str) -> None:
        if self._open:
            self._show([f"devices     {sentence}"])

    def _copy(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text.toPlainText())
            self.copy_button.setText("Copied")


def versions() -> list[str]:
    """The versions of the program and of what it stands on."""
    own = [f"{name:<11} {_version(name)}" for name in PACKAGES]
    return [*own, f"{'Qt':<11} {qVersion()} (PyQt6 {PYQT_VERSION_STR})", f"{'Python':<11} {platform.python_version()}"]


def machine() -> list[str]:
    """The system and its memory."""
    memory = psutil.virtual_memory()
    cores = f"{psutil.cpu_count(logical=False) or '?'} cores, {psutil.cpu_count()} threads"
    return [
        "",
        f"{'system':<11} {platform.platform()}",
        f"{'processor':<11} {platform.processor() or platform.machine()}, {cores}",
        f"{'memory':<11} {memory.total / 2**30:.1f} GB, {memory.available / 2**30:.1f} GB free",
    ]


def screens() -> list[str]:
    """How the window is drawn."""
    out = [f"{'drawn by':<11} {QGuiApplication.platformName()}"]
    for screen in QGuiApplication.screens():
        size = screen.size()
        scale = f"{screen.devicePixelRatio():.0%}"
        out.append(f"{'screen':<11} {size.width()} × {size.height()} at {scale}, {screen.refreshRate():.0f} Hz")
    return out


def kept() -> list[str]:
    """The settings that differ from the defaults, without those that name files."""
    store = settings()
    names = [name for name in store.allKeys() if name.partition("/")[0] not in NOT_TOLD]
    values = [f"{name} = {store.value(name)}" for name in names if isinstance(store.value(name), str | int | float)]
    return [f"{'settings':<11} {line}" for line in values]


def _device(speed: DeviceSpeed) -> str:
    return f"{speed.name:<11} {speed.frames_per_s:,.0f}   ({speed.about}, {speed.memory_bytes / 2**30:.1f} GB)"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
