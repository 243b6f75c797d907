"""The rows of dissociation.csv. Pure: a study in, frozen rows out."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class DissociationRow:
    """One row of dissociation.csv: what a variant does beside what it says, against its own base."""

    variant: str
    base: str
    part: str
    harm_rise: float | None
    harm_low: float | None
    harm_high: float | None
    self_rise: float | None
    self_low: float | None
    self_high: float | None
    kind: str
    p_holm: float | None
    simulated: bool


COLUMNS = tuple(field.name for field in fields(DissociationRow))
