"""What reads bytes from outside, as functions to be fuzzed.

A target takes any bytes and says nothing where the product keeps its promise. It raises AssertionError where what was
read is not what its readers rely on, and whatever the product raises beyond the errors that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from targets_answers import completion, error_body, flagged, headers, models, reply, verdict
from targets_files import imported, manifest, prompt_file, settings, variant_file
from targets_store import kept, labels, lease, search
from targets_text import as_of, cells, latex, shown_text

TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        *(completion, models, error_body, headers, verdict, reply, flagged, imported, prompt_file, settings),
        *(variant_file, as_of, shown_text, cells, latex, search, labels, kept, lease, manifest),
    )
}
"""Every target by its name."""
