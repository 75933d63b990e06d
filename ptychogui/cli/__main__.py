"""`python -m ptychogui.cli` is the same as `ptychogui`."""

from __future__ import annotations

import logging
import sys

from ptychogui.cli import main

logging.basicConfig(level=logging.WARNING)
sys.exit(main())
