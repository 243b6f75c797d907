"""Fill a template with values, once.

Owns the placeholder syntax `{name}`. Values are never looked at again: braces inside a scenario stay braces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from emaudit.errors import UsageError

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(template: str, values: Mapping[str, str], where: str) -> str:
    """The template with every `{name}` replaced in one pass; a brace that is no placeholder stays.

    Raises UsageError, beginning with `where`, for a name that has no value here.
    """

    def value(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            known = " ".join(f"{{{name}}}" for name in values)
            raise UsageError(f"{where}: no value for {match[0]}; known here: {known}") from None

    return _PLACEHOLDER.sub(value, template)


def paragraphs(*parts: str) -> str:
    """The parts that are not empty, each a paragraph of its own."""
    return "\n\n".join(part.strip() for part in parts if part.strip())
