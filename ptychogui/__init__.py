"""ptychogui: from a ptychographic scan to a picture. Importing it imports neither Qt nor torch."""

import os

# Spinning OpenMP waits cost a factor of 25 beside a busy neighbour; read once, when torch loads its runtime.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
