"""What a rubric's JSON schema allows a judge to answer, held against the verdicts that scoring knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from emaudit.errors import BadInput


def check_verdict(path: Path, expected: Mapping[str, Sequence[int | str | None]], properties: object) -> None:
    """Raises BadInput where the properties of a schema allow anything but the values expected of each."""
    names = ", ".join(repr(name) for name in expected)
    if not isinstance(properties, dict) or set(properties) != set(expected):
        found = ", ".join(map(repr, properties)) if isinstance(properties, dict) else repr(properties)
        why = f"must have exactly the properties {names}; found {found or 'none'}"
        raise BadInput(path, why, column="field 'schema.properties'")
    for name, values in expected.items():
        if _values(properties[name]) != {json.dumps(value) for value in values}:
            listed = ", ".join(json.dumps(value) for value in values)
            why = f"must allow exactly {listed} (by type with enum, or minimum and maximum)"
            raise BadInput(path, why, column=f"field 'schema.properties.{name}'")


def _values(schema: object) -> set[str] | None:
    """The values a property's schema allows, as JSON; None where it sets no limits or is not understood."""
    if not isinstance(schema, dict):
        return None
    if "anyOf" in schema:
        options = [_values(option) for option in schema["anyOf"]] if isinstance(schema["anyOf"], list) else [None]
        return set().union(*(option or set() for option in options)) if None not in options else None
    kinds = schema.get("type", list(_TYPES))
    kinds = kinds if isinstance(kinds, list) else [kinds]
    low, high = schema.get("minimum"), schema.get("maximum")
    if "enum" in schema:
        values = schema["enum"]
    elif "integer" in kinds and type(low) is int and type(high) is int and 0 <= high - low <= _MOST_VALUES:
        values = [*range(low, high + 1), None]
    else:
        values = [None] if kinds == ["null"] else None
    if not isinstance(values, list):
        return None
    types = tuple(_TYPES[kind] for kind in kinds if isinstance(kind, str) and kind in _TYPES)
    return {json.dumps(value) for value in values if type(value) in types and _within(value, low, high)}


def _within(value: object, low: object, high: object) -> bool:
    if not isinstance(value, int):
        return True
    return not (isinstance(low, int) and value < low) and not (isinstance(high, int) and value > high)


_MOST_VALUES: Final = 100
_TYPES: Final[Mapping[str, type]] = {"integer": int, "string": str, "null": type(None)}
