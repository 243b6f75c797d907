"""Where the reference values lie that are not part of the checkout."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(os.environ.get("EMAUDIT_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "stats_cases.json"


def reference_cases() -> Mapping[str, Any]:
    """The stored cases by kind; skips the test where they are absent."""
    if not REFERENCE.is_file():
        pytest.skip("no reference values here")
    return dict(json.loads(REFERENCE.read_text(encoding="utf-8")))
