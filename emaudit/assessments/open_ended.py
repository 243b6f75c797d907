"""Open-ended self-description: free replies, judged on the six dimensions.

Owns what the judge's levels mean: 0..4 becomes 0..1, and a dimension that is not addressed has no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emaudit.assessments import planning
from emaudit.assessments.base import DIMENSIONS, Answer, Assessment, JudgeTask, Planned, Prompt, Reading, Status
from emaudit.assessments.replies import spoken_text, unanswered
from emaudit.prompts import Library

_TOP_LEVEL: Final = 4


class OpenEnded(Assessment):
    """What a variant says of itself in its own words; never part of the self-assessment mean."""

    key = "open_ended"
    title = "Open-ended self-description"
    parser_version = "1"

    def plan(self, library: Library, preset: str) -> Iterator[Planned]:
        """Every prompt ten times, once, or the first once."""
        extent = planning.extent(planning.OPEN_ENDED, preset)
        for item in extent.first(library.instrument(self.key).content["items"]):
            yield Planned(Prompt(self.key, item["id"], "", "", "", item["text"]), extent.samples)

    def max_tokens(self, format: str) -> int:
        """1024: a free reply."""
        return 1024

    def read(self, prompt: Prompt, answer: Answer) -> Reading:
        """REFERRED for whatever was said; UNSCORED where nothing was."""
        return unanswered(answer) or Reading(Status.REFERRED)

    def judge_task(self, prompt: Prompt, answer: Answer) -> JudgeTask:
        """The prompt and the reply, for the six dimensions."""
        return JudgeTask("open_ended", {"question": prompt.text, "reply": spoken_text(answer)})

    def read_judgement(self, prompt: Prompt, judgement: Mapping[str, Any]) -> tuple[Reading, ...]:
        """One reading per dimension: level / 4, or UNSCORED where the reply does not address it."""
        return tuple(_level(pole.first, judgement[pole.first]) for pole in DIMENSIONS)


def _level(dimension: str, level: int | None) -> Reading:
    if level is None:
        return Reading(Status.UNSCORED, reason="not addressed", part=dimension)
    return Reading(Status.SCORED, level / _TOP_LEVEL, part=dimension)
