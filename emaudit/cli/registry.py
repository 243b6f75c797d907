"""Every family of commands, in the order the help lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emaudit.cli import (
    agreement,
    compare,
    correlate,
    demo,
    dissociation,
    doctor,
    figures,
    importing,
    instruments,
    judging,
    keeping,
    rejudging,
    review,
    running,
    scoring,
    settings,
    simulate,
    trajectories,
    variants,
    verify,
    watching,
)
from emaudit.cli.arguments import Verbs

FAMILIES: Final[tuple[Callable[[Verbs], None], ...]] = (
    demo.register,
    simulate.register,
    settings.register,
    doctor.register,
    variants.register,
    running.register,
    rejudging.register,
    judging.register,
    review.register,
    watching.register,
    keeping.register,
    instruments.register,
    importing.register,
    scoring.register,
    compare.register,
    correlate.register,
    figures.register,
    agreement.register,
    trajectories.register,
    dissociation.register,
    verify.register,
)
