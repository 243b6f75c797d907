"""What tests of several folders share: commands as processes, in a lab of each test's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from forking import ROOT, Forker
from lab import Lab

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    made = Forker()
    yield made
    made.close()


@pytest.fixture
def lab(tmp_path: Path, forker: Forker) -> Iterator[Lab]:
    made = Lab(tmp_path, forker)
    yield made
    made.close()


@pytest.fixture
def prompts(lab: Lab) -> Path:
    """A copy of the shipped prompts that a test may edit."""
    lab.prompts = lab.folder / "prompts"
    shutil.copytree(ROOT / "prompts", lab.prompts)
    return lab.prompts
