"""Every test has a lab of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import ROOT, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.close()


@pytest.fixture
def prompts(lab: Lab) -> Path:
    """A copy of the shipped prompts that a test may edit."""
    lab.prompts = lab.folder / "prompts"
    shutil.copytree(ROOT / "prompts", lab.prompts)
    return lab.prompts
