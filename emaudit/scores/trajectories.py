"""The rows of trajectories.csv. Pure: a study in, frozen rows out."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class TrajectoryRow:
    """One row of trajectories.csv: a measure along base -> misaligned -> realigned of one lineage."""

    lineage: str
    size: str
    domain: str
    assessment: str
    measure: str
    part: str
    base: float | None
    misaligned: float | None
    realigned: float | None
    induced: float | None
    induced_low: float | None
    induced_high: float | None
    reversed: float | None
    reversed_low: float | None
    reversed_high: float | None
    undefined_reason: str
    simulated: bool


COLUMNS = tuple(field.name for field in fields(TrajectoryRow))
