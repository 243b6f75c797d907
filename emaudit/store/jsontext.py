"""Canonical JSON, so that the same content has the same bytes and the same hash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def dumps(content: Mapping[str, object] | Sequence[object]) -> str:
    """Sorted keys, no spaces, text as it is."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
