"""Pictures of the window and of every dock, taken by themselves: open, run five epochs, save, end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtWidgets import QWidget

from ptychogui.gui.window import Window
from ptychogui.params import InputError

EPOCHS = 5
PATIENCE_S = 600.0


async def take(window: Window, files: Sequence[str], folder: Path) -> int:
    """Save the pictures into `folder`; 0 where all went well, 2 with a sentence on stderr where not."""
    errors: list[str] = []
    window.session.message.connect(lambda level, sentence, _: errors.append(sentence) if level == "error" else None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        await _pictures(window, files, folder, errors)
    except (InputError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        await _end(window)
    return 0


async def _pictures(window: Window, files: Sequence[str], folder: Path, errors: list[str]) -> None:
    session = window.session
    await asyncio.sleep(0.2)
    _save(window, folder / "start_page.png")
    if not files:
        return
    for path in files:
        window.open_path(path)
    await _until(lambda: session.current is not None and session.current.preview is not None, errors)
    await _until(lambda: session.tasks.waiting == 0, errors)
    await asyncio.sleep(0.5)
    workspace = window.workspace
    assert workspace is not None
    _save(workspace.docks["import_card"], folder / "import_card.png")
    _save(window, folder / "opened.png")
    if session.current is not None:
        session.edit(session.current.job.with_value("solver.epochs", EPOCHS))
    blocked = session.reasons()
    if blocked:
        raise InputError(f"{blocked[0].text.rstrip('.')}.")
    window.show_parameters()
    session.start()
    await _until(lambda: session.running is None, errors)
    await asyncio.sleep(0.5)
    _save(window, folder / "window.png")
    for name, dock in workspace.docks.items():
        dock.raise_()
        await asyncio.sleep(0.1)
        _save(dock, folder / f"{name}.png")


async def _end(window: Window) -> None:
    """Leave, but not under a thread that is still running."""
    window.session.stop()
    while window.session.running is not None:
        await asyncio.sleep(0.05)
    window.leave()


async def _until(done: Callable[[], bool], errors: list[str]) -> None:
    """Wait for something, at most `PATIENCE_S`; an error that the window tells of ends the waiting."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while not done():
        if errors:
            raise InputError(errors[0])
        if loop.time() > end:
            raise InputError(f"The window did not get there within {PATIENCE_S:.0f} s; try a smaller file.")
        await asyncio.sleep(0.05)
    if errors:
        raise InputError(errors[0])


def _save(widget: QWidget, path: Path) -> None:
    if not widget.grab().save(str(path)):
        raise InputError(f"The picture could not be written to {path}: check the folder and the free space.")
