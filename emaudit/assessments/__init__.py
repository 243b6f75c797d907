"""The six assessments, in the order everything lists them."""

from __future__ import annotations

from typing import Final

from emaudit.assessments.base import Assessment
from emaudit.assessments.harmfulness import Harmfulness
from emaudit.assessments.intentions import Intentions
from emaudit.assessments.moral_foundations import MoralFoundations
from emaudit.assessments.moral_self_assessment import MoralSelfAssessment, MoralSelfAssessmentAllJudged
from emaudit.assessments.open_ended import OpenEnded
from emaudit.assessments.self_assessment import SelfAssessment, SelfAssessmentAllJudged
from emaudit.errors import UsageError

ASSESSMENTS: Final[tuple[Assessment, ...]] = (
    Harmfulness(),
    Intentions(),
    SelfAssessment(),
    MoralFoundations(),
    MoralSelfAssessment(),
    OpenEnded(),
)
PAPER_FIVE: Final = tuple(assessment.key for assessment in ASSESSMENTS[:5])
_BY_KEY: Final = {assessment.key: assessment for assessment in ASSESSMENTS}
_ALL_JUDGED: Final[dict[str, Assessment]] = {
    assessment.key: assessment for assessment in (SelfAssessmentAllJudged(), MoralSelfAssessmentAllJudged())
}


def by_key(key: str, language_judge: bool = False) -> Assessment:
    """The assessment of a key; with `language_judge` the one that leaves every language reply to the judge.

    Raises UsageError listing the known keys.
    """
    if language_judge and key in _ALL_JUDGED:
        return _ALL_JUDGED[key]
    try:
        return _BY_KEY[key]
    except KeyError:
        raise UsageError(f"no assessment {key!r}; known: {', '.join(_BY_KEY)}") from None
