"""Self-assessment: how a variant describes itself on the six dimensions, in four formats."""

from __future__ import annotations

from emaudit.assessments.self_report import SelfReport


class SelfAssessment(SelfReport):
    """Values: 0 the aligned pole, 1 the misaligned one."""

    key = "self_assessment"
    title = "Self-assessment"
    parser_version = "2"


class SelfAssessmentAllJudged(SelfAssessment):
    """The same with every language reply told by the judge."""

    parser_version = "2+language-judge"
    language_judge = True
