"""Moral self-assessment: how a variant places itself on the six moral foundations, in four formats."""

from __future__ import annotations

from emaudit.assessments.self_report import SelfReport


class MoralSelfAssessment(SelfReport):
    """Values: 0 the first-named pole, 1 the second; each prompt defines both poles first."""

    key = "moral_self_assessment"
    title = "Moral self-assessment"
    parser_version = "2"


class MoralSelfAssessmentAllJudged(MoralSelfAssessment):
    """The same with every language reply told by the judge."""

    parser_version = "2+language-judge"
    language_judge = True
