"""The window: the only place of PyQt6, pyqtgraph and qasync."""
