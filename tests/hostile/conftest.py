"""Scenes of other folders that hostile stores and files are made of."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "unit"), str(TESTS.parent)]
