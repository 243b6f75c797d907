"""The scales that measures are plotted on. Pure."""

from __future__ import annotations

from emaudit.analysing.answers import Axis
from emaudit.scores.measures import MEASURES
from emaudit.scores.resampling import Named
from emaudit.watch.snapshot import title


def axis_of(named: Named) -> Axis:
    """The scale of a measure, as in scores.csv; answers at random to two options stand in its middle."""
    name = " ".join([title(named.assessment), *named.name.split(".")[1:]])
    if named.assessment == "moral_foundations":
        return Axis(name, -0.5, 0.5, 0.0)
    if named.assessment == "harmfulness":
        return Axis(name)
    offset = MEASURES[named.assessment][0].offset if named.assessment in MEASURES else 0.0
    return Axis(name, offset, 1 + offset, 0.5 + offset)
